"""A request or an answer as a page of HTML that a magistrate can sign.

Sections are those of the European Investigation Order: Annex A for a request, Annex B for an
acknowledgement; other answers follow them. The page has all it needs in itself: no script, nothing
fetched, and whatever a message says is text, never markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from importlib import resources
from typing import Any

from google.protobuf.message import Message
from jinja2 import Environment, StrictUndefined, Template

from rogatory import clock
from rogatory.assistance.v1 import answer_pb2, measure_pb2, request_form_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.forms.catalogue import Catalogue
from rogatory.forms.content import Cell, Reader, Row
from rogatory.records.v1 import common_pb2, contact_pb2, person_pb2

Form = request_form_pb2.AssistanceRequest | answer_pb2.Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The message that a form travelled in, as far as it is known.

    Attributes:
        header: The signed header.
        header_digest: SHA-256 of its bytes.
        verified: Its signatures, and its place in the log, were verified.
        entry_time: When it was entered in the log, nanoseconds since the Unix epoch; None: it is
            not known here.
        index: Its position in the log; likewise.
        origin: The log's origin; likewise empty.
        inbox_position: Its position in the inbox; None: it was not received.
        receipt: Name of the file with its receipt; empty: there is none.
    """

    header: envelope_pb2.Header
    header_digest: bytes
    verified: bool = False
    entry_time: int | None = None
    index: int | None = None
    origin: str = ""
    inbox_position: int | None = None
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a page shows.

    Attributes:
        form: The request or answer.
        beside: Contents of the other parts of the message.
        absent: Parts that are not here, as their header describes them, and why.
        provenance: The message; None: it is a draft, read from a file.
    """

    form: Form
    beside: Sequence[Message] = ()
    absent: Sequence[tuple[str, envelope_pb2.AbsentPart]] = ()
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part of the page; without rows it says that nothing is stated."""

    letter: str
    title: str
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A block to sign in, with what is known of who signs."""

    title: str
    name: str = ""
    post: str = ""
    authority: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What the layout is filled with."""

    language: str
    direction: str
    title: str
    subtitle: str
    reference: str
    marks: tuple[str, ...]
    notice: str
    sections: tuple[Section, ...]
    message: Section | None
    persons: tuple[tuple[Cell, ...], ...]
    person_titles: tuple[str, ...]
    certify: str
    signatures: tuple[Signature, ...]
    words: Mapping[str, str] = field(default_factory=dict)


def render_page(document: Document, *, catalogue: Catalogue, zone: tzinfo) -> str:
    """Return a page of HTML.

    Args:
        document: What it shows.
        catalogue: In whose language labels are.
        zone: Time zone of instants; each is written with its offset from UTC.
    """
    reader = Reader(
        catalogue=catalogue,
        zone=zone,
        language=document.form.language,
        records=names_of(document.beside),
    )
    form = document.form
    persons = [person for part in document.beside for person in _persons(part)]
    if isinstance(form, request_form_pb2.AssistanceRequest):
        title, sections = "request", _request(form, reader)
        signatures = _request_signatures(form, catalogue)
    else:
        acknowledged = form.step == request_pb2.REQUEST_STEP_ACKNOWLEDGE
        title = "acknowledgement" if acknowledged else "answer"
        sections = _answer(form, reader)
        signatures = _answer_signatures(form, catalogue)
    if document.absent:
        sections.append(_absent(document, reader))
    known = document.provenance
    text = catalogue.text
    page = _Page(
        language=catalogue.language,
        direction=catalogue.direction,
        title=text(f"page:title:{title}"),
        subtitle=text(f"page:after:{title}") if f"page:after:{title}" in catalogue else "",
        reference=_reference(document),
        marks=tuple(text(f"page:{mark}") for mark in _marks(document)),
        notice=text("page:unverified") if _needs_notice(document) else "",
        sections=tuple(sections),
        message=None if known is None else _message(known, reader),
        persons=tuple(_person(number, person, reader) for number, person in enumerate(persons, 1)),
        person_titles=_person_titles(reader),
        certify=text("page:certify") if title == "request" else "",
        signatures=tuple(signatures),
        words={
            name: text(f"page:{key}")
            for name, key in (
                ("none", "none"),
                ("authority", "signature:office"),
                ("name", "signature:name"),
                ("post", "signature:post"),
                ("date", "signature:date"),
                ("sign", "signature:sign"),
                ("stamp", "signature:stamp"),
            )
        }
        | {"records": text("section:records")},
    )
    return _layout().render(page=page)


