"""`rogatory draft`, `review` and `approve`: the queue in an agency's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from rogatory.cli.drafts import queue
from rogatory.cli.exits import ExitCode
from rogatory.drafting import from_armour
from rogatory.errors import ConfigurationError
from rogatory.home import Home
from rogatory.records.v1 import context_pb2
from tests.unit.rogatory.cli.conftest import INDICATOR, Enrolled, Run
from tests.unit.rogatory.cli.drafts.conftest import (
    RIGHTS,
    Drafted,
    Records,
    data,
    reason,
    state,
)
from tests.unit.rogatory.client.loopback import Loopback
from tests.unit.rogatory.client.world import World


def test_draft_is_made_without_the_gateway(home: Home, drafted: Drafted, gateway: Loopback) -> None:
    """It lies in the queue, for the owner alone, under the id that the message will have."""
    result = drafted()

    made = data(result)
    file = home.drafts / f"{made['message_id']}.draft"
    assert 0 == result.code, result.err
    assert ["the agency's signing key", "a.meyer", "b.lang"] == made["waiting_for"]
    assert str(file) == made["file"]
    assert (0o600, 0o700) == (file.stat().st_mode & 0o777, home.drafts.stat().st_mode & 0o777)
    assert 0 == gateway.calls.total()


@pytest.mark.parametrize(
    ("more", "answers"), [(["--drafter", "c.kraus"], "c.kraus"), ([], "a.meyer")]
)
def test_officers_pseudonyms_are_not_in_the_header(
    drafted: Drafted, more: list[str], answers: str
) -> None:
    """Drafter or author stand in the CONTEXT part; the header has fingerprints."""
    made = data(drafted(*more, "--case-reference", "2026/17"))

    draft = from_armour(Path(made["file"]).read_text())
    context = draft.contents[1]
    assert isinstance(context, context_pb2.Context)
    assert answers == context.officer.name
    assert not any(name.encode() in draft.opened.header_bytes for name in RIGHTS)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--lifetime", "3y"], "is no time like 90m, 12h or 7d"),
        (["--lifetime", "91d"], "of at most 90d"),
        (["--lifetime", "0h"], "is no time"),
        (["--author", "b.lang"], "named twice"),
        (["--author", "c.kraus"], "has not the right to sign"),
        (["--approver", "a.meyer"], "named twice"),
        (["--drafter", "b.lang"], "has not the right to draft or sign"),
        (["--author", "", "--sign"], "name the --author who signs"),
        (["--about", "th.police/01a20232-142b-76cd-8a39-1a0990e0954a"], "There is no message"),
    ],
)
def test_draft_that_cannot_be_is_not_made(
    home: Home, drafted: Drafted, more: list[str], text: str
) -> None:
    """Nothing comes into the queue, and the error says why."""
    result = drafted(*more)

    assert ExitCode.USAGE == result.code
    assert text in result.err
    assert not home.drafts.exists()


def test_somebody_has_to_sign(run: Run, home: Home, records: Records) -> None:
    """Without officers and without the agency's key there would be no signature."""
    result = run(
        *("draft", records(indicators=[INDICATOR]), "--to", "de.police:x:Art. 2"),
        *("--without-agency-key", "--home", home.path),
    )

    assert ExitCode.USAGE == result.code
    assert "somebody has to sign it" in result.err


def test_lifetime_is_the_headers(drafted: Drafted) -> None:
    """Drafts wait for people: seven days by default."""
    short, usual = (
        from_armour(Path(data(drafted(*more))["file"]).read_text()).header
        for more in (("--lifetime", "90m"), ())
    )

    assert [90 * 60, 7 * 86_400] == [
        header.expire_time.seconds - header.create_time.seconds for header in (short, usual)
    ]


def test_review_shows_all_there_is(
    home: Home, drafted: Drafted, in_folder: Drafted, run: Run
) -> None:
    """Header in words, records, decision, signatures, and the digest of what is signed."""
    message_id = data(drafted("--sign", "--offence", "0701"))["message_id"]
    run("receipt", "policy", "--home", home.path)

    text = run("review", message_id, "--home", home.path)
    shown = data(in_folder("review", message_id))

    for line in (
        "kind: transfer",
        "to: de.police under x Art. 2",
        "offences: 0701",
        "part 0: indicator, 1 record",
        'value": "c2.example',
        "Permitted for de.police under Art. 2.",
        "signed: a.meyer (may sign)",
        "missing: b.lang (may approve)",
        "four eyes: yes, once all have signed",
        f"header: sha256:{shown['header_digest']}",
    ):
        assert line in text.out
    assert ["c2.example"] == [item["value"] for item in shown["parts"][0]["content"]["indicators"]]
    assert shown["four_eyes"]
    assert ["the agency's signing key", "b.lang"] == shown["waiting_for"]


