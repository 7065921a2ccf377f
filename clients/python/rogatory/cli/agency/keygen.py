"""`rogatory keygen`: an agency's keys, each in a file of its own."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Annotated

import typer

from rogatory.cli.agency.enrolling import OFFICER_PREFIX, make_tls_key, officer_rights
from rogatory.cli.options import HomeOption, JsonOption
from rogatory.cli.output import emit, note
from rogatory.cli.passphrases import new_passphrase, passphrase_for
from rogatory.errors import ConfigurationError
from rogatory.home import AgencySettings, Home, toml_text, write_atomically
from rogatory.keyfiles import read_key_file, write_key_file
from rogatory.keys import SEED_SIZE, PrivateKey, PublicKey

AGENCY_ID = re.compile(r"([a-z]{2}|int)(\.[a-z0-9][a-z0-9-]*)+")
PSEUDONYM = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def keygen(
    agency: Annotated[
        str, typer.Argument(metavar="AGENCY", help="Agency id, as fr.police or int.example.")
    ],
    *,
    officer: Annotated[
        list[str] | None,
        typer.Option(
            "--officer",
            metavar="PSEUDONYM[:RIGHTS]",
            help="Also a key for this officer, by pseudonym; rights as sign,approve (draft, sign,"
            " approve; by default sign). Repeatable.",
        ),
    ] = None,
    passphrase: Annotated[
        bool,
        typer.Option(
            "--passphrase",
            help="Encrypt the keys with a passphrase: ROGATORY_PASSPHRASE, or asked for.",
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an agency's keys: root, signing, TLS and officers'.

    Keys that exist are kept, so that an officer can be added later; whoever is enrolled states the
    new key with `rogatory agency statement`. Keep root.pem off line: it signs key statements and
    agreements, and nothing else.
    """
    if AGENCY_ID.fullmatch(agency) is None:
        raise typer.BadParameter(
            "write it as a country and a name, fr.police; international bodies as int.name",
            param_hint="AGENCY",
        )
    place = Home.find(home)
    settings = place.settings() if place.settings_file.exists() else AgencySettings(agency=agency)
    if settings.agency != agency:
        raise ConfigurationError(
            f"{place.path} is the folder of {settings.agency}",
            hint="Choose another folder with --home.",
        )
    rights = officer_rights(officer or (), settings)
    for name in rights:
        if PSEUDONYM.fullmatch(name) is None:
            raise typer.BadParameter(
                f"{name!r} is no pseudonym: use a-z, 0-9, dot and hyphen", param_hint="--officer"
            )
    secret = new_passphrase() if passphrase else None
    place.create()
    made: dict[str, str] = {}
    names = [f"{OFFICER_PREFIX}{name}" for name in rights]
    enrolled = bool(settings.gateway)
    # Whoever is enrolled and lacks one of these has put it elsewhere; another one would not do.
    for name in names if enrolled else ["root", "signing", *names]:
        if not place.key(name).exists():
            key = PrivateKey.from_seed(secrets.token_bytes(SEED_SIZE))
            write_key_file(place.key(name), key, passphrase=secret)
            made[name] = key.public_key.text
    if not enrolled and not place.key("tls").exists():
        make_tls_key(place.key("tls"), passphrase=secret)
        made["tls"] = "P-256"
    place.write_settings(replace(settings, officers={**settings.officers, **rights}))
    if not enrolled and not place.policy_file.exists():
        root = PublicKey.from_text(made["root"]) if "root" in made else _public_root(place)
        pin = f"{toml_text(agency)} = {toml_text(root.text)}"
        write_atomically(place.policy_file, f"[roots]\n{pin}\n".encode())
    step = "".join(["statement", *(f" --officer {name}" for name in rights)])
    note(
        f"keys are in {place.path / 'keys'}; next: rogatory agency"
        f" {step if enrolled else 'request'}"
    )
    emit(
        {"agency": agency, "home": str(place.path), "made": made},
        [f"{name}: {place.key(name)}  {text}" for name, text in made.items()],
        as_json=as_json,
    )


def _public_root(place: Home) -> PublicKey:
    path = place.key("root")
    return read_key_file(path, passphrase=passphrase_for(path)).public_key