def names_of(parts: Iterable[Message]) -> dict[str, str]:
    """Return what the records in parts are called, by record id."""
    found: dict[str, str] = {}
    for part in parts:
        for person in _persons(part):
            found[person.record_id] = _first_name(person)
        for entry in part.DESCRIPTOR.fields:
            if not (entry.is_repeated and entry.message_type is not None):
                continue
            for item in getattr(part, entry.name):
                identity = getattr(item, "record_id", "") or getattr(item, "reference", "")
                if isinstance(identity, str) and identity:
                    found.setdefault(identity, _called(item))
    return {identity: name for identity, name in found.items() if name}


def _called(item: Any) -> str:  # noqa: ANN401 - any kind of record
    """Return what a record other than a person is called; empty where nothing names it."""
    for name in ("value", "iban", "item_number", "description"):
        value = getattr(item, name, "")
        if isinstance(value, str) and value:
            return value
    for entry in getattr(item, "names", ()):
        texts = getattr(entry, "texts", None)
        named = next(iter(texts), None) if texts is not None else entry
        if named is not None:
            return str(named.text)
    number = getattr(item, "number", None)
    if isinstance(number, contact_pb2.AccountNumber) and number.number:
        return number.number
    address = getattr(item, "address", None)
    if isinstance(address, common_pb2.Address):
        return ", ".join([*address.lines, address.locality, address.country]).strip(", ")
    return ""


def _persons(part: Message) -> Sequence[person_pb2.Person]:
    return list(part.persons) if isinstance(part, person_pb2.Persons) else []


def _first_name(person: person_pb2.Person) -> str:
    return next((text.text for name in person.names for text in name.texts), "")


def _request(form: request_form_pb2.AssistanceRequest, reader: Reader) -> list[Section]:
    details = [
        _details(measure, reader)
        for measure in form.measures
        if measure.WhichOneof("details") is not None
    ]
    held = {
        "A": _rows(form, reader, "kind", "issuing_country", "executing_country"),
        "B": reader.rows(form.urgency),
        "C": _measures(form.measures, reader),
        "D": _rows(form, reader, "related_requests"),
        "E": _rows(form, reader, "persons"),
        "F": _rows(form, reader, "proceedings"),
        "G": _rows(form, reader, "facts", "offences"),
        "H": tuple(details),
        "I": _rows(form, reader, "formalities"),
        "J": _rows(form, reader, "remedies"),
        "K": reader.rows(form.issuing_authority),
        "L": reader.rows(form.validating_authority),
        "basis": _rows(
            form,
            reader,
            "instruments",
            "purpose",
            "confidentiality",
            "language",
            "answer_languages",
            "oral_request",
            "attachments",
            "foreign_fields",
            "record_id",
        ),
    }
    return [_section(letter, rows, reader) for letter, rows in held.items()]


def _answer(form: answer_pb2.Answer, reader: Reader) -> list[Section]:
    held = {
        "request": _rows(form, reader, "request"),
        "decision": _rows(
            form,
            reader,
            "step",
            "conditions",
            "postponement",
            "delay",
            "closing",
            "arrangement",
            "oral_request",
        ),
        "refusals": tuple(_refusal(item, reader) for item in form.refusals),
        "measures": _rows(form, reader, "measure_answers"),
        "questions": _rows(form, reader, "questions", "replies"),
        "authority": _rows(form, reader, "executing_authority"),
        "remarks": _rows(form, reader, "remark", "language", "foreign_fields"),
    }
    return [_section(name, rows, reader) for name, rows in held.items() if rows]


