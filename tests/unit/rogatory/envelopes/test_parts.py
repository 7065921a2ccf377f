"""Parts: what they hold is what the header says, one by one and many at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from google.protobuf.message import Message

from rogatory import batches, envelopes, facts, particulars
from rogatory.assistance.v1 import answer_pb2, request_form_pb2, request_pb2
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from tests.support import forge, records
from tests.support.world import header, signer

SIGNER = signer("alpha signing")
NOW = 1_793_000_000_000_000_000
ABOUT = common_pb2.MessageReference(
    sender="aa.beta", message_id=records.record_id("about"), header_digest=bytes(32)
)


def head(kind: codes_pb2.Kind.ValueType = codes_pb2.KIND_TRANSFER) -> envelope_pb2.Header:
    """Return a header of alpha's."""
    return header("aa.alpha", ("aa.beta", "all", "Art. 1"), kind=kind, now=NOW)


def asking() -> tuple[envelope_pb2.Header, Message]:
    """Return a request: header and part."""
    made = head(codes_pb2.KIND_REQUEST)
    made.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION
    return made, records.request()


def answering(step: request_pb2.RequestStep.ValueType) -> tuple[envelope_pb2.Header, Message]:
    """Return an answer that refuses, under a header with some step."""
    made = head(codes_pb2.KIND_UPDATE)
    content = answer_pb2.Answer(
        request=ABOUT,
        step=request_pb2.REQUEST_STEP_REFUSE,
        refusals=[answer_pb2.RefusalDetail(ground=13, reasons="Not held.")],  # type: ignore[arg-type]
    )
    implied = particulars.derive(codes_pb2.KIND_UPDATE, [content])
    assert isinstance(implied, envelope_pb2.UpdateParticulars)
    made.update.CopyFrom(implied)
    made.update.step = step
    return made, content


def passing_on(
    *originals: envelope_pb2.Envelope,
) -> tuple[envelope_pb2.Header, Sequence[envelope_pb2.Envelope]]:
    """Return a header that passes messages on, and their parts."""
    made = head()
    for original in originals:
        inner = envelope_pb2.Header.FromString(original.header)
        made.forwards.append(envelopes.OpenedEnvelope.of(original, inner).reference)
    return made, originals


def original(*contents: Message) -> envelope_pb2.Envelope:
    """Return a message of alpha's with these parts."""
    return forge.draft(head(), *contents, signer=SIGNER).sign()


def fault(made: envelope_pb2.Header, *contents: Message, admitted: bool = False) -> str:
    """Return why parts are refused; empty: they are not."""
    return reason(forge.draft(made, *contents, signer=SIGNER).serialise(), admitted=admitted)


def reason(data: bytes, *, admitted: bool = False) -> str:
    """Return why the parts of an envelope are refused; empty: they are not."""
    try:
        envelopes.check_parts(envelopes.open_envelope(data), allow_absent=admitted)
    except EnvelopeError as error:
        return error.reason
    return ""


def test_particulars_are_checked_with_the_parts() -> None:
    """A header that says otherwise than its part is refused by whoever reads both."""
    right = answering(request_pb2.REQUEST_STEP_REFUSE)
    wrong = answering(request_pb2.REQUEST_STEP_POSTPONE)

    assert "" == fault(*right)
    assert "PARTICULARS_MISMATCH" == fault(*wrong)
    assert "PARTICULARS_MISMATCH" == fault(*wrong, admitted=True)
    with pytest.raises(EnvelopeError, match=r"update\.step") as caught:
        envelopes.build(
            header=wrong[0],
            contents=wrong[1:],
            signers=[(SIGNER, codes_pb2.KEY_ROLE_SIGNING)],
        )
    assert "PARTICULARS_MISMATCH" == caught.value.reason


def test_measures_are_facts_that_cannot_be_left_out() -> None:
    """A request states its measures; only what was admitted before there were any may not."""
    draft = forge.draft(*asking(), signer=SIGNER)
    draft.header.parts[0].facts.ClearField("measures")

    assert "FACTS_MISSTATED" == reason(draft.serialise())
    assert "" == reason(draft.serialise(), admitted=True)

    draft.header.parts[0].facts.measures.add(measure_id="m2")
    assert "FACTS_MISSTATED" == reason(draft.serialise(), admitted=True)


