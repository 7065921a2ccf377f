"""`rogatory send`: what is refused before anything leaves or is kept, and what is kept."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from rogatory.cli.exits import ExitCode
from rogatory.envelopes import open_envelope
from tests.unit.rogatory.cli.conftest import INDICATOR, Enrolled, Run, send_to_de
from tests.unit.rogatory.client.loopback import Fault, Loopback

Records = Callable[..., Path]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--tlp", "ambr"], "did you mean amber?"),
        (["--to", "de.police"], "is not AGENCY:AGREEMENT:ARTICLE"),
        (["--case-reference", "1"], "needs the officer"),
        (["--retention-days", "-5"], "greater than or equal to 1"),
        (["--retention-days", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_words_are_explained(
    run: Run, enrolled: Enrolled, records: Records, arguments: list[str], text: str
) -> None:
    """A word that is not known is met with the one that was meant."""
    home = enrolled("fr.police")

    result = run(*send_to_de(home, records(indicators=[INDICATOR])), *arguments)

    assert ExitCode.USAGE == result.code
    assert text in result.err


def test_retention_is_stated_in_days(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """The header says until when; without the option it leaves that to the agreement."""
    home = enrolled("fr.police")

    run(*send_to_de(home, records(indicators=[INDICATOR])), "--retention-days", 30)
    run(*send_to_de(home, records(indicators=[INDICATOR])))

    stated, unstated = (open_envelope(data).header for data in gateway.received)
    end = stated.handling.retention_end_time.ToDatetime()
    assert 30 == round((end - stated.create_time.ToDatetime()).total_seconds() / 86_400)
    assert not unstated.handling.HasField("retention_end_time")


def test_message_that_no_gateway_takes_is_not_kept(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """Records of a message that can never be sent do not stay behind in the outbox."""
    home = enrolled("fr.police")

    result = run(
        "send",
        records(indicators=[INDICATOR]),
        *("--to", "fr.police:x:Art. 2"),
        *("--home", home.path),
    )

    assert ExitCode.USAGE == result.code
    assert "recipient fr.police is the sender or stands twice" in result.err
    assert not (home.path / "outbox").exists()
    assert [] == gateway.received


def test_message_that_the_gateway_finds_malformed_is_not_kept(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """Where nothing was decided, and the same bytes would fare no better, nothing is kept."""
    home = enrolled("fr.police")
    gateway.faults["Submit"] = deque(
        [Fault(grpc.StatusCode.INVALID_ARGUMENT, "too old", "EXPIRED", "Make it anew.")]
    )

    result = run(*send_to_de(home, records(indicators=[INDICATOR])))

    assert ExitCode.USAGE == result.code
    assert [] == list((home.path / "outbox").iterdir())


@pytest.mark.parametrize("name", ["outbox", "receipts"])
def test_file_in_place_of_a_folder_is_named(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback, name: str
) -> None:
    """Where there is no room for message or receipt, nothing is sent, and the error says which."""
    home = enrolled("fr.police")
    (home.path / name).touch()

    result = run(*send_to_de(home, records(indicators=[INDICATOR])))

    assert ExitCode.USAGE == result.code
    assert f"error: The folder {home.path / name} cannot be made: File exists." in result.err
    assert [] == gateway.received


@pytest.mark.parametrize("content", [None, b"agreement_id: \xff"])
def test_agreement_that_cannot_be_read_is_named(
    run: Run, enrolled: Enrolled, records: Records, tmp_path: Path, content: bytes | None
) -> None:
    """Evaluating a folder, or what is no text, ends in an error that says which."""
    home = enrolled("fr.police")
    path = tmp_path / "agreement.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    result = run(
        *("agreement", "evaluate", path, records(indicators=[INDICATOR])),
        *("--to", "de.police:x:Art. 2", "--home", home.path),
    )

    assert ExitCode.USAGE == result.code
    assert result.err.startswith(f"error: {path} ")


@pytest.mark.parametrize(
    ("to", "told"),
    [
        (
            "de.polic:x:Art. 2",
            [
                "Refused for de.polic: the recipient is not enrolled, or no longer.",
                "  See who takes part: rogatory directory list.",
                "Enrolled under a like name: de.police, th.police, fr.police.",
            ],
        ),
        (
            "de.police:y:Art. 2",
            [
                "Refused for de.police: no agreement of that id between the two is in force.",
                "  See which agreements are in force: rogatory agreement list.",
                "Agreements in force with de.police: x.",
            ],
        ),
        (
            "th.police:x:Art. 2",
            ["Agreements in force with th.police: none but the base agreement."],
        ),
    ],
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_refusal_says_what_there_is(
    *,
    run: Run,
    enrolled: Enrolled,
    records: Records,
    to: str,
    told: list[str],
    more: list[str],
) -> None:
    """Who is enrolled and which agreements are in force is looked up where that was lacking."""
    home = enrolled("fr.police")

    result = run("send", records(indicators=[INDICATOR]), "--to", to, "--home", home.path, *more)

    assert ExitCode.REFUSED == result.code
    assert set() == set(told) - set(result.out.splitlines())


def test_gateway_that_is_gone_takes_no_outcome_away(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """What was decided is told even where what would help cannot be fetched any more."""
    home = enrolled("fr.police")
    gateway.faults["ListAgreements"] = deque(
        [Fault(grpc.StatusCode.INTERNAL, "broken", "INTERNAL", "Tell the operator.")]
    )

    result = run(
        "send", records(indicators=[INDICATOR]), "--to", "de.police:y:Art. 2", "--home", home.path
    )

    assert ExitCode.REFUSED == result.code
    assert "Refused for de.police" in result.out
    assert "Agreements in force" not in result.out


def test_evaluation_asks_for_the_offence(
    run: Run, enrolled: Enrolled, records: Records, tmp_path: Path
) -> None:
    """A draft that permits by offence says that none is stated, and where to read it."""
    home = enrolled("fr.police")
    agreement = tmp_path / "draft.yaml"
    agreement.write_text(
        """\
agreement_id: draft
version: 1
title: A draft
parties: [{agency: fr.police}, {agency: de.police}]
valid_from_time: 2026-01-01
unpermitted_parts: refuse_message
clauses:
  - {clause_id: cyber, article: Art. 1, effect: permit, scope: {offences: [0903]}}
"""
    )
    line = (
        *("agreement", "evaluate", agreement, records(indicators=[INDICATOR])),
        *("--to", "de.police:draft:Art. 1", "--home", home.path),
    )

    result = run(*line)
    as_json = run(*line, "--json")

    step = "The message states no offence, and Art. 1 permits for certain offences only"
    assert ExitCode.REFUSED == result.code
    assert step in result.out
    assert json.loads(as_json.out)["outcomes"][0]["next_step"].startswith(step)


def test_agreements_are_listed(run: Run, enrolled: Enrolled) -> None:
    """Every agreement of the agency, with its state and parties."""
    home = enrolled("fr.police")

    text = run("agreement", "list", "--home", home.path)
    data = json.loads(run("agreement", "list", "--home", home.path, "--json").out)

    assert [
        "AGREEMENT  STATE     FROM        PARTIES               TITLE",
        "x@1        in force  2026-01-01  fr.police, de.police  Agreement of the tests",
    ] == text.out.splitlines()
    assert [("x", 1, "in force", ["fr.police", "de.police"])] == [
        (item["agreement_id"], item["version"], item["state"], item["parties"]) for item in data
    ]