def _section(name: str, rows: tuple[Row, ...], reader: Reader) -> Section:
    letter = name if len(name) == 1 else ""
    return Section(letter=letter, title=reader.catalogue.text(f"section:{name}"), rows=rows)


def _rows(form: Form, reader: Reader, *names: str) -> tuple[Row, ...]:
    return tuple(row for name in names if (row := reader.row(form, name)) is not None)


def _measures(measures: Iterable[measure_pb2.Measure], reader: Reader) -> tuple[Row, ...]:
    shown = []
    for measure in measures:
        details = measure.WhichOneof("details")
        without = {"measure_id", *([details] if details else [])}
        cell = Cell(rows=reader.rows(measure, without=without))
        shown.append(Row(label=measure.measure_id, cells=(cell,)))
    return tuple(shown)


def _details(measure: measure_pb2.Measure, reader: Reader) -> Row:
    name = measure.WhichOneof("details")
    assert name is not None  # the caller has looked
    row = reader.row(measure, name)
    assert row is not None  # a member of a oneof that is set is filled
    return Row(label=f"{measure.measure_id} · {row.label}", cells=row.cells)


def _refusal(refusal: answer_pb2.RefusalDetail, reader: Reader) -> Row:
    """Return a refusal with what its ground says, where that comes from and what can be done."""
    catalogue = reader.catalogue
    rows = [
        row
        for name in ("measure_ids", "subject_ids", "article", "reasons")
        if (row := reader.row(refusal, name)) is not None
    ]
    label = catalogue.label(refusal.DESCRIPTOR.fields_by_name["next_step"])
    stated = refusal.next_step or catalogue.ground(refusal.ground, "next")
    rows += [
        Row(label=label, cells=(Cell(text=stated),)),
        Row(
            label=catalogue.text("page:source"),
            cells=(Cell(text=catalogue.ground(refusal.ground, "source")),),
        ),
        Row(
            label=catalogue.text("page:meaning"),
            cells=(Cell(text=catalogue.ground(refusal.ground, "explanation")),),
        ),
    ]
    ground = reader.row(refusal, "ground")
    assert ground is not None  # the schema requires it
    return Row(label=ground.cells[0].text, cells=(Cell(rows=tuple(rows)),))


def _absent(document: Document, reader: Reader) -> Section:
    catalogue = reader.catalogue
    rows = []
    for schema, part in document.absent:
        reason = catalogue.value(envelope_pb2.AbsenceReason.DESCRIPTOR, part.reason)
        why = f"{reason} ({part.article})" if part.article else reason
        rows.append(Row(label=schema.rpartition(".")[2], cells=(Cell(text=why),)))
    return Section(letter="", title=catalogue.text("section:absent"), rows=tuple(rows))


