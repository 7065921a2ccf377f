"""What enrolment requests and further key statements share: an agency's words, and its keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rogatory import locales, statements
from rogatory.cli.options import choice
from rogatory.cli.passphrases import passphrase_for
from rogatory.errors import ConfigurationError, KeyFileError
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.home import AgencySettings, Home
from rogatory.keyfiles import read_private_file, to_pem, write_private_file
from rogatory.keys import PublicKey
from rogatory.procedures.calendars import MAX_HOLIDAYS

DEFAULT_VALIDITY_DAYS = 730
OFFICER_PREFIX = "officer-"

Rights = Sequence[codes_pb2.OfficerRight.ValueType]

ContactOption = Annotated[
    str | None, typer.Option(help="Where the duty officer is reached at all hours.")
]
LanguageOption = Annotated[
    list[str] | None,
    typer.Option(
        "--language", metavar="TAG", help="BCP 47 tag of a language you work in. Repeatable."
    ),
]
ZoneOption = Annotated[str | None, typer.Option(help="IANA name, as Europe/Paris.")]
HolidayOption = Annotated[
    list[str] | None,
    typer.Option(
        "--holiday",
        metavar="DATE",
        help="A day that is no working day of yours, weekends apart, as 2026-12-25: terms in"
        " working days leave it out. Repeatable; those given replace all that were stated.",
    ),
]
ValidityOption = Annotated[
    int, typer.Option(min=1, max=3650, help="How long the keys are valid that it states.")
]


def names_of(words: Iterable[str]) -> dict[str, str]:
    """Return names by language from ``LANGUAGE=NAME``.

    Raises:
        typer.BadParameter: A word is of another form.
        ConfigurationError: A language is none.
    """
    names = {}
    for word in words:
        language, _, name = word.partition("=")
        if not (language and name):
            raise typer.BadParameter(
                f"{word!r} is not LANGUAGE=NAME, as fr='Police'", param_hint="--name"
            )
        locales.check_language(language)
        names[language] = name
    return names


def present(
    agency: key_statement_pb2.Agency,
    *,
    names: Mapping[str, str],
    duty_contact: str | None,
    languages: Sequence[str] | None,
    time_zone: str | None,
    holidays: Sequence[str] | None,
) -> None:
    """Put what is given into how an agency presents itself; the rest stays.

    Raises:
        ConfigurationError: A language, the time zone or a holiday is none.
    """
    if names:
        del agency.names[:]
        agency.names.extend(
            key_statement_pb2.AgencyName(language=tag, name=text) for tag, text in names.items()
        )
    if duty_contact is not None:
        agency.duty_contact = duty_contact
    if languages:
        for tag in languages:
            locales.check_language(tag)
        del agency.languages[:]
        agency.languages.extend(languages)
    if time_zone is not None:
        locales.check_time_zone(time_zone)
        agency.time_zone = time_zone
    if holidays:
        for day in holidays:
            locales.check_day(day)
        if len(set(holidays)) > MAX_HOLIDAYS:
            raise ConfigurationError(
                f"{len(set(holidays))} holidays are more than a key statement holds",
                hint=f"Give the next ones, up to {MAX_HOLIDAYS}; state further ones in time.",
            )
        del agency.holidays[:]
        agency.holidays.extend(sorted(set(holidays)))


def officer_rights(words: Iterable[str], settings: AgencySettings | None = None) -> dict[str, str]:
    """Return officers' rights by pseudonym from ``PSEUDONYM[:RIGHTS]``.

    Without rights those that `keygen` noted in the settings, else the right to sign.

    Raises:
        typer.BadParameter: A right is not known.
    """
    noted = settings.officers if settings is not None else {}
    found = {}
    for word in words:
        pseudonym, _, rights = word.partition(":")
        found[pseudonym] = rights or noted.get(pseudonym, "sign")
        read_rights(found[pseudonym])
    return found


def read_rights(text: str) -> Rights:
    """Return the rights in a text as ``sign,approve``.

    Raises:
        typer.BadParameter: A right is not known.
    """
    return [
        codes_pb2.OfficerRight.ValueType(choice(codes_pb2.OfficerRight, word.strip(), "--officer"))
        for word in text.split(",")
    ]


def officers_of(place: Home) -> dict[str, Path]:
    """Return the key files of officers by pseudonym."""
    return {
        path.stem.removeprefix(OFFICER_PREFIX): path
        for path in sorted(place.key("x").parent.glob(f"{OFFICER_PREFIX}*.pem"))
    }


def enrol(
    public: PublicKey, *, now: int, until: int, officer: str = "", rights: Rights = ()
) -> key_statement_pb2.EnrolledKey:
    """Return the entry for a signing key, or for an officer's."""
    return statements.enrol(
        algorithm=public.algorithm,
        public_key=public.raw,
        role=codes_pb2.KEY_ROLE_OFFICER if officer else codes_pb2.KEY_ROLE_SIGNING,
        valid_from=now,
        valid_until=until,
        officer=officer,
        rights=rights,
    )


def enrol_tls(
    key: ec.EllipticCurvePrivateKey, *, now: int, until: int
) -> key_statement_pb2.EnrolledKey:
    """Return the entry for a TLS key."""
    return statements.enrol(
        algorithm=statements.TLS_ALGORITHM,
        public_key=tls_public(key),
        role=codes_pb2.KEY_ROLE_TLS,
        valid_from=now,
        valid_until=until,
    )


def make_tls_key(path: Path, *, passphrase: bytes | None) -> None:
    """Make a TLS key in a new file.

    Raises:
        KeyFileError: It cannot be written.
    """
    # Ed25519 certificates are not accepted by gRPC's TLS library; P-256 is everywhere.
    der = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private_file(path, to_pem(der, passphrase=passphrase))


def tls_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a TLS key.

    Raises:
        KeyFileError: The file is missing, damaged, or does not open.
        ConfigurationError: The key is of another kind, or nobody is there to type a passphrase.
    """
    passphrase = passphrase_for(path)
    try:
        key = serialization.load_pem_private_key(read_private_file(path), passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if passphrase is not None:
            raise KeyFileError(
                f"The key file {path} does not open with this passphrase",
                hint="Give the passphrase it was made with; if it is right, restore the file.",
            ) from error
        raise KeyFileError(
            f"The file {path} is not a PEM private key (PKCS #8), or is damaged",
            hint="Restore it from your copy; before the operator has a request with it, you may"
            " move it away and make another: rogatory keygen AGENCY.",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(
            f"The key in {path} is not an elliptic curve key", hint="Make it with rogatory keygen."
        )
    return key


def tls_public(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half, DER SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
