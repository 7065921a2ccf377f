"""`rogatory request new, answer, render`: forms from the command line, and what is sent of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from rogatory.assistance.v1 import (
    answer_pb2,
    refusal_pb2,
    request_form_pb2,
    request_pb2,
)
from rogatory.cli.exits import ExitCode
from rogatory.envelopes import OpenedEnvelope, open_envelope
from rogatory.exchange.v1 import codes_pb2
from rogatory.forms import languages
from rogatory.home import Home
from tests.support.filling import fill, use_all
from tests.unit.rogatory.cli.conftest import Enrolled, Result, Run
from tests.unit.rogatory.client.loopback import Loopback
from tests.unit.rogatory.client.world import AGREEMENT_TEXT, World, message_id

REQUESTS = """
  - clause_id: requests
    article: Art. 3
    effect: permit
    scope:
      kinds: [request, update]
"""
TO = "de.police:x:Art. 3"
KINDS = [
    name.removeprefix("ASSISTANCE_KIND_").lower() for name in request_pb2.AssistanceKind.keys()[1:]
]
STEPS = [name.removeprefix("REQUEST_STEP_").lower() for name in request_pb2.RequestStep.keys()[1:]]


@pytest.fixture
def world() -> World:
    """An exchange whose agreement permits requests and answers too."""
    return World(agreement_text=AGREEMENT_TEXT + REQUESTS)


@dataclass
class Desk:
    """An officer's desk: an agency's folder, a folder for files, and the commands."""

    home: Home
    folder: Path
    run: Run

    def template(self, kind: str, *more: object) -> Path:
        """Write the template of a request."""
        path = self.folder / "request.yaml"
        result = self.run(
            *("request", "new", "--kind", kind, "--out", path, "--home", self.home.path), *more
        )
        assert 0 == result.code, result
        return path

    def filled(self, kind: str, *more: object) -> Path:
        """Write a request, filled in."""
        path = self.template(kind, "--to", TO, *more)
        path.write_text(fill(path.read_text("utf-8")), "utf-8")
        return path

    def send(self, file: Path, kind: str = "request", to: str = TO, *more: object) -> Result:
        """Send a file."""
        return self.run("send", file, "--kind", kind, "--to", to, "--home", self.home.path, *more)


@pytest.fixture
def desk(enrolled: Enrolled, tmp_path: Path, run: Run) -> Desk:
    """The desk of an officer of fr.police."""
    return Desk(home=enrolled("fr.police"), folder=tmp_path, run=run)


@pytest.fixture
def answering(enrolled: Enrolled, tmp_path: Path, run: Run) -> Desk:
    """The desk of an officer of de.police."""
    return Desk(home=enrolled("de.police"), folder=tmp_path, run=run)


def form_in(message: OpenedEnvelope) -> request_form_pb2.AssistanceRequest:
    """Return the request in a message."""
    return request_form_pb2.AssistanceRequest.FromString(message.parts[0].clear.content)


def name_of(message: OpenedEnvelope) -> str:
    """Return how a command line names a message."""
    return f"{message.header.sender}/{message.header.message_id}"


def asked(desk: Desk, answering: Desk, gateway: Loopback, kind: str = "hearing") -> OpenedEnvelope:
    """Send a request; return it when it is in the inbox of the asked agency."""
    desk.send(desk.filled(kind))
    assert 0 == desk.run("inbox", "--home", answering.home.path).code
    return open_envelope(gateway.received[-1])


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", KINDS)
def test_filled_template_is_sent(desk: Desk, gateway: Loopback, kind: str, language: str) -> None:
    """A template of each kind, in each language, is filled in and sent; its header follows."""
    file = desk.filled(kind, "--lang", language)

    result = desk.send(file)

    assert 0 == result.code, result
    message = open_envelope(gateway.received[-1])
    number = request_pb2.AssistanceKind.Value(f"ASSISTANCE_KIND_{kind.upper()}")
    assert codes_pb2.KIND_REQUEST == message.header.kind
    assert number == message.header.request.assistance_kind == form_in(message).kind
    assert ["0701"] == list(message.header.offences)
    assert codes_pb2.URGENCY_ROUTINE == message.header.urgency


def test_header_follows_from_the_request(desk: Desk, gateway: Loopback) -> None:
    """Urgency, terms and the oral request are stated once, in the form."""
    file = desk.filled("information")
    text = use_all(file.read_text("utf-8"))
    # Without what refers to messages that nobody has.
    text = re.sub(
        r"\n +(message|prolongs|preserved_by):(\n .*(sender|message_id).*|\n +#.*)+", "", text
    )
    file.write_text(fill(text), "utf-8")

    desk.send(file)

    header = open_envelope(gateway.received[-1]).header
    assert codes_pb2.URGENCY_URGENT == header.urgency
    assert "2026-12-31T08:00:00Z" == header.request.respond_by_time.ToJsonString()
    assert "2026-12-31T08:00:00Z" == header.request.oral_request_time.ToJsonString()
    assert header.request.directly_available


def test_danger_to_a_person_is_the_most_urgent(desk: Desk, gateway: Loopback) -> None:
    """What endangers a person is sent as immediate danger; who states an urgency is obeyed."""
    file = desk.filled("preservation")
    text = file.read_text("utf-8").replace(
        "  #urgency:", "  urgency:\n    reasons: [danger_to_person]\n  #urgency:", 1
    )
    file.write_text(text, "utf-8")

    desk.send(file)
    desk.send(file, "request", TO, "--urgency", "urgent")

    urgencies = [open_envelope(data).header.urgency for data in gateway.received]
    assert [codes_pb2.URGENCY_IMMEDIATE_DANGER, codes_pb2.URGENCY_URGENT] == urgencies


def test_blanks_are_refused_with_their_lines(desk: Desk, gateway: Loopback) -> None:
    """Nothing is sent of a template that is not filled in."""
    file = desk.template("preservation")
    line = 1 + file.read_text("utf-8").splitlines().index("  facts: ???")

    result = desk.send(file)

    assert ExitCode.USAGE == result.code
    assert f"line {line}, column 10: assistance_request.facts: is still to be filled in" in str(
        result
    )
    assert [] == gateway.received


def test_template_knows_who_asks_whom(desk: Desk) -> None:
    """The folder says who asks; --to says who is asked on which basis."""
    text = desk.template("takedown", "--to", TO).read_text("utf-8")

    for line in ("issuing_country: FR", "executing_country: DE", "agency: fr.police"):
        assert line in text
    assert "--to 'de.police:x:Art. 3'" in text


def test_template_needs_no_folder(run: Run, tmp_path: Path) -> None:
    """Whoever has no agency's folder gets a template too, on standard output."""
    result = run("request", "new", "--kind", "takedown", "--home", tmp_path / "nowhere")

    assert (0, "") == (result.code, result.err)
    assert result.out.startswith("# Request for assistance: ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--kind", "preservaton"], "did you mean preservation?"),
        (["--kind", "takedown", "--lang", "fr"], "no catalogue for the language 'fr'"),
        (["--kind", "takedown", "--catalogue", "none.po"], "none.po cannot be read"),
        (["--kind", "takedown", "--to", "de.police"], "is not AGENCY:AGREEMENT:ARTICLE"),
    ],
)
def test_wrong_options_are_explained(desk: Desk, arguments: list[str], text: str) -> None:
    """The error says what is wrong and what there is."""
    result = desk.run("request", "new", *arguments)

    assert ExitCode.USAGE == result.code
    assert text in " ".join(result.err.split())


