"""`rogatory request list` and `show`: what is due first, and what can be done next."""

from __future__ import annotations

import json
import time

import pytest

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2 as d
from rogatory.assistance.v1 import handover_pb2, request_pb2
from rogatory.cli.exits import ExitCode
from rogatory.cli.request import words as requestwords
from rogatory.exchange.v1 import exchange_service_pb2, procedure_service_pb2
from tests.unit.rogatory.cli.conftest import Enrolled, Run
from tests.unit.rogatory.client.loopback import Loopback
from tests.unit.rogatory.client.procedures import ASKED, ASKING, HOUR, due, message_id, status

NOW = 1_793_000_000 * clock.NANOSECONDS_PER_SECOND  # 2026-10-26 07:33:20 UTC
MINUTE, DAY = HOUR // 60, 24 * HOUR
OPEN, SOON, OVERDUE = d.DUE_STATE_OPEN, d.DUE_STATE_DUE_SOON, d.DUE_STATE_OVERDUE
KIND = d.DEADLINE_KIND_DECISION


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (0, "in less than a minute"),
        (119 * MINUTE, "in 119 min"),
        (120 * MINUTE, "in 2 h"),
        (3 * HOUR + 1, "in 3 h"),
        (47 * HOUR, "in 47 h"),
        (48 * HOUR, "in 2 days"),
        (-1, "less than a minute overdue"),
        (-5 * MINUTE, "5 min overdue"),
        (-2 * DAY, "2 days overdue"),
    ],
)
def test_how_far_away(left: int, words: str) -> None:
    """Told in the unit that people count in."""
    assert words == requestwords.phrase(NOW + left, now=NOW)


def test_row_of_either_side() -> None:
    """The deadline that runs and ends first, who must act, and who the other side is."""
    found = status(
        1,
        due(NOW - DAY, d.DUE_STATE_MET),
        due(NOW + 3 * HOUR, SOON, kind=KIND),
        due(NOW + DAY, OPEN),
    )
    name = f"{ASKING}/{message_id(1)}"

    asks = requestwords.row(found, agency=ASKING, now=NOW)
    is_asked = requestwords.row(found, agency=ASKED, now=NOW)

    shared = ["accepted", "decision in 3 h", ASKED, "urgent"]
    assert [name, "stored data", f"to {ASKED}", *shared] == asks
    assert [name, "stored data", f"from {ASKING}", *shared] == is_asked


def test_row_of_what_nothing_is_due_of() -> None:
    """The two columns on it stay empty."""
    found = status(1, due(NOW, d.DUE_STATE_ENDED))

    assert ["", ""] == requestwords.row(found, agency=ASKING, now=NOW)[4:6]


def test_whole_story() -> None:
    """State, deadlines, steps, what remains, hand-overs, terms to come, contact and next steps."""
    found = status(
        7,
        due(NOW - DAY, d.DUE_STATE_MET_LATE, kind=KIND),
        due(NOW - 2 * DAY, OVERDUE),
        entry_time=NOW,
    )
    standing = found.standing
    standing.conditional = True
    standing.expected_time.CopyFrom(clock.to_timestamp(NOW + DAY))
    standing.remaining.add(measure_id="m1")
    standing.remaining.add(measure_id="m2", subjects=bytes(16))
    standing.pending.add(
        kind=d.DEADLINE_KIND_EXECUTION,
        term=d.DeadlineTerm(working_days=3),
        agency=ASKED,
        article="Art. 5",
    )
    handover = standing.handovers.add(
        handover_id="h",
        stage=handover_pb2.HANDOVER_STAGE_AGREED,
        releasing_agency=ASKED,
        receiving_agency=ASKING,
        handover_time=clock.to_timestamp(NOW + DAY),
    )
    handover.persons.add(state=handover_pb2.HANDOVER_PERSON_STATE_LISTED, persons=bytes(range(24)))
    found.steps.add(
        message=status(8).request,
        step=request_pb2.REQUEST_STEP_ACCEPT,
        entry_time=clock.to_timestamp(NOW + HOUR),
        state=request_pb2.REQUEST_STATE_ACCEPTED,
    )

    lines = requestwords.story(found, agency=ASKING, now=NOW)

    assert [
        f"{ASKING}/{message_id(7)}: stored data, urgent",
        f"{ASKING} asks {ASKED}, under x Art. 2",
        "entered 2026-10-26 07:33 UTC",
        "state: accepted, under conditions; an answer is expected 2026-10-27 07:33 UTC",
        "deadlines:",
        "  decision  by de.police  2026-10-25 07:33 UTC  Art. 4  met late 2026-10-25 08:33 UTC",
        "  answer    by de.police  2026-10-24 07:33 UTC  Art. 4  2 days overdue",
        "steps:",
        f"  2026-10-26 08:33 UTC  {ASKING}  accept  -> accepted  {ASKING}/{message_id(8)}",
        "not answered yet:",
        "  m1  as a whole",
        "  m2  for 2 subjects",
        "hand-overs:",
        f"  h  agreed  {ASKED} -> {ASKING}  2026-10-27 07:33 UTC  3 listed",
        "begin later:",
        f"  execution  by {ASKED}  3 working days  Art. 5",
        f"duty contact of {ASKED}: +49 30 1 (Europe/Berlin, de en)",
        "you may: withdraw, arrange",
    ] == lines


