"""Messages whose header does not say what their parts say: the gateway believes neither of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from rogatory.assistance.v1 import answer_pb2, refusal_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from tests.security.bad_messages import Case, Make, draft
from tests.support import forge, records
from tests.support.forge import Draft
from tests.support.house import ALPHA, BETA, House
from tests.support.world import header

REFUSE, EXECUTE = request_pb2.REQUEST_STEP_REFUSE, request_pb2.REQUEST_STEP_EXECUTE
NOT_AVAILABLE = refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE
NATIONAL_SECURITY = refusal_pb2.REFUSAL_GROUND_NATIONAL_SECURITY_OR_SOURCE


def _reference(data: bytes) -> common_pb2.MessageReference:
    """Return the reference to a serialised envelope."""
    head = envelope_pb2.Envelope.FromString(data).header
    named = envelope_pb2.Header.FromString(head)
    return common_pb2.MessageReference(
        sender=named.sender,
        message_id=named.message_id,
        header_digest=hashlib.sha256(head).digest(),
    )


def _refusal(house: House) -> answer_pb2.Answer:
    """Return the content of an ANSWER part."""
    return answer_pb2.Answer(
        request=_reference(house.good()),
        step=REFUSE,
        refusals=[answer_pb2.RefusalDetail(ground=NOT_AVAILABLE, reasons="It is not held.")],
    )


def _answer(change: Callable[[Draft], object]) -> Make:
    """Refuse a request in header and part alike, then change the header and sign."""

    def make(house: House) -> bytes:
        content = _refusal(house)
        head = header(ALPHA, (BETA, "alpha-beta", "Art. 4"), kind=codes_pb2.KIND_UPDATE)
        head.update.request.CopyFrom(content.request)
        head.update.step = REFUSE
        head.update.refusal_grounds.append(NOT_AVAILABLE)
        made = forge.draft(head, content, signer=house.agency(ALPHA).signing)
        change(made)
        return made.serialise()

    return make


def _other_step(made: Draft) -> None:
    made.header.update.step = EXECUTE
    made.header.update.ClearField("refusal_grounds")


def _other_ground(made: Draft) -> None:
    made.header.update.refusal_grounds[0] = NATIONAL_SECURITY


def _other_request(made: Draft) -> None:
    made.header.update.request.message_id = records.record_id("another request")


def _forward(*named: int, parts: tuple[int, ...] = (0,)) -> Make:
    """Pass on some of three messages, and name some in the header."""

    def make(house: House) -> bytes:
        originals = [house.good() for _ in range(3)]
        passed_on = [envelope_pb2.Envelope.FromString(originals[number]) for number in parts]
        made = draft(house, *passed_on, records.indicators())
        made.header.forwards.extend(_reference(originals[number]) for number in named)
        return made.serialise()

    return make


def _forward_changed(house: House) -> bytes:
    """Name the message passed on by its id, with the digest of another header."""
    original = house.good()
    made = draft(house, envelope_pb2.Envelope.FromString(original), records.indicators())
    named = _reference(original)
    named.header_digest = hashlib.sha256(b"another header").digest()
    made.header.forwards.append(named)
    return made.serialise()


def _mismatch(name: str, make: Make) -> Case:
    return Case(
        name=name,
        make=make,
        code="INVALID_ARGUMENT",
        reason="PARTICULARS_MISMATCH",
        header_logged=True,
    )


CASES = (
    _mismatch("a step that is not the answer's", _answer(_other_step)),
    _mismatch("a ground that is not the answer's", _answer(_other_ground)),
    _mismatch("an answer to another request", _answer(_other_request)),
    _mismatch("an answer in a transfer", lambda house: draft(house, _refusal(house)).serialise()),
    _mismatch("a message passed on that is not named", _forward()),
    _mismatch("another message passed on than is named", _forward(1)),
    _mismatch("a message named that is not passed on", _forward(0, 1)),
    _mismatch("one message passed on twice", _forward(0, 1, parts=(0, 0))),
    _mismatch("a message passed on under another digest", _forward_changed),
)