def test_file_is_not_written_over(desk: Desk) -> None:
    """A form that is being filled in survives the command that made it."""
    file = desk.filled("takedown")
    before = file.read_text("utf-8")

    result = desk.run("request", "new", "--kind", "takedown", "--out", file)

    assert ExitCode.USAGE == result.code
    assert "is there already" in result.err
    assert before == file.read_text("utf-8")


@pytest.mark.parametrize("step", STEPS)
def test_answer_to_a_request_in_the_inbox_is_sent(
    desk: Desk, answering: Desk, gateway: Loopback, tmp_path: Path, step: str
) -> None:
    """A template of each step knows its request, and what is sent of it says so in the header."""
    request = asked(desk, answering, gateway)
    file = tmp_path / "answer.yaml"
    made = answering.run(
        *("request", "answer", name_of(request), "--step", step, "--lang", "zh"),
        *("--out", file, "--home", answering.home.path),
    )
    file.write_text(fill(file.read_text("utf-8")), "utf-8")

    result = answering.send(file, "update", "fr.police:x:Art. 3")

    assert (0, 0) == (made.code, result.code), result
    message = open_envelope(gateway.received[-1])
    answer = answer_pb2.Answer.FromString(message.parts[0].clear.content)
    update = message.header.update
    assert request.reference == answer.request == update.request
    assert step == request_pb2.RequestStep.Name(update.step).removeprefix("REQUEST_STEP_").lower()
    stated = set(update.refusal_grounds) - {refusal_pb2.REFUSAL_GROUND_POSTPONED}
    assert {item.ground for item in answer.refusals} == stated
    assert answer.postponement.until_time == update.postponed_until_time


