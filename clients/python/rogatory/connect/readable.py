"""A message as files that a case system can read without knowing protobuf.

.. code-block:: text

    message.json          who sent what when, who signed, what came and what did not, and the files
    header.json           all that was signed
    outcome.json          the recipient's outcome: article, obligations, what is due
    part-0-persons.json   the records, as `rogatory send` would take them
    hits.json             what it hits of that which is watched for
    message.delivery      all of it as it came: `rogatory ack FILE` takes it, and so do auditors
    envelope.bin          the serialised Envelope
    receipt.tlog-proof    proof that it is in the log
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rogatory import clock
from rogatory.connect.status import plain, to_json
from rogatory.decisions import summarise
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, exchange_service_pb2
from rogatory.verification import VerifiedDelivery


def message_files(
    delivery: exchange_service_pb2.Delivery,
    verified: VerifiedDelivery,
    *,
    receipt: bytes,
    hits: Sequence[Mapping[str, Any]],
) -> dict[str, bytes]:
    """Return the files of a message that verified, by name."""
    header = verified.header
    files: dict[str, bytes] = {}
    parts = []
    absent = {item.position: item for item in verified.absent}
    for position, descriptor in enumerate(header.parts):
        content = verified.contents[position]
        part: dict[str, Any] = {
            "category": codes_pb2.PartCategory.Name(descriptor.category),
            "schema": descriptor.schema,
            "record_count": descriptor.facts.record_count,
        }
        if position in absent:
            reason = envelope_pb2.AbsenceReason.ValueType(absent[position].reason)
            part["absent"] = envelope_pb2.AbsenceReason.Name(reason)
            part["article"] = absent[position].article
        elif content is not None:
            name = f"part-{position}-{_snake(content.DESCRIPTOR.name)}.json"
            files[name] = to_json(plain(content))
            part["file"] = name
        else:
            part["sealed"] = True
        parts.append(part)
    files["message.json"] = to_json(
        {
            "inbox_position": verified.inbox_position,
            "index": verified.index,
            "entry_time": clock.to_text(verified.entry_time),
            "sender": header.sender,
            "message_id": header.message_id,
            "kind": codes_pb2.Kind.Name(header.kind).removeprefix("KIND_").lower(),
            "exercise": header.exercise,
            "verified": True,
            "decision_rechecked": verified.rechecked,
            "signed_by": [
                {"key": key.fingerprint.hex(), "officer": key.officer} for key in verified.signers
            ],
            "reference": plain(verified.envelope.reference),
            "summary": summarise(verified.outcome.decision),
            "parts": parts,
        }
    )
    files["header.json"] = to_json(plain(header))
    files["outcome.json"] = to_json(plain(verified.outcome))
    files["envelope.bin"] = delivery.envelope
    files["message.delivery"] = delivery.SerializeToString(deterministic=True)
    if receipt:
        files["receipt.tlog-proof"] = receipt
    if hits:
        files["hits.json"] = to_json([dict(hit) for hit in hits])
    return files


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
