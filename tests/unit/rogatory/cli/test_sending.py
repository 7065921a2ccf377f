"""`rogatory send`: what is refused before anything leaves or is kept, and what is kept."""

from __future__ import annotations

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