def test_header_has_room_for_so_many_subjects() -> None:
    """A request about more subjects than a header can name is refused before it is signed."""
    made, form = asking()
    assert isinstance(form, request_form_pb2.AssistanceRequest)
    for number in range(4090):
        form.measures[0].subjects.add(record_id=records.record_id(str(number)))

    with pytest.raises(EnvelopeError, match="the header has") as caught:
        envelopes.build(
            header=made, contents=[form], signers=[(SIGNER, codes_pb2.KEY_ROLE_SIGNING)]
        )

    assert "TOO_LARGE" == caught.value.reason


def test_message_passed_on_is_what_was_signed() -> None:
    """Parts left out are missed; a part put in their place is not the originator's."""
    sent = original(records.persons(), records.indicators(2))
    shortened, forged = envelope_pb2.Envelope(), envelope_pb2.Envelope()
    shortened.CopyFrom(sent)
    shortened.parts[0].absent.reason = envelope_pb2.ABSENCE_REASON_REDACTED
    forged.CopyFrom(sent)
    forged.parts[1].clear.content = records.indicators(3).SerializeToString(deterministic=True)

    assert "" == fault(*_flat(passing_on(sent)))
    assert "" == fault(*_flat(passing_on(shortened)))
    assert "COMMITMENT_MISMATCH" == fault(*_flat(passing_on(forged)))
    assert [1] == list(facts.of_message(shortened).present_parts)


def test_message_passed_on_says_of_its_parts_what_they_say() -> None:
    """What the originator misstated is refused from whoever passes it on, too."""
    misstated = forge.draft(head(), records.persons(), signer=SIGNER)
    misstated.header.parts[0].facts.record_count = 9
    wrong_step = forge.draft(*answering(request_pb2.REQUEST_STEP_ACCEPT), signer=SIGNER)

    assert "FACTS_MISSTATED" == fault(*_flat(passing_on(misstated.sign())))
    assert "PARTICULARS_MISMATCH" == fault(*_flat(passing_on(wrong_step.sign())))


def test_messages_in_messages_have_an_end() -> None:
    """What was passed on may be passed on again, a few times; then the original itself is."""
    found = []
    sent = original(records.indicators())
    for _ in range(envelopes.MAX_FORWARDS_DEEP + 1):
        made, contents = passing_on(sent)
        found.append(fault(made, *contents))
        sent = forge.draft(made, *contents, signer=SIGNER).sign()

    assert [""] * envelopes.MAX_FORWARDS_DEEP + ["TOO_LARGE"] == found


def _flat(
    made: tuple[envelope_pb2.Header, Sequence[envelope_pb2.Envelope]],
) -> tuple[envelope_pb2.Header, *tuple[envelope_pb2.Envelope, ...]]:
    return (made[0], *made[1])


GOOD = {
    "records": forge.draft(head(), records.persons(), records.indicators(), signer=SIGNER),
    "request": forge.draft(*asking(), signer=SIGNER),
    "request with a person": forge.draft(*asking(), records.persons(), signer=SIGNER),
    "answer": forge.draft(*answering(request_pb2.REQUEST_STEP_REFUSE), signer=SIGNER),
    "no part": forge.draft(head(), signer=SIGNER),
}
BAD = {
    "another step": forge.draft(*answering(request_pb2.REQUEST_STEP_ACCEPT), signer=SIGNER),
    "an answer in a transfer": forge.draft(
        head(), answering(request_pb2.REQUEST_STEP_REFUSE)[1], signer=SIGNER
    ),
    "passed on under no name": forge.draft(head(), original(), signer=SIGNER),
    "passed on and not there": forge.draft(passing_on(original())[0], signer=SIGNER),
}


@pytest.mark.parametrize("case", [*GOOD, *BAD])
def test_many_at_once_as_one_by_one(case: str) -> None:
    """Nothing passes among many that would not pass alone, and what is right passes."""
    data = ({**GOOD, **BAD})[case].serialise()
    others = [draft.serialise() for draft in GOOD.values()]

    together = [envelopes.open_envelope(one) for one in (*others, data, *others)]

    assert (case in GOOD) == (reason(data) == "")
    assert (case in GOOD) == batches.parts_hold(together)


def test_facts_that_cannot_be_computed_among_many() -> None:
    """A message passed on that can't be read is one at fault, as alone."""
    unreadable = original(records.persons())
    unreadable.header = b"\xff"
    draft = forge.draft(head(), original(records.persons()), signer=SIGNER)
    draft.set_content(0, unreadable.SerializeToString(deterministic=True))
    opened = envelopes.open_envelope(draft.serialise())

    assert not batches.parts_hold([opened])
    assert "MALFORMED" == reason(draft.serialise())