def test_short_story() -> None:
    """What there is nothing of is left out; a postponement says until when."""
    found = status(1)
    found.standing.state = request_pb2.REQUEST_STATE_POSTPONED
    found.standing.postponed_until_time.CopyFrom(clock.to_timestamp(NOW))
    found.ClearField("duty_contact")

    lines = requestwords.story(found, agency="se.police", now=NOW)

    assert "state: postponed, until 2026-10-26 07:33 UTC" == lines[3]
    assert ["you may: take no further step"] == lines[4:]


def test_agency_without_duty_contact() -> None:
    """That an agency states none is said."""
    reached = exchange_service_pb2.DutyContact(agency=ASKED)

    assert f"duty contact of {ASKED}: states no duty contact" == requestwords.contact(reached)


def test_list_asks_for_what_is_wanted(run: Run, enrolled: Enrolled, gateway: Loopback) -> None:
    """Options become the filter; the answer is a table, or JSON with what is due next."""
    home = enrolled(ASKING)
    gateway.procedures.statuses = [
        status(1, due(time.time_ns() - 2 * DAY - HOUR, OVERDUE)),
        status(2),
    ]
    options = ("--with", ASKED, "--state", "accepted", "--kind", "stored-data", "--all")

    shown = run("request", "list", "--asking", *options, "--overdue", "--home", home.path)
    as_json = run("request", "list", "--json", "--soon", "--home", home.path)
    run("request", "list", "--asked", "--exercise", "--home", home.path)

    ps = procedure_service_pb2
    assert (0, 0) == (shown.code, as_json.code)
    header, first, second = shown.out.splitlines()
    assert list(requestwords.COLUMNS) == header.split("  ")[:1] + [
        word.strip() for word in header.split("  ")[1:] if word.strip()
    ]
    assert "answer 2 days overdue" in first
    assert message_id(2) in second
    data = json.loads(as_json.out)
    assert "DUE_STATE_OVERDUE" == data[0]["next_due"]["state"]
    assert data[1]["next_due"] is None
    assert "REQUEST_STEP_WITHDRAW" in data[0]["next_steps"]
    assert [
        ps.ListRequestsRequest(
            page_size=100,
            side=ps.REQUEST_SIDE_ASKING,
            counterpart=ASKED,
            state=request_pb2.REQUEST_STATE_ACCEPTED,
            kind=request_pb2.ASSISTANCE_KIND_STORED_DATA,
            ended=True,
            due_state=OVERDUE,
        ),
        ps.ListRequestsRequest(page_size=100, due_state=SOON),
        ps.ListRequestsRequest(page_size=100, side=ps.REQUEST_SIDE_ASKED, exercise=True),
    ] == gateway.procedures.questions


def test_no_requests(run: Run, enrolled: Enrolled) -> None:
    """An empty list says so to people, and is an empty list to programs."""
    home = enrolled(ASKING)

    assert "no requests\n" == run("request", "list", "--home", home.path).out
    assert [] == json.loads(run("request", "list", "--json", "--home", home.path).out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "--asked", "--asking"), "leave both out"),
        (("list", "--state", "accept"), "did you mean accepted?"),
        (("list", "--kind", "arrest"), "is not known"),
        (("show", "0192"), "SENDER/MESSAGE_ID"),
    ],
)
def test_wrong_usage(run: Run, enrolled: Enrolled, arguments: tuple[str, ...], words: str) -> None:
    """What is meant is said, and nothing is asked."""
    result = run("request", *arguments, "--home", enrolled(ASKING).path)

    assert ExitCode.USAGE == result.code
    assert words in result.err


def test_show_towards_each_agency(run: Run, enrolled: Enrolled, gateway: Loopback) -> None:
    """A request to several agencies is one story for each."""
    home = enrolled(ASKING)
    gateway.procedures.statuses = [status(1), status(1, asked="se.police")]
    name = f"{ASKING}/{message_id(1)}"

    shown = run("request", "show", name, "--home", home.path)
    as_json = run("request", "show", name, "--json", "--home", home.path)
    absent = run("request", "show", f"{ASKING}/{message_id(2)}", "--home", home.path)

    first, second = shown.out.split("\n\n")
    assert f"asks {ASKED}," in first
    assert "asks se.police," in second
    assert [ASKED, "se.police"] == [
        one["standing"]["asked_agency"] for one in json.loads(as_json.out)
    ]
    assert ExitCode.DENIED == absent.code
