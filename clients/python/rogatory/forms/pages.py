"""A request or an answer as a page of HTML that a magistrate can sign.

Sections are those of the European Investigation Order: Annex A for a request, Annex B for an
acknowledgement; other answers follow them. The page has all it needs in itself: no script, nothing
fetched, and whatever a message says is text, never markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from rogatory.assistance.v1 import answer_pb2, request_form_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2
from rogatory.forms.catalogue import Catalogue
from rogatory.forms.content import Cell, Reader
from rogatory.forms.document import Document, names_of, persons_in
from rogatory.forms.sections import (
    Section,
    absent_parts,
    answer_sections,
    message_section,
    person_cells,
    person_titles,
    request_sections,
)


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
    persons = [person for part in document.beside for person in persons_in(part)]
    if isinstance(form, request_form_pb2.AssistanceRequest):
        title, sections = "request", request_sections(form, reader)
        signatures = _request_signatures(form, catalogue)
    else:
        acknowledged = form.step == request_pb2.REQUEST_STEP_ACKNOWLEDGE
        title = "acknowledgement" if acknowledged else "answer"
        sections = answer_sections(form, reader)
        signatures = _answer_signatures(form, catalogue)
    if document.absent:
        sections.append(absent_parts(document, reader))
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
        message=None if known is None else message_section(known, reader),
        persons=tuple(
            person_cells(number, person, reader) for number, person in enumerate(persons, 1)
        ),
        person_titles=person_titles(reader),
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
