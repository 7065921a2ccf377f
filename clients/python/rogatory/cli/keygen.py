"""`rogatory keygen`: an agency's keys, each in a file of its own."""

from __future__ import annotations

import re
import secrets
from typing import Annotated

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rogatory.cli.options import HomeOption, JsonOption
from rogatory.cli.output import emit, note
from rogatory.cli.passphrases import new_passphrase
from rogatory.errors import ConfigurationError
from rogatory.home import AgencySettings, Home, toml_text, write_atomically
from rogatory.keyfiles import to_pem, write_key_file, write_private_file
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
        typer.Option("--officer", help="Also a key for this officer, by pseudonym. Repeatable."),
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

    Keys that exist are kept, so that an officer can be added later. Keep root.pem off line: it
    signs key statements and agreements, and nothing else.
    """
    if AGENCY_ID.fullmatch(agency) is None:
        raise typer.BadParameter(
            "write it as a country and a name, fr.police; international bodies as int.name",
            param_hint="AGENCY",
        )
    for name in officer or ():
        if PSEUDONYM.fullmatch(name) is None:
            raise typer.BadParameter(
                f"{name!r} is no pseudonym: use a-z, 0-9, dot and hyphen", param_hint="--officer"
            )
    place = Home.find(home)
    if place.settings_file.exists() and place.settings().agency != agency:
        raise ConfigurationError(
            f"{place.path} is the folder of {place.settings().agency}",
            hint="Choose another folder with --home.",
        )
    secret = new_passphrase() if passphrase else None
    place.create()
    made: dict[str, str] = {}
    for name in ("root", "signing", *(f"officer-{item}" for item in officer or ())):
        if not place.key(name).exists():
            key = PrivateKey.from_seed(secrets.token_bytes(SEED_SIZE))
            write_key_file(place.key(name), key, passphrase=secret)
            made[name] = key.public_key.text
    if not place.key("tls").exists():
        # Ed25519 certificates are not accepted by gRPC's TLS library; P-256 is everywhere.
        tls = ec.generate_private_key(ec.SECP256R1())
        der = tls.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private_file(place.key("tls"), to_pem(der, passphrase=secret))
        made["tls"] = "P-256"
    if not place.settings_file.exists():
        place.write_settings(AgencySettings(agency=agency))
    if "root" in made:
        pin = f"{toml_text(agency)} = {toml_text(PublicKey.from_text(made['root']).text)}"
        write_atomically(place.policy_file, f"[roots]\n{pin}\n".encode())
    note(f"keys are in {place.path / 'keys'}; next: rogatory agency request")
    emit(
        {"agency": agency, "home": str(place.path), "made": made},
        [f"{name}: {place.key(name)}  {text}" for name, text in made.items()],
        as_json=as_json,
    )
