"""The sections of a page: which fields of a form stand where, and what is said of the message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from rogatory import clock
from rogatory.assistance.v1 import answer_pb2, measure_pb2, request_form_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.forms.content import Cell, Reader, Row
from rogatory.forms.document import Document, Form, Provenance
from rogatory.records.v1 import common_pb2, person_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part of the page; without rows it says that nothing is stated."""

    letter: str
    title: str
    rows: tuple[Row, ...] = ()


def request_sections(form: request_form_pb2.AssistanceRequest, reader: Reader) -> list[Section]:
    """Return sections A to L of a request, and what the form has beside them."""
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


def answer_sections(form: answer_pb2.Answer, reader: Reader) -> list[Section]:
    """Return the sections of an answer that hold something."""
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


def absent_parts(document: Document, reader: Reader) -> Section:
    """Return which parts did not come, and why."""
    catalogue = reader.catalogue
    rows = []
    for schema, part in document.absent:
        reason = catalogue.value(envelope_pb2.AbsenceReason.DESCRIPTOR, part.reason)
        why = f"{reason} ({part.article})" if part.article else reason
        rows.append(Row(label=schema.rpartition(".")[2], cells=(Cell(text=why),)))
    return Section(letter="", title=catalogue.text("section:absent"), rows=tuple(rows))


def message_section(known: Provenance, reader: Reader) -> Section:
    """Return what is known of the message: its header, its place in the log, its receipt."""
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


def person_cells(number: int, person: person_pb2.Person, reader: Reader) -> tuple[Cell, ...]:
    """Return a person's line in the list of those who travel with the form: who it is."""
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


def person_titles(reader: Reader) -> tuple[str, ...]:
    """Return the titles of that list."""
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
