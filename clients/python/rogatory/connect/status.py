"""Sidecar files: what became of a job, for programs and for whoever looks into the folder.

.. code-block:: text

    job         the job's name
    state       queued, sending, sent, refused or failed
    updated     when this was written
    file        where the job is now, from OUT
    message     sender, message_id and header_digest, as others refer to it
    index       the log entry
    receipt     its receipt, from OUT
    unreachable members of an operation that it does not go to, each with the reason
    outcomes    one for each recipient: as the gateway gave it, with summary and next_step
    error       reason, message, hint, and issues: what is wrong where
    tries       how often it was tried in vain
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from rogatory import clock
from rogatory.client import Submitted
from rogatory.decisions import next_step, summarise
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import RecordFileError, RogatoryError
from rogatory.exchange.v1 import decision_pb2

SENDING = "sending"


def plain(message: Message) -> dict[str, Any]:
    """Return a message in the protobuf JSON mapping, under the names of the protos."""
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


def to_json(value: object) -> bytes:
    """Return a value as JSON for people and programs."""
    return f"{json.dumps(value, ensure_ascii=False, indent=2)}\n".encode()


def sidecar(job: str, state: str, *, now: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a sidecar's content; members that are None are left out."""
    given = {name: value for name, value in more.items() if value is not None}
    return {"job": job, "state": state, "updated": clock.to_text(now), **given}


def decided(message: OpenedEnvelope, submitted: Submitted, *, receipt: str) -> dict[str, Any]:
    """Return what a sidecar says of a message that was decided."""
    return {
        "message": plain(message.reference),
        "index": submitted.receipt.index,
        "receipt": receipt,
        "outcomes": outcomes(submitted.outcomes, offences=message.header.offences),
    }


def outcomes(
    found: Sequence[decision_pb2.Outcome], *, offences: Sequence[str]
) -> list[dict[str, Any]]:
    """Return outcomes, each with its summary and what to do."""
    return [
        {
            **plain(item),
            "summary": summarise(item.decision, recipient=item.recipient),
            "next_step": next_step(item.decision, agreement=item.agreement_id, offences=offences),
        }
        for item in found
    ]


def fault(error: RogatoryError) -> dict[str, Any]:
    """Return an error as ``--json`` has it on the command line."""
    places = getattr(error, "issues", ()) or getattr(error, "violations", ())
    where = {"file": error.file} if isinstance(error, RecordFileError) and error.file else {}
    return {
        "reason": getattr(error, "reason", "") or _word(type(error)),
        "message": error.message,
        "hint": error.hint,
        "issues": [where | asdict(place) for place in places],
    }


def _word(kind: type[RogatoryError]) -> str:
    """KeyFileError -> KEY_FILE_ERROR."""
    return "".join(f"_{c}" if c.isupper() else c for c in kind.__name__).strip("_").upper()