def test_review_takes_an_agreement_from_a_file(
    drafted: Drafted, in_folder: Drafted, records: Records, tmp_path: Path
) -> None:
    """A draft of one too; four eyes count as if all had signed, for nothing less is sent."""
    agreement = tmp_path / "x.yaml"
    agreement.write_text(
        """\
agreement_id: x
version: 2
title: Four eyes
parties: [{agency: fr.police}, {agency: de.police}]
valid_from_time: 2026-01-01
unpermitted_parts: refuse_message
clauses:
  - {clause_id: all, article: Art. 2, effect: permit, conditions: {four_eyes: true}}
"""
    )
    both = data(drafted())["message_id"]
    alone = data(
        in_folder(
            *("draft", records(indicators=[INDICATOR]), "--to", "de.police:x:Art. 2"),
            *("--author", "a.meyer"),
        )
    )["message_id"]

    outcomes = [
        data(in_folder("review", item, "--agreement", agreement))["outcomes"][0]["summary"]
        for item in (both, alone)
    ]

    assert ["Permitted for de.police under Art. 2."] == outcomes[:1]
    assert "With a second approval" in outcomes[1]


def test_review_says_what_the_folder_does_not_know(drafted: Drafted, in_folder: Drafted) -> None:
    """No agreement, no word on what it would decide; a file of it will do."""
    message_id = data(drafted())["message_id"]

    shown = in_folder("review", message_id)

    assert ["x"] == data(shown)["agreements_unknown"]
    assert [] == data(shown)["outcomes"]
    assert "agreement x is not in the folder" in shown.err


def test_rejection_stops_the_draft_and_tells_the_author(
    drafted: Drafted, in_folder: Drafted
) -> None:
    """Until it is taken back, nobody signs it or sends it."""
    message_id = data(drafted())["message_id"]
    words = ("--reject", "--reason", "Wrong person", "--officer", "b.lang")

    rejected = in_folder("review", message_id, *words)
    (row,) = data(in_folder("draft", "list"))
    stopped = [
        in_folder("approve", message_id, "--officer", "a.meyer"),
        in_folder("send", message_id),
    ]
    in_folder("review", message_id, "--reopen")
    approved = in_folder("approve", message_id, "--officer", "a.meyer")

    assert ("Wrong person", "b.lang") == (
        data(rejected)["rejection"]["reason"],
        data(rejected)["rejection"]["officer"],
    )
    assert "rejected by b.lang: Wrong person" == row["state"]
    assert ["DRAFT_REJECTED"] * 2 == [reason(item) for item in stopped]
    assert 0 == approved.code


def test_rejection_needs_a_reason(drafted: Drafted, in_folder: Drafted) -> None:
    """The author has to know what to mend."""
    result = in_folder("review", data(drafted())["message_id"], "--reject")

    assert ExitCode.USAGE == result.code
    assert "say why with --reason" in result.err


def test_note_that_is_none_is_named(drafted: Drafted, in_folder: Drafted) -> None:
    """A damaged note is not passed over: it may have been a no."""
    made = data(drafted())
    queue.note_file(Path(made["file"])).write_text("[]")

    result = in_folder("approve", made["message_id"], "--officer", "a.meyer")
    (row,) = data(in_folder("draft", "list"))

    assert ExitCode.USAGE == result.code
    assert "holds no reviewer's note" in result.err
    assert row["state"].startswith("damaged: ")


def test_only_what_was_reviewed_is_approved(drafted: Drafted, in_folder: Drafted) -> None:
    """With the digest from the review, another draft is not signed by mistake."""
    made = data(drafted())
    words = ("approve", made["message_id"], "--officer", "a.meyer", "--digest")

    other = in_folder(*words, "0" * 64)
    same = in_folder(*words, f"sha256:{made['header_digest']}")

    assert ("DRAFT_DIGEST", 0) == (reason(other), same.code)


def test_officer_may_keep_the_key_elsewhere(
    home: Home, drafted: Drafted, in_folder: Drafted, tmp_path: Path
) -> None:
    """On a stick of the officer's own; another officer's key is refused."""
    stick = tmp_path / "key.pem"
    home.key("officer-b.lang").rename(stick)
    message_id = data(drafted())["message_id"]

    lacking = in_folder("approve", message_id, "--officer", "b.lang")
    wrong = in_folder("approve", message_id, "--officer", "a.meyer", "--officer-key", stick)
    right = in_folder("approve", message_id, "--officer", "b.lang", "--officer-key", stick)

    assert [ExitCode.USAGE, ExitCode.USAGE, 0] == [item.code for item in (lacking, wrong, right)]
    assert "DRAFT_SIGNER" == reason(wrong)


def test_departed_officer_approves_nothing(
    home: Home, world: World, drafted: Drafted, in_folder: Drafted
) -> None:
    """As soon as the folder's statements say so, and the list shows it."""
    message_id = data(drafted())["message_id"]
    state(home, world, revoked="b.lang")

    result = in_folder("approve", message_id, "--officer", "b.lang")
    (row,) = data(in_folder("draft", "list"))

    assert (ExitCode.USAGE, "KEY_REVOKED") == (result.code, reason(result))
    assert "KEY REVOKED: b.lang" == row["state"]


