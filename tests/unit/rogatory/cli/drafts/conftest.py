"""An agency's folder with officers, and drafts in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rogatory import clock, statements
from rogatory.cli import history
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.home import Home
from rogatory.keyfiles import write_key_file
from tests.unit.rogatory.cli.conftest import INDICATOR, Enrolled, Result, Run
from tests.unit.rogatory.client.world import World, private_key, signer

Records = Callable[..., Path]

RIGHTS = {
    "a.meyer": [codes_pb2.OFFICER_RIGHT_SIGN],
    "b.lang": [codes_pb2.OFFICER_RIGHT_APPROVE],
    "c.kraus": [codes_pb2.OFFICER_RIGHT_DRAFT],
}
NOW_REVOKED = key_statement_pb2.REVOCATION_REASON_AFFILIATION_CHANGED


def officer(name: str) -> str:
    """Return the label of an officer's key."""
    return f"fr.police officer {name}"


def state(home: Home, world: World, *, revoked: str = "") -> None:
    """Enrol the officers, or revoke one: the gateway enters it, and the folder keeps it."""
    root = signer("fr.police root")
    first = world.directory["fr.police"]
    sequence, digest = world.ring.next_statement("fr.police")
    now = world.time
    ended = (
        key_statement_pb2.Revocation(
            key=signer(officer(revoked)).public_key.fingerprint,
            revoke_time=clock.to_timestamp(now),
            reason=NOW_REVOKED,
        ),
    )
    keys = [
        statements.enrol(
            algorithm="Ed25519",
            public_key=signer(officer(name)).public_key.raw,
            role=codes_pb2.KEY_ROLE_OFFICER,
            officer=name,
            rights=rights,
            valid_from=now,
            valid_until=now + 365 * clock.NANOSECONDS_PER_DAY,
        )
        for name, rights in RIGHTS.items()
    ]
    signed = statements.sign(
        statements.build(
            agency=first.agency,
            root=root.public_key,
            create_time=now,
            keys=() if revoked else keys,
            revocations=ended if revoked else (),
            sequence=sequence,
            previous_digest=digest,
        ),
        root,
    )
    world.ring.add(signed, entry_time=now)
    first.statements.append(signed)
    first.entry_times.append(clock.to_timestamp(now))
    for item in first.statements:
        history.keep(home, item)


@pytest.fixture
def home(enrolled: Enrolled, world: World) -> Home:
    """The folder of an agency with officers."""
    made = enrolled("fr.police")
    for name in RIGHTS:
        write_key_file(made.key(f"officer-{name}"), private_key(officer(name)))
    state(made, world)
    return made


@pytest.fixture
def drafted(run: Run, home: Home, records: Records) -> Callable[..., Result]:
    """Draft a message."""

    def draft(*more: object, **members: object) -> Result:
        file = records(**(members or {"indicators": [INDICATOR]}))
        return run(
            *("draft", file, "--to", "de.police:x:Art. 2", "--home", home.path),
            *("--author", "a.meyer", "--approver", "b.lang", "--json", *more),
        )

    return draft


Drafted = Callable[..., Result]


@pytest.fixture
def in_folder(run: Run, home: Home) -> Callable[..., Result]:
    """Run a command in the folder, with JSON."""

    def command(*words: object) -> Result:
        return run(*words, "--home", home.path, "--json")

    return command


def data(result: Result) -> Any:  # noqa: ANN401 - JSON
    """Return what a command printed for programs."""
    return json.loads(result.out)


def reason(result: Result) -> str:
    """Return the word for why a command failed."""
    return str(data(result)["error"]["reason"])
