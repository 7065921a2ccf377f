"""Messages: columns, audience, signatures and parts, each against the signed header."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from sqlalchemy import Connection, Row

from rogatory import clock, dsse, envelopes, wire
from rogatory.audit.v1 import entry_pb2
from rogatory.entries import OpenedEntry, verify_signers
from rogatory.errors import EnvelopeError, SignatureInvalid
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, errors_pb2
from rogatory_gateway.ledger.identity import identity_key
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.operator.fsck.findings import Fault, Report
from rogatory_gateway.operator.fsck.inboxes import InboxCheck
from rogatory_gateway.operator.fsck.outcomes import OutcomeCheck
from rogatory_gateway.operator.fsck.rows import Record

_ACTIONS = {
    decision_pb2.DISPOSITION_PERMITTED: "admitted",
    decision_pb2.DISPOSITION_WITHHELD: "admitted_in_part",
    decision_pb2.DISPOSITION_REFUSED: "refused",
}
_GONE = frozenset({envelope_pb2.ABSENCE_REASON_ERASED, envelope_pb2.ABSENCE_REASON_RECALLED})


class MessageCheck:
    """Checks messages and rejections, in the log's order."""

    def __init__(
        self,
        connection: Connection,
        *,
        origin: str,
        report: Report,
        registry: Registry,
        inboxes: InboxCheck,
    ) -> None:
        self._origin = origin
        self._report = report
        self._registry = registry
        self.absent = 0
        self.outcomes = OutcomeCheck(connection, report=report, registry=registry, inboxes=inboxes)

    def message(self, record: Record, opened: OpenedEntry) -> str:
        """Check a message; return the tag that its entry must have, empty when unknown.

        1. It is for this gateway, had not expired, and its sender was admitted.
        2. Every signature verifies, by a key that was valid at entry time.
        3. Its outcomes.
        4. Its parts.
        """
        index = record.entry.idx
        where = f"entry {index}"
        assert opened.message is not None
        header = opened.message.header
        report = self._report
        report.counts["messages"] += 1
        if header.audience != self._origin:  # (1)
            report.add(Fault.AUDIENCE, where, f"it is meant for {header.audience!r}")
        if clock.to_nanoseconds(header.expire_time) <= opened.entry_time:
            report.add(Fault.EXPIRED, where, "it was entered after its expire_time")
        if not self._registry.is_enrolled(header.sender):
            report.add(Fault.SENDER, where, f"{header.sender} was not admitted at that time")
        try:
            signers = verify_signers(opened, self._registry.ring)  # (2)
        except EnvelopeError as error:
            report.add(Fault.SIGNATURE, where, error.message)
            signers = ()
        report.counts["signatures"] += len(signers)
        outcomes = self.outcomes.check(index, opened, signers, record.outcomes)  # (3)
        best = min(
            (item.decision.disposition for item in outcomes),
            default=decision_pb2.DISPOSITION_UNSPECIFIED,
        )
        known = len(outcomes) == len(header.recipients)
        admitted = None if not known else best != decision_pb2.DISPOSITION_REFUSED
        self._parts(header.parts, record.parts, index=index, admitted=admitted)  # (4)
        if not known:
            return ""
        kind = codes_pb2.Kind.Name(header.kind).removeprefix("KIND_").lower()
        return f"exchange:{kind}:{_ACTIONS.get(best, '')}"

    def columns(self, opened: OpenedEntry) -> dict[str, Any]:
        """Return what the entry's columns must say."""
        if opened.message is None:
            return {
                "kind": 0,
                "exercise": False,
                "identity": None,
                "header_digest": None,
                "thread": None,
            }
        header = opened.message.header
        return {
            "kind": header.kind,
            "exercise": header.exercise,
            "identity": identity_key(header.sender, header.message_id),
            "header_digest": opened.message.header_digest,
            "thread": header.thread or header.message_id,
        }

    def rejection(self, body: entry_pb2.Rejection, *, index: int) -> None:
        """Check that a rejection has a reason, and a header only where its sender signed it."""
        where = f"entry {index}"
        if f"ERROR_REASON_{body.reason}" not in errors_pb2.ErrorReason.keys():  # noqa: SIM118
            self._report.add(Fault.REJECTION, where, f"there is no reason {body.reason!r}")
        if not body.header:
            if not body.commitment:
                self._report.add(Fault.REJECTION, where, "it holds no header and no commitment")
            return
        try:
            header = wire.decode(envelope_pb2.Header, body.header, what="header")
        except EnvelopeError as error:
            self._report.add(Fault.REJECTION, where, error.message)
            return
        payload = dsse.pae(dsse.HEADER_TYPE, body.header)
        for signature in body.signatures:
            if self._signed(payload, signature, header.sender):
                self._report.counts["signatures"] += 1
            else:
                self._report.add(
                    Fault.SIGNATURE,
                    where,
                    f"the rejected header's signature by {signature.key.hex()[:16]} is not "
                    f"{header.sender}'s",
                )
        if not body.signatures:
            self._report.add(Fault.REJECTION, where, "it holds a header that nobody signed")

    def _signed(self, payload: bytes, signature: envelope_pb2.Signature, sender: str) -> bool:
        """Whether a key of the sender signed, valid or not: that may be why it was rejected."""
        known = self._registry.ring.get(signature.key)
        if known is None or known.public_key is None or known.agency != sender:
            return False
        try:
            known.public_key.verify(signature.value, payload)
        except SignatureInvalid:
            return False
        return True

    def _parts(
        self,
        descriptors: Sequence[envelope_pb2.PartDescriptor],
        rows: list[Row[Any]],
        *,
        index: int,
        admitted: bool | None,
    ) -> None:
        """Check the parts; ``admitted`` is None where the outcomes do not say."""
        by_position = {row.position: row for row in rows}
        for position, descriptor in enumerate(() if admitted is False else descriptors):
            where = f"entry {index}, part {position}"
            row = by_position.pop(position, None)
            if row is None and admitted:
                self._report.add(Fault.PART_MISSING, where, "it is not there")
            elif row is not None and (fault := self._part(row.part, descriptor)):
                self._report.add(Fault.PART_COMMITMENT, where, fault)
        for position in by_position:
            self._report.add(
                Fault.PART_UNOWNED,
                f"entry {index}, part {position}",
                "the message was refused"
                if admitted is False
                else f"it has {len(descriptors)} parts",
            )

    def _part(self, data: bytes, descriptor: envelope_pb2.PartDescriptor) -> str:
        """Return what is wrong with a stored part; empty when nothing is."""
        try:
            part = envelope_pb2.Part.FromString(data)
        except DecodeError:
            return "it does not parse"
        form = part.WhichOneof("form")
        if form == "absent" and part.absent.reason in _GONE:
            self.absent += 1
            return ""
        if form == "sealed" and descriptor.sealed:
            return ""
        if form != "clear" or descriptor.sealed:
            return f"it is {form or 'empty'}, which the header does not say"
        self._report.counts["parts"] += 1
        clear = part.clear
        found = envelopes.commitment(clear.salt, clear.content)
        if len(clear.content) != descriptor.size or not hmac.compare_digest(
            found, descriptor.commitment
        ):
            return "salt or content are not those committed to"
        return ""
