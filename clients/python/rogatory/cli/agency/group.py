"""`rogatory agency`: joining an exchange, and its keys from then on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from rogatory import clock, statements
from rogatory.cli import history, waiting
from rogatory.cli.agency import enrolling, statement
from rogatory.cli.options import HomeOption, JsonOption, choice
from rogatory.cli.output import emit, note
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
from rogatory.keys import PublicKey, phrase
from rogatory.policy import FORM, Policy, pinned_roots
from rogatory.settingsfile import Table

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Join an exchange; renew and revoke keys. Change its keys: statement.",
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
            help="Rights of an officer's key, as a.meyer:sign,approve; by default what keygen was"
            " told. Repeatable.",
        ),
    ] = None,
    duty_contact: enrolling.ContactOption = None,
    language: enrolling.LanguageOption = None,
    time_zone: enrolling.ZoneOption = None,
    holiday: enrolling.HolidayOption = None,
    valid_days: enrolling.ValidityOption = enrolling.DEFAULT_VALIDITY_DAYS,
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
    if settings.gateway:
        raise ConfigurationError(
            f"{settings.agency} is enrolled at {settings.origin} already",
            hint="Further keys are stated with rogatory agency statement; another exchange takes"
            " another folder.",
        )
    names = enrolling.names_of(name)
    agency = key_statement_pb2.Agency(
        agency_id=settings.agency,
        kind=codes_pb2.AgencyKind.ValueType(choice(codes_pb2.AgencyKind, kind, "--kind")),
    )
    enrolling.present(
        agency,
        names=names,
        duty_contact=duty_contact,
        languages=language,
        time_zone=time_zone,
        holidays=holiday,
    )
    root = file_signer(place.key("root"))
    tls = enrolling.tls_key(place.key("tls"))
    now = time.time_ns()
    until = now + valid_days * clock.NANOSECONDS_PER_DAY
    signing = file_signer(place.key("signing")).public_key
    first = statements.build(
        agency=agency,
        root=root.public_key,
        create_time=now,
        keys=[
            enrolling.enrol_tls(tls, now=now, until=until),
            enrolling.enrol(signing, now=now, until=until),
            *_officers(place, settings, officer or (), now=now, until=until),
        ],
    )
    signed = statements.sign(first, root)
    data = write_request(csr=make_csr(settings.agency, tls), statement=signed)
    path = out if out is not None else place.request_file
    write_atomically(path, data)
    history.keep(place, signed)
    place.write_settings(replace(settings, names=names))
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
    """Install the operator's answer: certificate, CA, address and the log's key.

    An answer to a new TLS key puts it to work, with the other keys of its statement. Where
    policy.toml is missing it is made anew.
    """
    place = Home.find(home)
    settings = place.settings()
    try:
        found = read_answer(answer.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"The file {answer} cannot be read: {error.strerror}", hint="Check its name."
        ) from error
    renewed = _check_answer(place, settings, found)
    policy = _policy_with(place, settings, found)
    place.create()
    if renewed:
        waiting.activate(place, waiting.TLS)
    write_atomically(place.client_certificate, found.certificate)
    write_atomically(place.ca_certificate, found.ca)
    place.write_settings(
        replace(settings, gateway=found.gateway, origin=found.origin, log=found.log_key.text)
    )
    if policy is not None:
        write_policy(policy, [], place.path)
    activated = _activate_with_answer(place) if renewed else []
    emit(
        {
            "agency": found.agency,
            "gateway": found.gateway,
            "origin": found.origin,
            "activated": activated,
        },
        [
            f"{found.agency} is enrolled at {found.origin} ({found.gateway})",
            *(f"at work: {name}" for name in activated),
        ],
        as_json=as_json,
    )


app.command("statement", short_help="Add officers, renew keys, revoke keys.")(statement.statement)
app.command("activate", short_help="Put new keys to work.")(statement.activate)
app.command("keys", short_help="List the agency's keys.")(statement.list_keys)


def _policy_with(place: Home, settings: AgencySettings, answer: EnrolmentAnswer) -> Policy | None:
    """Return the policy with the log's key; None: it has keys already, its owner's to change."""
    if not place.policy_file.exists():
        note(f"{place.policy_file} is missing, and is made anew")
        return Policy(log_keys=[answer.log_key], roots={settings.agency: _own_root(place)})
    table = Table.read(place.policy_file, form=FORM)
    roots = pinned_roots(table)
    if "log" not in table.values:
        return Policy(log_keys=[answer.log_key], roots=roots)
    if answer.log_key.text not in table.below("log").texts("keys"):
        note(f"{place.policy_file} trusts other keys of the log; add to [log] keys if right:")
        note(f"  {answer.log_key.text}")
    return None


def _own_root(place: Home) -> PublicKey:
    stated = history.root_of(history.kept(place))
    return stated if stated is not None else file_signer(place.key("root")).public_key


def _check_answer(place: Home, settings: AgencySettings, answer: EnrolmentAnswer) -> bool:
    """Check that an answer is for this folder; return whether it is for a TLS key that waits."""
    if answer.agency != settings.agency:
        raise ConfigurationError(
            f"The answer is for {answer.agency}, and this is the folder of {settings.agency}",
            hint="Choose the other folder with --home.",
        )
    certified = public_key_of(answer.certificate)
    next_key = waiting.waiting(place).get(waiting.TLS)
    if next_key is not None and enrolling.tls_public(enrolling.tls_key(next_key)) == certified:
        return True
    if enrolling.tls_public(enrolling.tls_key(place.key("tls"))) != certified:
        raise ConfigurationError(
            "The certificate of the answer is for another key than keys/tls.pem",
            hint="Send the operator the request that belongs to this key.",
        )
    return False


def _activate_with_answer(place: Home) -> list[str]:
    """Put the other new keys to work: their statements stand in the log, since one was answered."""
    known = history.kept(place)
    root = history.root_of(known)
    others = [] if root is None else waiting.activate_stated(place, history.ring_of(known, root))
    return [waiting.TLS, *others]


def _officers(
    place: Home, settings: AgencySettings, words: Sequence[str], *, now: int, until: int
) -> Iterator[key_statement_pb2.EnrolledKey]:
    given = enrolling.officer_rights(words, settings)
    files = enrolling.officers_of(place)
    for pseudonym in given:
        if pseudonym not in files:
            raise ConfigurationError(
                f"There is no key of the officer {pseudonym}",
                hint=f"Make it: rogatory keygen {settings.agency} --officer {pseudonym}",
            )
    rights = enrolling.officer_rights(files, settings) | given
    for pseudonym, path in files.items():
        yield enrolling.enrol(
            file_signer(path).public_key,
            now=now,
            until=until,
            officer=pseudonym,
            rights=enrolling.read_rights(rights[pseudonym]),
        )
