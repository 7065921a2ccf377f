"""`rogatory agency`: joining an exchange."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rogatory import clock, statements
from rogatory.cli.options import HomeOption, JsonOption, choice
from rogatory.cli.output import emit, note
from rogatory.cli.passphrases import passphrase_for
from rogatory.cli.session import file_signer
from rogatory.cli.trust import write_policy
from rogatory.enrolment import (
    EnrolmentAnswer,
    make_csr,
    public_key_of,
    read_answer,
    write_request,
)
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.home import AgencySettings, Home, write_atomically
from rogatory.keyfiles import read_private_file
from rogatory.keys import PublicKey, phrase
from rogatory.policy import Policy

DEFAULT_VALIDITY_DAYS = 730
_PREFIX = "officer-"

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Join an exchange: request, then accept.",
)


@app.command(short_help="Make the enrolment request.")
def request(
    *,
    name: Annotated[
        list[str],
        typer.Option("--name", metavar="LANGUAGE=NAME", help="Name of the agency. Repeatable."),
    ],
    kind: Annotated[str, typer.Option(help="police, border-guard, prosecutor, security-firm, ...")],
    officer: Annotated[
        list[str] | None,
        typer.Option(
            "--officer",
            metavar="PSEUDONYM:RIGHTS",
            help="Rights of an officer's key, as a.meyer:sign,approve. Repeatable.",
        ),
    ] = None,
    duty_contact: Annotated[
        str, typer.Option(help="Where the duty officer is reached at all hours.")
    ] = "",
    language: Annotated[
        list[str] | None, typer.Option("--language", help="BCP 47 tag. Repeatable.")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name, as Europe/Paris.")] = "",
    valid_days: Annotated[
        int, typer.Option(min=1, max=3650, help="How long the keys are valid.")
    ] = DEFAULT_VALIDITY_DAYS,
    out: Annotated[Path | None, typer.Option(help="Where to write the request.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the enrolment request: a signed key statement and a certificate signing request.

    Send the file to the gateway's operator, who answers with a file for `rogatory agency accept`.
    Read the phrase to the operator over another channel: it stands for the root key.
    """
    place = Home.find(home)
    settings = place.settings()
    names = dict(_pair(item, "--name") for item in name)
    root = file_signer(place.key("root"))
    tls = _tls_key(place)
    now = time.time_ns()
    until = now + valid_days * clock.NANOSECONDS_PER_DAY
    tls_public = tls.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    enrolled = [
        statements.enrol(
            algorithm=statements.TLS_ALGORITHM,
            public_key=tls_public,
            role=codes_pb2.KEY_ROLE_TLS,
            valid_from=now,
            valid_until=until,
        ),
        _enrol(file_signer(place.key("signing")).public_key, now=now, until=until),
    ]
    rights = dict(_officer(item) for item in officer or ())
    files = {
        path.stem.removeprefix(_PREFIX): path
        for path in sorted(place.key("x").parent.glob(f"{_PREFIX}*.pem"))
    }
    for pseudonym in rights:
        if pseudonym not in files:
            raise ConfigurationError(
                f"There is no key of the officer {pseudonym}",
                hint=f"Make it: rogatory keygen {settings.agency} --officer {pseudonym}",
            )
    for pseudonym, path in files.items():
        public = file_signer(path).public_key
        granted = rights.get(pseudonym, [codes_pb2.OFFICER_RIGHT_SIGN])
        enrolled.append(_enrol(public, now=now, until=until, officer=pseudonym, rights=granted))
    statement = statements.build(
        agency=key_statement_pb2.Agency(
            agency_id=settings.agency,
            names=[
                key_statement_pb2.AgencyName(language=tag, name=text) for tag, text in names.items()
            ],
            kind=codes_pb2.AgencyKind.ValueType(choice(codes_pb2.AgencyKind, kind, "--kind")),
            duty_contact=duty_contact,
            languages=language or (),
            time_zone=time_zone,
        ),
        root=root.public_key,
        create_time=now,
        keys=enrolled,
    )
    signed = statements.sign(statement, root)
    data = write_request(csr=make_csr(settings.agency, tls), statement=signed)
    path = out if out is not None else place.request_file
    write_atomically(path, data)
    place.write_settings(
        AgencySettings(
            agency=settings.agency,
            gateway=settings.gateway,
            origin=settings.origin,
            log=settings.log,
            names=names,
        )
    )
    spoken = phrase(root.public_key.fingerprint)
    note("send the file to the gateway's operator, and read the phrase out by telephone")
    emit(
        {
            "agency": settings.agency,
            "file": str(path),
            "root": root.public_key.text,
            "root_fingerprint": root.public_key.fingerprint.hex(),
            "phrase": spoken,
        },
        [str(path), f"root key: {root.public_key.text}", f"phrase: {spoken}"],
        as_json=as_json,
    )