def test_answer_names_measures_and_persons(desk: Desk, answering: Desk, gateway: Loopback) -> None:
    """Whoever answers sees what was asked for, and under which article to answer."""
    request = asked(desk, answering, gateway)
    subject = form_in(request).measures[0].subjects[0].record_id

    result = answering.run(
        "request", "answer", "1", "--step", "execute", "--home", answering.home.path
    )

    assert 0 == result.code
    assert "- measure_id: M1" in result.out
    assert f"#subject_ids: [{subject}]" in result.out
    assert f"{subject}  Text of the case." in result.out
    assert "--to 'fr.police:x:Art. 3'" in result.out


def test_refusal_is_sent_with_its_grounds(
    desk: Desk, answering: Desk, gateway: Loopback, tmp_path: Path
) -> None:
    """Grounds and article go into the header, where anybody who may see it finds them."""
    request = asked(desk, answering, gateway)
    file = tmp_path / "refusal.yaml"
    answering.run(
        *("request", "answer", name_of(request), "--step", "refuse", "--out", file),
        *("--home", answering.home.path),
    )
    text = file.read_text("utf-8").replace("#article: ???", 'article: "Art. 11(1)(g)"', 1)
    file.write_text(fill(text), "utf-8")

    answering.send(file, "update", "fr.police:x:Art. 3")

    update = open_envelope(gateway.received[-1]).header.update
    assert [refusal_pb2.REFUSAL_GROUND_NO_DUAL_CRIMINALITY] == list(update.refusal_grounds)
    assert "Art. 11(1)(g)" == update.article


def test_asking_agency_answers_by_its_receipt(desk: Desk, gateway: Loopback) -> None:
    """Who asked withdraws by what is left here: the receipt of what was sent."""
    desk.send(desk.filled("takedown"))
    request = open_envelope(gateway.received[-1])

    result = desk.run(
        *("request", "answer", name_of(request), "--step", "withdraw", "--offline"),
        *("--home", desk.home.path),
    )

    assert 0 == result.code, result
    assert f"message_id: {request.header.message_id}" in result.out
    assert "--to 'de.police:x:Art. 3'" in result.out


def test_answer_to_an_answer_is_told_the_request(
    desk: Desk, answering: Desk, gateway: Loopback, tmp_path: Path
) -> None:
    """Whoever gives the position of an update is given the name of its request instead."""
    request = asked(desk, answering, gateway)
    file = tmp_path / "answer.yaml"
    line = ("--out", file, "--home", answering.home.path)
    answering.run("request", "answer", name_of(request), "--step", "ask-clarification", *line)
    file.write_text(fill(file.read_text("utf-8")), "utf-8")
    answering.send(file, "update", "fr.police:x:Art. 3")
    answer = open_envelope(gateway.received[-1])

    result = answering.run(
        *("request", "answer", name_of(answer), "--step", "clarify"),
        *("--home", answering.home.path),
    )

    assert ExitCode.USAGE == result.code
    assert f"Name the request that it is about: {name_of(request)}" in result.err


def test_only_requests_are_answered(
    desk: Desk, answering: Desk, world: World, gateway: Loopback
) -> None:
    """A transfer is no request, and a request that nobody has is not there."""
    world.submit(world.envelope(number=1))
    answering.run("inbox", "--home", answering.home.path)
    line = ("--step", "refuse", "--home", answering.home.path)

    other = answering.run("request", "answer", "1", *line)
    none = answering.run("request", "answer", f"fr.police/{message_id(9)}", *line)

    assert (ExitCode.USAGE, ExitCode.USAGE) == (other.code, none.code)
    assert "is no request: its kind is transfer" in other.err
    assert "or at the gateway" in none.err