def test_out_that_holds_another_draft_is_kept(
    drafted: Drafted, in_folder: Drafted, tmp_path: Path
) -> None:
    """Whoever mistypes a name overwrites nothing."""
    out = tmp_path / "other.draft"
    data(drafted("--out", out))
    before = out.read_bytes()
    message_id = data(drafted())["message_id"]

    result = in_folder("approve", message_id, "--officer", "a.meyer", "--out", out)

    assert "DRAFTS_DIFFER" == reason(result)
    assert before == out.read_bytes()


def test_foreign_draft_is_not_taken(drafted: Drafted, enrolled: Enrolled, run: Run) -> None:
    """Another agency's draft is nothing to sign here."""
    file = data(drafted())["file"]

    result = run("review", file, "--home", enrolled("de.police").path, "--json")

    assert "DRAFT_FOREIGN" == reason(result)


def test_damaged_draft_is_listed(home: Home, drafted: Drafted, in_folder: Drafted) -> None:
    """The others are listed all the same."""
    made = data(drafted())
    whole = data(drafted())
    file = Path(made["file"])
    file.write_text(file.read_text().replace("Missing", "Signed"))

    rows = {row["message_id"]: row["state"] for row in data(in_folder("draft", "list"))}
    review = in_folder("review", made["message_id"])

    assert "waiting" == rows[whole["message_id"]]
    assert rows[made["message_id"]].startswith("damaged: ")
    assert "DRAFT_ALTERED" == reason(review)


def test_draft_that_lacks_only_the_agency_is_ready(drafted: Drafted, in_folder: Drafted) -> None:
    """The agency's own signature is added as it is sent, so nobody is waited for."""
    message_id = data(drafted("--sign"))["message_id"]
    in_folder("approve", message_id, "--officer", "b.lang")

    (row,) = data(in_folder("draft", "list"))

    assert "ready to send" == row["state"]


def test_list_is_a_table(drafted: Drafted, run: Run, home: Home) -> None:
    """Oldest first; new drafts are hours old."""
    ids = [data(drafted())["message_id"] for _ in range(2)]

    lines = run("draft", "list", "--home", home.path).out.splitlines()

    assert lines[0].split()[:4] == ["DRAFT", "KIND", "TO", "AGE"]
    assert [[message_id, "transfer", "de.police", "0h"] for message_id in sorted(ids)] == [
        line.split()[:4] for line in lines[1:]
    ]


@pytest.mark.parametrize("word", ["01a20232-142b-76cd-8a39-1a0990e0954a", "lost.draft"])
@pytest.mark.parametrize("command", [["review"], ["approve", "--officer", "a.meyer"], ["send"]])
def test_draft_that_is_not_there_is_named(
    in_folder: Drafted, command: list[str], word: str
) -> None:
    """By id or by file."""
    result = in_folder(*command, word)

    assert ExitCode.USAGE == result.code
    assert "cannot be read: No such file or directory" in result.err


def test_discard_takes_drafts_of_the_queue_alone(in_folder: Drafted, tmp_path: Path) -> None:
    """Never a file elsewhere, whatever its name."""
    precious = tmp_path / "precious.draft"
    precious.touch()

    result = in_folder("draft", "discard", tmp_path / "precious")

    assert ExitCode.USAGE == result.code
    assert precious.exists()


def test_folder_without_statements_says_how_to_get_them(run: Run, enrolled: Enrolled) -> None:
    """Keys are judged by them."""
    bare = enrolled("fr.police")

    result = run("draft", "list", "--home", bare.path)

    assert ExitCode.USAGE == result.code
    assert "rogatory agency keys" in result.err


def test_policys_statements_do_where_they_are_newer(
    run: Run, home: Home, drafted: Drafted, in_folder: Drafted, world: World
) -> None:
    """A folder on another machine learns of a revocation by rogatory receipt policy."""
    message_id = data(drafted())["message_id"]
    state(home, world, revoked="b.lang")
    max(home.statements.iterdir()).unlink()
    early = in_folder("approve", message_id, "--officer", "b.lang", "--out", home.path / "x.draft")
    run("receipt", "policy", "--home", home.path)

    late = in_folder("approve", message_id, "--officer", "b.lang")

    assert (0, "KEY_REVOKED") == (early.code, reason(late))


def test_file_that_was_sent_meanwhile_is_not_made_again(home: Home, drafted: Drafted) -> None:
    """A signature that comes too late brings no draft back into the queue."""
    file = Path(data(drafted())["file"])
    draft = from_armour(file.read_text())
    file.unlink()

    with pytest.raises(ConfigurationError, match="cannot be changed"):
        queue.add(file, draft)

    assert [] == list(home.drafts.iterdir())