@app.command(short_help="Install the operator's answer.")
def accept(
    answer: Annotated[Path, typer.Argument(metavar="FILE", help="The operator's answer.")],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Install the operator's answer: certificate, CA, address and the log's key."""
    place = Home.find(home)
    settings = place.settings()
    try:
        found = read_answer(answer.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"The file {answer} cannot be read: {error.strerror}", hint="Check its name."
        ) from error
    _check_answer(place, settings, found)
    place.create()
    write_atomically(place.client_certificate, found.certificate)
    write_atomically(place.ca_certificate, found.ca)
    place.write_settings(
        AgencySettings(
            agency=settings.agency,
            gateway=found.gateway,
            origin=found.origin,
            log=found.log_key.text,
            names=settings.names,
        )
    )
    _trust_log(place, found)
    emit(
        {"agency": found.agency, "gateway": found.gateway, "origin": found.origin},
        [f"{found.agency} is enrolled at {found.origin} ({found.gateway})"],
        as_json=as_json,
    )


def _trust_log(place: Home, answer: EnrolmentAnswer) -> None:
    """Write the log's key into the policy; one that has keys already is the owner's to change."""
    values = tomllib.loads(place.policy_file.read_text("utf-8"))
    if "log" not in values:
        roots = {
            agency: PublicKey.from_text(text) for agency, text in values.get("roots", {}).items()
        }
        write_policy(Policy(log_keys=[answer.log_key], roots=roots), [], place.path)
    elif answer.log_key.text not in values["log"].get("keys", []):
        note(f"{place.policy_file} trusts other keys of the log; add to [log] keys if right:")
        note(f"  {answer.log_key.text}")


def _check_answer(place: Home, settings: AgencySettings, answer: EnrolmentAnswer) -> None:
    if answer.agency != settings.agency:
        raise ConfigurationError(
            f"The answer is for {answer.agency}, and this is the folder of {settings.agency}",
            hint="Choose the other folder with --home.",
        )
    own = (
        _tls_key(place)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    if public_key_of(answer.certificate) != own:
        raise ConfigurationError(
            "The certificate of the answer is for another key than keys/tls.pem",
            hint="Send the operator the request that belongs to this key.",
        )


def _tls_key(place: Home) -> ec.EllipticCurvePrivateKey:
    path = place.key("tls")
    key = serialization.load_pem_private_key(read_private_file(path), passphrase_for(path))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(
            f"The key in {path} is not an elliptic curve key", hint="Make it with rogatory keygen."
        )
    return key


def _enrol(
    public: PublicKey,
    *,
    now: int,
    until: int,
    officer: str = "",
    rights: list[codes_pb2.OfficerRight.ValueType] | None = None,
) -> key_statement_pb2.EnrolledKey:
    return statements.enrol(
        algorithm=public.algorithm,
        public_key=public.raw,
        role=codes_pb2.KEY_ROLE_OFFICER if officer else codes_pb2.KEY_ROLE_SIGNING,
        valid_from=now,
        valid_until=until,
        officer=officer,
        rights=rights or (),
    )


def _pair(text: str, option: str) -> tuple[str, str]:
    left, separator, right = text.partition("=")
    if not (left and separator and right):
        raise typer.BadParameter(
            f"{text!r} is not LANGUAGE=NAME, as fr='Police'", param_hint=option
        )
    return left, right


def _officer(text: str) -> tuple[str, list[codes_pb2.OfficerRight.ValueType]]:
    pseudonym, _, rights = text.partition(":")
    return pseudonym, [
        codes_pb2.OfficerRight.ValueType(choice(codes_pb2.OfficerRight, word, "--officer"))
        for word in (rights or "sign").split(",")
    ]
