"""An agreement in words (Markdown), from the bytes that are signed: signers see what they sign.

Everything in the bytes is shown; nothing is shown that is not in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import EnumDescriptor

from rogatory.agreements.compiled import ANSWERS
from rogatory.agreements.document import agreement_digest, parse_agreement, roots_of
from rogatory.assistance.v1 import deadline_pb2
from rogatory.clock import to_nanoseconds, to_text
from rogatory.exchange.v1 import agreement_pb2, envelope_pb2

_EFFECTS = {
    agreement_pb2.CLAUSE_EFFECT_PERMIT: "PERMITS",
    agreement_pb2.CLAUSE_EFFECT_REQUIRE: "REQUIRES",
    agreement_pb2.CLAUSE_EFFECT_REFUSE: "REFUSES",
}
_UNPERMITTED = {
    agreement_pb2.UNPERMITTED_PARTS_REFUSE_MESSAGE: "the whole message is refused",
    agreement_pb2.UNPERMITTED_PARTS_WITHHOLD: "that part is withheld and the rest goes on",
}
_SCOPE_LABELS = {
    "senders": "from",
    "recipients": "to",
    "siena_codes": "SIENA codes",
    "tlp": "TLP",
}


def show_agreement(data: bytes, *, signatures: Iterable[envelope_pb2.Signature] = ()) -> str:
    """Return an agreement as Markdown.

    Args:
        data: The bytes that the parties sign, from `document.render`.
        signatures: Those made so far; shown as present, not verified here.

    Raises:
        AgreementError: The bytes are no agreement, or one with faults.
    """
    agreement = parse_agreement(data)
    signed = {signature.key for signature in signatures}
    return "\n".join(
        [
            *_head(agreement, data),
            *_parties(agreement, signed),
            *_offences(agreement),
            "## Clauses",
            "",
            *(line for clause in agreement.clauses for line in _clause(clause)),
        ]
    )


def _head(agreement: agreement_pb2.Agreement, data: bytes) -> Iterator[str]:
    yield f"# {agreement.title}"
    yield ""
    yield f"- Agreement: `{agreement.agreement_id}` version {agreement.version}"
    yield f"- SHA256 of the signed bytes: `{agreement_digest(data).hex()}`"
    yield f"- In force from {to_text(to_nanoseconds(agreement.valid_from_time))}"
    if agreement.HasField("valid_until_time"):
        yield f"- In force until {to_text(to_nanoseconds(agreement.valid_until_time))}"
    else:
        yield "- In force until replaced or suspended"
    yield (
        "- When no clause permits a part of a message, "
        f"{_UNPERMITTED.get(agreement.unpermitted_parts, 'the whole message is refused')}"
    )
    for instrument in agreement.instruments:
        yield f"- Rests on: {instrument}"
    yield ""


def _parties(agreement: agreement_pb2.Agreement, signed: set[bytes]) -> Iterator[str]:
    yield "## Parties"
    yield ""
    if not agreement.parties:
        yield "Every enrolled agency."
    for agency, root in roots_of(agreement).items():
        state = "signed" if root.fingerprint in signed else "not signed yet"
        yield f"- {agency}: root `{root.text}` ({state})"
    yield ""


def _offences(agreement: agreement_pb2.Agreement) -> Iterator[str]:
    if agreement.offences:
        yield "## Offences under the law of each party"
        yield ""
        for row in agreement.offences:
            months = row.maximum_penalty_months
            yield f"- {row.agency}: ICCS {row.iccs}, {row.statute or '-'}, up to {months} months"
        yield ""


def _clause(clause: agreement_pb2.Clause) -> Iterator[str]:
    yield f"### {clause.article} (`{clause.clause_id}`) {_EFFECTS.get(clause.effect, '?')}"
    yield ""
    if clause.text:
        yield from (f"> {line}".rstrip() for line in clause.text.splitlines())
        yield ""
    yield f"- Applies to: {'; '.join(_scope(clause.scope)) or 'everything'}"
    yield from (f"- On condition that {condition}" for condition in _conditions(clause.conditions))
    if clause.effect != agreement_pb2.CLAUSE_EFFECT_PERMIT:
        part_only = clause.reach == agreement_pb2.REFUSAL_REACH_PART
        yield f"- Refused is {'the part' if part_only else 'the whole message'}"
    yield from (f"- The recipient {duty}" for duty in _duties(clause.obligations))
    yield ""


def _scope(scope: agreement_pb2.Scope) -> Iterator[str]:
    for field, values in scope.ListFields():
        label = _SCOPE_LABELS.get(field.name, field.name.replace("_", " "))
        enum = field.enum_type
        shown = values if enum is None else [_name(enum, value) for value in values]
        yield f"{label} {', '.join(shown)}"


def _conditions(conditions: agreement_pb2.Conditions) -> Iterator[str]:
    said = dict(_plain_conditions(conditions))
    yield from (text for text in said.values() if text)
    if conditions.HasField("quota"):
        quota = conditions.quota
        unit = _name(agreement_pb2.QuotaUnit.DESCRIPTOR, quota.unit)
        yield (
            f"no more than {quota.limit} {unit} go from this sender to this recipient in"
            f" {quota.period_days} days"
        )
    for row in conditions.deadlines:
        urgency = _name(
            agreement_pb2.Deadline.DESCRIPTOR.fields_by_name["urgency"].enum_type, row.urgency
        )
        where = " and directly available" if row.directly_available else ""
        unit = _name(agreement_pb2.DeadlineUnit.DESCRIPTOR, row.unit)
        kind = _name(deadline_pb2.DeadlineKind.DESCRIPTOR, row.kind)
        due = "to answer" if row.kind in ANSWERS else f"for the {kind} (no rule looks at it)"
        yield f"a request that is {urgency}{where} leaves {row.amount} {unit} {due}"


def _plain_conditions(conditions: agreement_pb2.Conditions) -> Iterator[tuple[str, str]]:
    fields = agreement_pb2.Conditions.DESCRIPTOR.fields_by_name
    texts = {
        "dual_criminality": "every offence is one under the law of sender and recipient",
        "minimum_penalty_months": "every offence carries at least {} months under the sender's law",
        "four_eyes": "an officer has signed as author, and a second one with the right to approve",
        "case_reference": "a case reference is given",
        "justification": "a justification is given",
        "sealing": "the parts are {}",
        "onward_transfer_at_most": "onward transfer is allowed no further than: {}",
        "evidential_use_at_most": "evidential use is allowed no further than: {}",
        "retention_at_most_days": "it is to be erased within {} days of entry",
        "reference": "the message it refers to was {}",
        "records_at_most": "a part holds at most {} records",
    }
    for name, text in texts.items():
        value = getattr(conditions, name)
        if value:
            enum = fields[name].enum_type
            yield name, text.format(value if enum is None else _name(enum, value))


def _duties(owed: agreement_pb2.Obligations) -> Iterator[str]:
    texts = {
        "retention_days": "erases it {} days after entry",
        "onward_transfer": "passes it on no further than: {}",
        "evidential_use": "uses it as evidence no further than: {}",
        "acknowledge_within_hours": "acknowledges it within {} hours",
        "confirm_facts_within_hours": "confirms the facts of sealed parts within {} hours",
        "confirm_in_writing_within_hours": "accepts oral requests confirmed within {} hours",
    }
    for field, value in owed.ListFields():
        enum = field.enum_type
        yield texts[field.name].format(value if enum is None else _name(enum, value))


def _name(enum: EnumDescriptor | None, number: int) -> str:
    if enum is None or number not in enum.values_by_number:
        return str(number)
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return enum.values_by_number[number].name.removeprefix(prefix).replace("_", " ").lower()