def test_received_request_is_a_page(
    desk: Desk, answering: Desk, gateway: Loopback, tmp_path: Path
) -> None:
    """What arrived is shown with its person, digest and place in the log."""
    request = asked(desk, answering, gateway)
    page = tmp_path / "page.html"

    result = answering.run(
        *("request", "render", name_of(request), "--out", page, "--lang", "zh"),
        *("--time-zone", "Asia/Shanghai", "--home", answering.home.path),
    )

    text = page.read_text("utf-8")
    assert (0, str(page)) == (result.code, result.out.strip())
    assert '<html lang="zh" dir="ltr">' in text
    for word in (request.header_digest.hex(), "协助请求书", "UTC+08:00", "Text of the case."):
        assert word in text


def test_what_verifies_says_so(desk: Desk, answering: Desk, gateway: Loopback) -> None:
    """A page of what does not verify here carries a warning; of what does, none."""
    request = asked(desk, answering, gateway)
    line = ("request", "render", name_of(request), "--home", answering.home.path)

    before = answering.run(*line, "--offline")
    after = answering.run(*line)

    assert "not verified: " in before.err
    assert "This page verifies no signature".lower() in before.out.lower()
    assert ("", False) == (after.err, "verifies no signature" in after.out)


def test_answer_and_sent_request_are_pages(
    desk: Desk, answering: Desk, gateway: Loopback, tmp_path: Path
) -> None:
    """A file of records, a message of the outbox and one at the gateway are shown as well."""
    request = asked(desk, answering, gateway)
    outbox = desk.home.path / "outbox" / f"{request.header.message_id}.envelope"
    draft = desk.folder / "request.yaml"

    of_file = desk.run("request", "render", draft, "--home", desk.home.path)
    outbox.write_bytes(gateway.received[0])
    waiting = desk.run("request", "render", name_of(request), "--home", desk.home.path)
    by_path = desk.run("request", "render", outbox, "--home", desk.home.path)

    assert "DRAFT: read from a file" in of_file.out
    assert request.header_digest.hex() in waiting.out
    assert waiting.out == by_path.out
    assert f"{request.header.message_id}.tlog-proof" in waiting.out


def test_page_needs_a_form(
    desk: Desk, answering: Desk, world: World, tmp_path: Path, gateway: Loopback
) -> None:
    """A message or file without request or answer is none, and says what would be."""
    world.submit(world.envelope(number=1))
    answering.run("inbox", "--home", answering.home.path)
    records = tmp_path / "records.json"
    records.write_text(json.dumps({"persons": [{"category": 1, "names": []}]}))
    line = ("--home", answering.home.path)

    transfer = answering.run("request", "render", "1", *line)
    nothing = answering.run("request", "render", *line)
    faulty = answering.run("request", "render", records, *line)
    zone = answering.run("request", "render", records, "--time-zone", "Mars/Base", *line)

    assert {ExitCode.USAGE} == {item.code for item in (transfer, nothing, faulty, zone)}
    assert "holds no request or answer" in transfer.err
    assert "name a message or a file" in nothing.err
    assert "names" in faulty.err
    assert "is not a time zone" in zone.err


def test_language_of_one_s_own(desk: Desk, tmp_path: Path) -> None:
    """A catalogue is written, translated and used, with no program built."""
    own = tmp_path / "fr.po"
    file = desk.filled("takedown")

    made = desk.run("request", "render", "--write-catalogue", own, "--lang", "fr")
    own.write_text(
        own.read_text("utf-8").replace(
            'msgid "page:title:request"\nmsgstr ""',
            'msgid "page:title:request"\nmsgstr "Demande de concours"',
        ),
        "utf-8",
    )
    shown = desk.run("request", "render", file, "--catalogue", own, "--home", desk.home.path)
    again = desk.run("request", "render", "--write-catalogue", own)

    assert (0, 0, ExitCode.USAGE) == (made.code, shown.code, again.code)
    assert "<h1>Demande de concours</h1>" in shown.out
    assert '<html lang="fr" dir="ltr">' in shown.out


def test_results_are_json_too(desk: Desk, tmp_path: Path) -> None:
    """With --json a command says where it wrote, or what."""
    out = tmp_path / "t.yaml"

    written = desk.run("request", "new", "--kind", "takedown", "--out", out, "--json")
    printed = desk.run("request", "new", "--kind", "takedown", "--json")

    assert {"file": str(out)} == json.loads(written.out)
    assert json.loads(printed.out)["text"].startswith("# Request for assistance")