def _message(known: Provenance, reader: Reader) -> Section:
    catalogue, header = reader.catalogue, known.header

    def row(key: str, *texts: str, code: bool = False) -> Row:
        cells = tuple(Cell(text=text, code=code) for text in texts)
        return Row(label=catalogue.text(f"page:message:{key}"), cells=cells)

    handling = header.handling
    rows = [
        row("id", header.message_id, code=True),
        row("digest", known.header_digest.hex(), code=True),
        row("sender", header.sender, code=True),
        row(
            "recipients",
            *(f"{item.agency} · {item.agreement_id}, {item.article}" for item in header.recipients),
        ),
        row("created", reader.instant(header.create_time)),
        row("urgency", catalogue.value(codes_pb2.Urgency.DESCRIPTOR, header.urgency)),
        row("purpose", catalogue.value(codes_pb2.Purpose.DESCRIPTOR, header.purpose)),
        row("offences", *header.offences),
        row("tlp", catalogue.value(common_pb2.Tlp.DESCRIPTOR, handling.tlp)),
        row(
            "onward",
            catalogue.value(codes_pb2.OnwardTransfer.DESCRIPTOR, handling.onward_transfer),
        ),
        row(
            "evidential",
            catalogue.value(codes_pb2.EvidentialUse.DESCRIPTOR, handling.evidential_use),
        ),
        row("signed", *(item.key.hex() for item in header.signed_by), code=True),
    ]
    if header.request.HasField("respond_by_time"):
        rows.append(row("respond", reader.instant(header.request.respond_by_time)))
    if known.entry_time is not None:
        rows.append(row("entered", reader.instant(clock.to_timestamp(known.entry_time))))
    if known.origin:
        rows.append(row("origin", known.origin, code=True))
    if known.index is not None:
        rows.append(row("position", str(known.index)))
    if known.inbox_position is not None:
        rows.append(row("inbox", str(known.inbox_position)))
    if known.receipt:
        rows.append(row("receipt", known.receipt, code=True))
    if known.verified:
        rows.append(row("verified", catalogue.text("page:yes")))
    filled = tuple(item for item in rows if item.cells)
    return Section(letter="", title=catalogue.text("section:message"), rows=filled)


def _person(number: int, person: person_pb2.Person, reader: Reader) -> tuple[Cell, ...]:
    catalogue = reader.catalogue
    names = tuple(
        Row(
            label=catalogue.value(person_pb2.PersonNameKind.DESCRIPTOR, name.kind),
            cells=tuple(reader.name(text) for text in name.texts),
        )
        for name in person.names
    )
    facts = reader.rows(person, without=_other_fields())
    return (
        Cell(text=str(number)),
        Cell(rows=names),
        Cell(rows=facts),
        Cell(text=person.record_id, code=True),
    )


def _person_titles(reader: Reader) -> tuple[str, ...]:
    catalogue = reader.catalogue
    fields = person_pb2.Person.DESCRIPTOR.fields_by_name
    return (
        "",
        catalogue.label(fields["names"]),
        catalogue.text("page:person"),
        catalogue.label(fields["record_id"]),
    )


@cache
def _other_fields() -> frozenset[str]:
    """Return the fields of a person that the page does not list: it tells who, not all that is."""
    shown = {"category", "birth_date", "birth_place", "nationalities", "sex"}
    return frozenset(entry.name for entry in person_pb2.Person.DESCRIPTOR.fields) - shown


def _request_signatures(
    form: request_form_pb2.AssistanceRequest, catalogue: Catalogue
) -> list[Signature]:
    found = [_signature("authority", form.issuing_authority, catalogue)]
    if form.HasField("validating_authority"):
        found.append(_signature("validating", form.validating_authority, catalogue))
    return found


def _answer_signatures(form: answer_pb2.Answer, catalogue: Catalogue) -> list[Signature]:
    return [_signature("executing", form.executing_authority, catalogue)]


def _signature(
    which: str, authority: request_form_pb2.Authority, catalogue: Catalogue
) -> Signature:
    return Signature(
        title=catalogue.text(f"page:signature:{which}"),
        name=authority.official.name,
        post=authority.official.position,
        authority=authority.name,
    )


def _marks(document: Document) -> list[str]:
    form, known = document.form, document.provenance
    found = []
    if known is None:
        found.append("draft")
    elif known.header.exercise:
        found.append("exercise")
    if isinstance(form, request_form_pb2.AssistanceRequest):
        routine = known is None or known.header.urgency == codes_pb2.URGENCY_ROUTINE
        if form.HasField("urgency") or not routine:
            found.append("urgent")
        if form.confidentiality.requested:
            found.append("confidential")
    return found


def _needs_notice(document: Document) -> bool:
    return document.provenance is not None and not document.provenance.verified


def _reference(document: Document) -> str:
    known = document.provenance
    return "" if known is None else f"{known.header.sender}/{known.header.message_id}"


@cache
def _layout() -> Template:
    source = resources.files("rogatory.forms").joinpath("layout", "page.html.j2")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source.read_text("utf-8"))
