"""`rogatory agreement simulate` on files: what it reads, what it says, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rogatory import clock
from rogatory.cli.agreement.pastlogs import Listed
from rogatory.cli.exits import ExitCode
from rogatory.cli.output import plain
from rogatory.cli.trust import write_policy
from rogatory.receipts import Receipt
from tests.unit.rogatory.cli.conftest import Result, Run
from tests.unit.rogatory.client.world import (
    AGREEMENT_TEXT,
    World,
    indicators,
    message_id,
    persons,
)

Simulate = Callable[..., Result]

PERSONS_ONLY = AGREEMENT_TEXT.replace("clause_id: indicators", "clause_id: persons").replace(
    "[indicator]", "[person]"
)


@pytest.fixture
def past(tmp_path: Path) -> World:
    """Three messages with their receipts and deliveries in a folder, and a policy."""
    world = World()
    contents = [(indicators("a.example"),), (persons(),), (indicators("b.example"), persons())]
    folder = tmp_path / "past"
    folder.mkdir()
    for number, parts in enumerate(contents, start=1):
        data = world.envelope(number=number, contents=parts)
        receipt = Receipt.from_submission(*world.submit(data))
        (folder / f"{message_id(number)}.tlog-proof").write_bytes(receipt.to_bytes())
    for delivery in world.inboxes["de.police"]:
        path = folder / f"{delivery.inbox_position}.delivery"
        path.write_bytes(delivery.SerializeToString(deterministic=True))
    write_policy(world.policy(), [world.signed_agreement], tmp_path)
    return world


@pytest.fixture
def simulate(run: Run, tmp_path: Path) -> Simulate:
    """Run the command on a text form of a draft, verifying with the policy."""

    def run_command(text: str, *more: object) -> Result:
        draft = tmp_path / "draft.yaml"
        draft.write_text(text)
        policy = ("--policy", tmp_path / "policy.toml")
        return run("agreement", "simulate", draft, *policy, *more)

    return run_command


def export(path: Path, world: World, order: Sequence[int]) -> Path:
    """Write entries of a world's log as an export, in an order."""
    lines = [
        json.dumps(
            plain(
                Listed(
                    index=index,
                    entry=world.entries[index].data,
                    outcomes=world.entries[index].outcomes,
                )
            )
        )
        for index in order
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_says_what_would_change(past: World, simulate: Simulate, tmp_path: Path) -> None:
    """A summary, a table by clause and one by partner, then each outcome with its reason."""
    result = simulate(PERSONS_ONLY, "--log", tmp_path / "past")

    first, second, third = (
        clock.to_text(past.time - ago * clock.NANOSECONDS_PER_SECOND) for ago in (2, 1, 0)
    )
    assert (
        f"""\
x version 1: Agreement of the tests
read: 5 exchanges; verified: signatures of 5, 5 outcomes, 5 decisions, 3 receipts
decided again: 3 outcomes of 3 exchanges
  1 would be refused
  1 would be permitted that were refused
  1 would go with other parts
  0 would not change

DECIDED BY           WOULD BE DECIDED BY  WOULD BE REFUSED  WOULD BE PERMITTED  OTHER PARTS
Art. 2 (indicators)  no clause of Art. 2  1                 0                   1
no clause of Art. 2  Art. 2 (persons)     0                 1                   0

FROM       TO         OUTCOMES  WOULD BE REFUSED  WOULD BE PERMITTED  OTHER PARTS
fr.police  de.police  3         1                 1                   1

fr.police/{message_id(1)} to de.police, entry 4, {first}
  permitted by Art. 2 (indicators) -> refused by no clause of Art. 2
  was:   Permitted under Art. 2.
  draft: Refused under Art. 2: no clause of the cited article permits it.
  See what it permits: rogatory agreement show {tmp_path / "draft.yaml"} has its text.

fr.police/{message_id(2)} to de.police, entry 5, {second}
  refused by no clause of Art. 2 -> permitted by Art. 2 (persons)
  was:   Refused under Art. 2: no clause of the cited article permits it.
  draft: Permitted under Art. 2.

fr.police/{message_id(3)} to de.police, entry 6, {third}
  part 0, which went by Art. 2 (indicators), would be withheld; part 1, which was\
 withheld, would go by Art. 2 (persons)
  was:   Part 1 withheld under Art. 2: no clause of the cited article permits it. Without part 1:\
 permitted by Art. 2.
  draft: Part 0 withheld under Art. 2: no clause of the cited article permits it. Without part 0:\
 permitted by Art. 2.
"""
        == result.out
    )
    assert (ExitCode.OK, "") == (result.code, result.err)


@pytest.mark.parametrize(
    ("text", "code"), [(AGREEMENT_TEXT, ExitCode.OK), (PERSONS_ONLY, ExitCode.CHANGED)]
)
def test_a_script_can_ask_whether_anything_changes(
    past: World, simulate: Simulate, tmp_path: Path, text: str, code: ExitCode
) -> None:
    """With --fail-on-change the exit code says it; the agreement in force changes nothing."""
    result = simulate(text, "--log", tmp_path / "past", "--fail-on-change", "--json")

    assert code == result.code
    report = json.loads(result.out)
    assert (code == ExitCode.CHANGED) == bool(report["outcomes"])
    assert 3 == report["total"]["outcomes"]


def test_parts_lost_and_gained_are_named(past: World, simulate: Simulate, tmp_path: Path) -> None:
    """For programs each outcome has its kind of change, clauses, parts, and what to do."""
    result = simulate(PERSONS_ONLY, "--log", tmp_path / "past", "--json")

    outcomes = json.loads(result.out)["outcomes"]
    assert [("refused", [0], []), ("permitted", [], [0]), ("parts", [0], [1])] == [
        (item["change"], item["parts_lost"], item["parts_gained"]) for item in outcomes
    ]
    assert ["indicators", "", "indicators"] == [item["from"]["clause_id"] for item in outcomes]
    assert [True, False, False] == [bool(item["to"]["next_step"]) for item in outcomes]


def test_duties_are_listed_on_demand(past: World, simulate: Simulate, tmp_path: Path) -> None:
    """An outcome that only brings other duties is listed with --obligations alone."""
    text = AGREEMENT_TEXT + "    obligations: {retention_days: 30}\n"

    without = simulate(text, "--log", tmp_path / "past")
    listed = simulate(text, "--log", tmp_path / "past", "--obligations")

    assert "  2 would go with other duties or deadlines" in without.out
    assert 0 == without.out.count("retention_days")
    assert 2 == listed.out.count("  retention_days: none -> 30")


def test_an_export_holds_the_whole_log(past: World, simulate: Simulate, tmp_path: Path) -> None:
    """Lines of a log that states its own keys need no policy; the same entries count once."""
    lines = export(tmp_path / "log.jsonl", past, range(len(past.entries)))

    result = simulate(PERSONS_ONLY, "--log", lines, "--log", tmp_path / "past", "--json")

    report = json.loads(result.out)
    assert (3, 3) == (report["exchanges"], report["total"]["changed"])
    assert len(past.entries) + 5 == report["read"]["entries"]


def test_what_does_not_verify_is_left_out_and_told(
    past: World, simulate: Simulate, tmp_path: Path
) -> None:
    """The rest is decided; the exit code says that something failed."""
    folder = tmp_path / "past"
    for path in folder.glob("*.delivery"):
        path.unlink()
    spoilt = folder / f"{message_id(1)}.tlog-proof"
    spoilt.write_bytes((folder / f"{message_id(2)}.tlog-proof").read_bytes()[:-20])
    lines = export(tmp_path / "log.jsonl", past, [5, 4])
    lines.write_text(lines.read_text() + "{}}\n")

    result = simulate(AGREEMENT_TEXT, "--log", folder, "--log", lines, "--json")

    report = json.loads(result.out)
    assert ExitCode.NOT_VERIFIED == result.code
    assert 2 == report["exchanges"]
    wheres = [fault["where"] for fault in report["faults"]]
    assert sorted([f"{lines}, line 2", f"{lines}, line 3", str(spoilt)]) == sorted(wheres)
    assert 3 == result.err.count("left out: ")


def test_without_keys_it_says_what_is_not_verified(past: World, run: Run, tmp_path: Path) -> None:
    """A receipt alone can be simulated; who relies on it is told that nobody checked the sender."""
    draft = tmp_path / "draft.yaml"
    draft.write_text(AGREEMENT_TEXT)
    receipt = tmp_path / "past" / f"{message_id(1)}.tlog-proof"

    result = run("agreement", "simulate", draft, "--log", receipt)

    assert ExitCode.OK == result.code
    assert "signatures of 1 exchanges were not verified" in result.err
    assert "verified: signatures of 0, 1 outcomes, 0 decisions, 0 receipts" in result.out


def test_another_agreement_stands_for_the_draft(
    past: World, simulate: Simulate, tmp_path: Path
) -> None:
    """--as decides what was sent under an agreement by the draft; without it, it is left out."""
    text = PERSONS_ONLY.replace("agreement_id: x", "agreement_id: y")

    left_out = simulate(text, "--log", tmp_path / "past")
    mapped = simulate(text, "--log", tmp_path / "past", "--as", "x")

    assert "  3 under another agreement (see --as)" in left_out.out
    assert "decided again: 3 outcomes of 3 exchanges" in mapped.out


@pytest.mark.parametrize(
    ("source", "says"),
    [("nowhere", "does not exist"), ("empty", "holds no log entries"), ("draft.yaml", "holds no")],
)
def test_a_source_that_is_none_is_refused(
    simulate: Simulate, past: World, tmp_path: Path, source: str, says: str
) -> None:
    """The error says what a source is."""
    (tmp_path / "empty").mkdir()

    result = simulate(AGREEMENT_TEXT, "--log", tmp_path / source)

    assert ExitCode.USAGE == result.code
    assert says in result.err
    assert "or the word gateway" in result.err


def test_only_the_gateway_can_be_saved(simulate: Simulate, past: World, tmp_path: Path) -> None:
    """Files are there already."""
    export_file = tmp_path / "x.jsonl"

    result = simulate(AGREEMENT_TEXT, "--log", tmp_path / "past", "--save", export_file)

    assert (ExitCode.USAGE, False) == (result.code, export_file.exists())
