"""Templates: requests and answers as YAML, every field explained above it, with its source.

What must be filled in says ``???``; what may be is a comment, with an example. A template that is
filled in is a file of records (`rogatory.recordfiles`), and one that is not is refused, line by
line.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rogatory.assistance.v1 import answer_pb2, request_form_pb2, request_pb2
from rogatory.forms.catalogue import Catalogue, short_name
from rogatory.forms.outline_answers import AskedMeasure, answer_outline
from rogatory.forms.outline_requests import KINDS, request_outline
from rogatory.forms.outlines import Item, authority, below, may, need
from rogatory.forms.writing import Writer, comment
from rogatory.jsonrecords import descriptor_of
from rogatory.records.v1 import common_pb2
from rogatory.yamlrecords import BLANK

_KIND = request_pb2.AssistanceKind.DESCRIPTOR
_STEP = request_pb2.RequestStep.DESCRIPTOR
_COUNTRY = 2
"""Letters of a country in an agency id; of an international body there are three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known when a request is begun.

    Attributes:
        agency: Agency id of the asking agency; empty: not known.
        name: Its name.
        recipient: Agency id of the asked one.
        agreement: Agreement relied on.
        article: Its article.
        file: Name of the file that the template is written to.
    """

    agency: str = ""
    name: str = ""
    recipient: str = ""
    agreement: str = ""
    article: str = ""
    file: str = "FILE.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The request that an answer is about, as far as it is known.

    Attributes:
        reference: Its message.
        form: What it says; None: its content is not at hand.
        names: Names of those it concerns, by record id.
        legal_basis: Agreement and article that an answer may rely on, as ``--to`` has them.
        recipient: Agency id of the other party; empty: whoever sent the request.
        file: Name of the file that the template is written to.
    """

    reference: common_pb2.MessageReference
    form: request_form_pb2.AssistanceRequest | None = None
    names: Sequence[tuple[str, str]] = ()
    legal_basis: str = "AGREEMENT:ARTICLE"
    recipient: str = ""
    file: str = "FILE.yaml"


def request_template(
    kind: request_pb2.AssistanceKind.ValueType,
    *,
    catalogue: Catalogue,
    known: Known,
    new_id: Callable[[], str],
) -> str:
    """Return the template of a request.

    Args:
        kind: What is asked for.
        catalogue: In whose language fields are explained.
        known: Filled in already.
        new_id: Returns a new record id (UUID).

    Raises:
        KeyError: The kind is unspecified, or of a newer contract.
    """
    own = KINDS[kind]
    form = descriptor_of(request_form_pb2.AssistanceRequest)
    to = ":".join(
        (
            known.recipient or "AGENCY",
            known.agreement or "AGREEMENT",
            known.article or "ARTICLE",
        )
    )
    lines = [
        *_head(
            catalogue,
            catalogue.text("template:title:request", kind=catalogue.value(_KIND, kind)),
            file=known.file,
            send=f"rogatory send {known.file} --kind request --to {shlex.quote(to)}",
        ),
        "assistance_request:",
    ]
    writer = Writer(catalogue, record=new_id() if own.companion is not None else "")
    for section, items in request_outline(
        kind,
        word=short_name(_KIND, kind),
        issuing=_country("issuing_country", known.agency),
        executing=_country("executing_country", known.recipient),
        issuing_authority=authority(name=known.name or BLANK, agency=known.agency),
        instruments=[
            need("name", known.agreement or BLANK),
            need("article", known.article or BLANK),
        ],
        language=catalogue.language,
    ):
        lines += ["", *comment(f"—— {catalogue.text(f'section:{section}')} ——", "  ")]
        lines += writer.fields(items, form, indent=2, used=True)
    if own.companion is not None:
        lines += ["", *comment(catalogue.text("template:records"), "")]
        lines.append(f"{own.companion.member}:")
        record = descriptor_of(own.companion.message_type)
        lines += writer.element(own.companion.items, record, indent=2, used=True)
    return "\n".join(lines) + "\n"


def answer_template(
    step: request_pb2.RequestStep.ValueType, *, catalogue: Catalogue, asked: Asked
) -> str:
    """Return the template of an answer.

    Args:
        step: The step that it takes.
        catalogue: In whose language fields are explained.
        asked: The request.

    Raises:
        KeyError: The step is unspecified, or of a newer contract.
    """
    answer = descriptor_of(answer_pb2.Answer)
    measures = measures_of(asked.form) if asked.form is not None else []
    about = f"{asked.reference.sender}/{asked.reference.message_id}"
    to = f"{asked.recipient or asked.reference.sender}:{asked.legal_basis}"
    lines = _head(
        catalogue,
        catalogue.text("template:title:answer", step=catalogue.value(_STEP, step)),
        file=asked.file,
        send=f"rogatory send {asked.file} --kind update --about {about} --to {shlex.quote(to)}",
    )
    lines += _known(asked, catalogue)
    reference = [
        need("sender", asked.reference.sender),
        need("message_id", asked.reference.message_id),
    ]
    if asked.reference.header_digest:
        reference.append(
            need("header_digest", base64.b64encode(asked.reference.header_digest).decode())
        )
    items = [
        below("request", *reference),
        need("step", short_name(_STEP, step)),
        *answer_outline(step, measures),
        may("remark"),
        need("language", catalogue.language),
    ]
    writer = Writer(catalogue)
    lines.append("answer:")
    lines += writer.fields(items, answer, indent=2, used=True)
    return "\n".join(lines) + "\n"


def measures_of(form: request_form_pb2.AssistanceRequest) -> list[AskedMeasure]:
    """Return the measures that a request asked for, with the records that each concerns."""
    return [
        AskedMeasure(
            measure_id=measure.measure_id,
            subjects=[subject.record_id for subject in measure.subjects],
        )
        for measure in form.measures
    ]


def _head(catalogue: Catalogue, title: str, *, file: str, send: str) -> list[str]:
    lines = comment(title, "")
    lines.append("#")
    for how in ("blanks", "optional", "dates"):
        lines += comment(catalogue.text(f"template:how:{how}"), "")
    render = f"rogatory request render {file} --out PAGE.html"
    lines.append("#")
    lines += comment(catalogue.text("template:how:check", command=render), "", wrap=False)
    lines += comment(catalogue.text("template:how:send", command=send), "", wrap=False)
    lines.append("")
    return lines


def _known(asked: Asked, catalogue: Catalogue) -> list[str]:
    """Return what was asked for, so that whoever answers has it before them."""
    if asked.form is None:
        return []
    lines = comment(catalogue.text("template:known"), "")
    names = dict(asked.names)
    for measure in asked.form.measures:
        kind = catalogue.value(_KIND, measure.kind)
        what = f"{measure.measure_id}: {kind}. {measure.description}"
        lines += comment(what, "", hang=2)
        for subject in measure.subjects:
            name = names.get(subject.record_id, "")
            lines += comment(f"{subject.record_id}  {name}", "", hang=6)
    return [*lines, ""]


def _country(name: str, agency: str) -> Item:
    """Return a field of a State, from the id of one of its agencies."""
    state = agency.partition(".")[0].upper()
    known = len(state) == _COUNTRY
    return need(name, state) if known else may(name, "FR")
