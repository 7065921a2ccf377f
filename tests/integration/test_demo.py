"""The demonstration at a fraction of its size: real processes, real keys, mutual TLS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rogatory_gateway.demo import confine
from rogatory_gateway.demo.stage import perform

LISTS = """\
# Reference: https://example.org
http://192.0.2.1
192.0.2.2:8080
192.0.2.2:8443

/gate.php
c2.example
C2.example
panel.example/admin
"""
ONE_SCREEN = 64
"""Lines of the report at most."""
CONDUCT = """
import sys
from pathlib import Path
from rogatory_gateway.demo.stage import perform
perform(folder=Path(sys.argv[1]), scale=0.004)
"""


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all processes that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and str(os.getpid()) != path.parent.name:
            found.append(line)
    return found


def fsck(folder: Path) -> int:
    """Check a gateway's folder; return the exit code."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "rogatory_gateway", "fsck", "--dir", str(folder)],
        capture_output=True,
        check=False,
    ).returncode


def check_procedures(details: dict[str, Any]) -> None:
    """Check what the demonstration tells of the board, requests, hand-over, recall and alert."""
    board = details["board"]
    totals = {line["label"]: line["total"] for line in board["results"]}
    assert (29, 1, True) == (board["members"], board["left"], board["closed"])
    assert {
        "arrests": 301,
        "persons handed over": 266,
        "servers seized": 41,
        "data secured": 41,
        "indicators reported": 152,
        "indicators taken down": 120,
        "victims identified": 1296,
        "victims notified": 1296,
    } == {label: totals[label] for label in totals if label != "victims reached"}
    columns = {line["label"]: sum(line["members"].values()) for line in board["results"]}
    assert (303, 532) == (columns["arrests"], columns["persons handed over"])
    requests = details["requests"]
    assert (9, 1, 3, 2) == tuple(requests[key] for key in ("in_time", "late", "open", "ended"))
    assert 15 == len(requests["all"])
    assert {"NE_BIS_IN_IDEM", "NOT_AVAILABLE", "JUDICIAL_AUTHORISATION_REFUSED"} == {
        row["ground"] for row in requests["refused"]
    }
    assert all(
        row["article"] and row["reasons"] and row["next_step"] for row in requests["refused"]
    )
    assert "duty@police.sg.example" == requests["duty_contacts"]["sg.police"]
    assert {"RECEIVED": 266, "HELD_BACK_HEALTH": 2, "NOT_PRESENTED": 1} == details["handover"][
        "persons"
    ]
    consent = details["consent"]
    assert ("my.police", "sg.police", ["ph.police"], True) == tuple(
        consent[key] for key in ("by", "to", "for", "refused_before")
    )
    recall = details["recall"]
    assert ["sg.police", "bn.police", "ph.police"] == recall["holders"] == recall["confirmed"]
    assert 0 == recall["kept"]
    assert all("RECALLED" in parts for parts in recall["left"].values())
    (hit,) = details["alert"]["hits"]
    assert ("int.coordination", "vn.police") == (hit["by"], hit["matched_sender"])


def test_a_small_operation_runs_end_to_end_and_everything_verifies(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One JSON object with totals from what was received; the folder is clean, nothing runs on.

    Everything beside the counts that everybody asks for is in the one member `details`.
    """
    folder = tmp_path / "demo"

    perform(folder=folder, as_json=True, scale=0.006)

    told = json.loads(capfd.readouterr().out)
    assert [
        *("agencies", "messages", "indicators_delivered", "victim_notices", "suspects"),
        *("refusals", "log", "verified", "seconds", "details"),
    ] == list(told)
    assert (30, 152, 1296, 32) == (
        told["agencies"],
        told["indicators_delivered"],
        told["victim_notices"],
        told["suspects"],
    )
    assert all(
        {"message_id", "article", "ground", "recipient"} == row.keys() for row in told["refusals"]
    )
    rows = [tuple(row.values()) for row in told["refusals"]]
    assert len(rows) == len(set(rows))
    assert 5 <= len({row["article"] for row in told["refusals"]})
    assert {
        *("NO_PERMITTING_CLAUSE", "REFUSED_BY_CLAUSE", "CONDITION_NOT_MET"),
        *("NO_SUCH_ARTICLE", "NO_AGREEMENT_IN_FORCE"),
        *("CONSENT_MISSING", "NOT_IN_OPERATION", "STEP_NOT_ALLOWED"),
    } == {row["ground"] for row in told["refusals"]}
    assert {"origin", "size", "root", "vkey"} == told["log"].keys()
    assert ["signatures", "receipts", "proofs", "decisions"] == list(told["verified"])
    assert all(count > 0 for count in told["verified"].values())
    details = told["details"]
    if confine.landlock_version():
        assert {"by": "landlock", "attempts": 120, "denied": 120} == details["isolation"]
    assert (152, 1, 1, 3, 22) == tuple(
        details[what] for what in ("distinct_hosts", "organisations", "places", "accounts", "links")
    )
    assert ["int.coordination", "lk.police", "th.police"] == details["corrections_confirmed_by"]
    check_procedures(details)
    assert [] == processes_of(folder)
    assert 0 == fsck(folder)


def test_it_takes_what_few_hosts_a_list_has(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Hosts come from the list alone, told apart rightly, and nothing is made up beside them.

    Nor is one counted twice that is listed with a port and without.
    """
    listed = tmp_path / "redline.txt"
    listed.write_text(LISTS, encoding="utf-8")

    perform(indicators=[listed], scale=0.002)

    report = capfd.readouterr().out
    assert "4 hosts in 5 values from 1 file, of 4 hosts in 5 values in them" in report
    assert "fewer than 51: all are used, and none is made up" in report
    assert "left out, since they name no host: 1 URL paths" in report
    assert "4 malicious hosts disseminated in 5 values" in report
    assert len(report.splitlines()) <= ONE_SCREEN


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -2), (signal.SIGTERM, 143)])
def test_an_interrupted_operation_leaves_no_process_behind(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C and SIGTERM end gateway and agencies too."""
    folder = tmp_path / "demo"
    words = tmp_path / "stderr"
    with words.open("wb") as stderr:
        conductor = subprocess.Popen(
            [sys.executable, "-P", "-c", CONDUCT, str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    while not (folder / "gateway.log").exists():
        assert conductor.poll() is None, words.read_text(encoding="utf-8")
        time.sleep(0.02)

    conductor.send_signal(number)

    assert code == conductor.wait(timeout=60)
    assert [] == processes_of(folder)
