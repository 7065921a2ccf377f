"""Every type of record over the wire: sent, received, verified, acknowledged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from rogatory import envelopes, particulars, schemas
from rogatory.assistance.v1 import operation_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, exchange_service_pb2
from rogatory.policy import Policy
from rogatory.records.v1 import common_pb2, correction_pb2, custody_pb2
from rogatory.verification import VerifiedDelivery, verify_delivery
from tests.support import catalogue, records
from tests.support.house import (
    ALPHA,
    BETA,
    GAMMA,
    OFFICER,
    SECOND_OFFICER,
    SUPERVISOR,
    House,
)
from tests.support.verifying import policy_of
from tests.support.wire import Wire, dispositions, outcomes
from tests.support.world import ORIGIN, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

Reference = common_pb2.MessageReference
Fill = Callable[[envelope_pb2.Header, Reference], None]

AGREEMENT = """\
agreement_id: all-{other}
version: 1
title: Agreement for tests
parties: [{{agency: de.bka}}, {{agency: {party}}}]
valid_from_time: 2026-01-01
unpermitted_parts: withhold
clauses:
  - {{clause_id: all, article: Art. 1, effect: permit, scope: {scope}}}
"""
NO_RECORDS = {
    "Context",  # goes beside every record below
    "Acknowledgement",  # answers every record below
    "Envelope",
    "SignedAgreement",
    "SignedAgreementSuspension",
    "SignedKeyStatement",
}
"""Schemas that hold no record of their own; GOVERNANCE has its own tests."""
WARNINGS = common_pb2.FIELD_GROUP_WARNINGS


def transfer(head: envelope_pb2.Header, about: Reference) -> None:
    """Make it a TRANSFER, which adds nothing."""


def request(head: envelope_pb2.Header, about: Reference) -> None:
    """Make it a REQUEST."""
    head.kind = codes_pb2.KIND_REQUEST
    head.request.SetInParent()


def update(head: envelope_pb2.Header, about: Reference) -> None:
    """Make it a step of a request."""
    head.kind = codes_pb2.KIND_UPDATE
    head.update.request.CopyFrom(about)


def custody(head: envelope_pb2.Header, about: Reference) -> None:
    """Make it a custody event."""
    head.kind = codes_pb2.KIND_CUSTODY
    head.custody.item_id = catalogue.PHONE
    head.custody.action = custody_pb2.CUSTODY_ACTION_TRANSFERRED
    head.custody.previous_digest = about.header_digest
    head.custody.holder = BETA


def subject(kind: codes_pb2.Kind.ValueType) -> Fill:
    """Return what makes it a message about another."""

    def fill(head: envelope_pb2.Header, about: Reference) -> None:
        head.kind = kind
        head.subject.message.CopyFrom(about)

    return fill


def operation(step: envelope_pb2.OperationStep.ValueType) -> Fill:
    """Return what makes it a step of a joint operation."""

    def fill(head: envelope_pb2.Header, about: Reference) -> None:
        head.kind = codes_pb2.KIND_OPERATION
        head.operation_step.step = step
        if step != envelope_pb2.OPERATION_STEP_FOUND:
            head.operation.CopyFrom(about)

    return fill


def alert(head: envelope_pb2.Header, about: Reference) -> None:
    """Make it an ALERT."""
    head.kind = codes_pb2.KIND_ALERT
    head.alert.SetInParent()


def hit(head: envelope_pb2.Header, about: Reference) -> None:
    """Make it the hit of an ALERT."""
    head.kind = codes_pb2.KIND_ALERT
    head.alert.hit_of.CopyFrom(about)


FILLS: dict[str, Fill] = {
    "assistance_request": request,
    "answer": update,
    "complaint": subject(codes_pb2.KIND_RECEIPT),
    "custody_event": custody,
    "corrections": subject(codes_pb2.KIND_CORRECTION),
    "erasure_confirmation": subject(codes_pb2.KIND_CORRECTION),
    "subject_access_enquiry": subject(codes_pb2.KIND_CORRECTION),
    "subject_access_answer": subject(codes_pb2.KIND_CORRECTION),
    "consent": subject(codes_pb2.KIND_CONSENT),
    "consent_request": subject(codes_pb2.KIND_CONSENT),
    "operation_founding": operation(envelope_pb2.OPERATION_STEP_FOUND),
    "operation_invitation": operation(envelope_pb2.OPERATION_STEP_INVITE),
    "operation_joining": operation(envelope_pb2.OPERATION_STEP_JOIN),
    "operation_leaving": operation(envelope_pb2.OPERATION_STEP_LEAVE),
    "operation_update": operation(envelope_pb2.OPERATION_STEP_REPORT),
    "handover": update,
    "alerts": alert,
    "alert_hits": hit,
}
"""What the header of each content says beside what it implies; the rest are TRANSFERs."""


def completed(head: envelope_pb2.Header, content: Message) -> envelope_pb2.Header:
    """Return a header with the particulars that the content implies filled in."""
    name = head.WhichOneof("particulars")
    if name is not None and name != "custody":
        stated = getattr(head, name)
        stated.CopyFrom(particulars.complete(stated, [content]))
        stated.SetInParent()
    return head


@dataclass(kw_only=True)
class Desks:
    """Two agencies at one gateway, with what verifies each other's messages.

    Attributes:
        earlier: A message that alpha sent to beta, for others to be about.
        asked: A request that beta made of alpha, for steps to be about.
    """

    house: House
    alpha: Wire
    beta: Wire
    gamma: Wire
    policy: Policy
    earlier: Reference
    asked: Reference

    async def needed(self, member: str) -> Reference:
        """Return what a record is about, sent before it: an operation, an alert, a request."""
        if member == "operation_invitation":
            return await self._send(ALPHA, "operation_founding")
        if member in {"operation_joining", "operation_leaving", "operation_update"}:
            return await self._operation(joined=member != "operation_joining")
        if member == "alert_hits":
            return await self._send(BETA, "alerts")
        return self.asked if FILLS.get(member) is update else self.earlier

    async def _operation(self, *, joined: bool) -> Reference:
        """Have beta found an operation, and alpha join it."""
        founding = catalogue.content("operation_founding", about=self.earlier)
        assert isinstance(founding, operation_pb2.OperationFounding)
        founding.lead = BETA
        for member in founding.members:
            member.contributes[:] = [operation_pb2.CONTRIBUTION_KIND_INDICATORS]
        founded = await self._send(BETA, "operation_founding", content=founding)
        if joined:
            await self._send(ALPHA, "operation_joining", about=founded)
        return founded

    async def _send(
        self,
        sender: str,
        member: str,
        *,
        content: Message | None = None,
        about: Reference | None = None,
    ) -> Reference:
        about = about or self.earlier
        content = content or catalogue.content(member, about=about)
        head = header(sender, (ALPHA if sender == BETA else BETA, "all-beta", "Art. 1"))
        FILLS[member](head, about)
        data = envelope(self.house.agency(sender), completed(head, content), content)
        response = await (self.alpha if sender == ALPHA else self.beta).submit(data)
        assert [decision_pb2.DISPOSITION_PERMITTED] == dispositions(response.submission)
        return envelopes.open_envelope(data).reference

    async def pass_on(self, data: bytes, *, sender: Wire, to: Wire) -> VerifiedDelivery:
        """Submit a message, and return what its recipient received and verified."""
        response = await sender.submit(data)
        return await self.received(response.submission, to)

    async def received(
        self, submission: exchange_service_pb2.Submission, to: Wire
    ) -> VerifiedDelivery:
        """Return what a recipient finds in its inbox, verified with the library alone."""
        agency = to.agency.agency_id
        (outcome,) = (item for item in outcomes(submission) if item.recipient == agency)
        (item,) = await to.inbox(1, start=outcome.inbox_position)
        verified = verify_delivery(
            item.delivery,
            recipient=agency,
            ring=self.policy.ring,
            agreements=self.policy.agreements,
            audience=ORIGIN,
        )
        assert verified.rechecked
        return verified

    async def acknowledge(self, reference: Reference, *, by: Wire, to: Wire) -> VerifiedDelivery:
        """Let an officer acknowledge a message; return what its sender received."""
        head = header(
            by.agency.agency_id,
            (to.agency.agency_id, "base", "Base Art. 2"),
            kind=codes_pb2.KIND_RECEIPT,
        )
        head.subject.message.CopyFrom(reference)
        head.in_reply_to.CopyFrom(reference)
        data = envelope(by.agency, head, records.acknowledgement(reference), officers=[OFFICER])
        return await self.pass_on(data, sender=by, to=to)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desks]:
    """A gateway under whose agreement everything goes between two agencies, less to others."""
    house = House(tmp_path_factory.mktemp("gateway") / "gateway")
    house.enrol_usual()
    for other, party, scope in (
        ("beta", BETA, "{}"),
        ("gamma", GAMMA, "{categories: [indicator]}"),
        ("dpa", SUPERVISOR, "{categories: [indicator, person], field_groups: [identity]}"),
    ):
        house.world.agree(AGREEMENT.format(other=other, party=party, scope=scope))
    async with (
        house.serving(),
        house.wire(ALPHA) as alpha,
        house.wire(BETA) as beta,
        house.wire(GAMMA) as gamma,
    ):
        sent = envelope(
            house.agency(ALPHA),
            header(ALPHA, (BETA, "all-beta", "Art. 1")),
            catalogue.content("indicators", about=Reference()),
        )
        await alpha.submit(sent)
        earlier = envelopes.open_envelope(sent).reference
        form = catalogue.content("assistance_request", about=earlier)
        head = header(BETA, (ALPHA, "all-beta", "Art. 1"))
        request(head, earlier)
        asked = envelope(house.agency(BETA), completed(head, form), form)
        await beta.submit(asked)
        yield Desks(
            house=house,
            alpha=alpha,
            beta=beta,
            gamma=gamma,
            policy=await policy_of(house, alpha),
            earlier=earlier,
            asked=envelopes.open_envelope(asked).reference,
        )


@pytest.mark.parametrize("member", catalogue.CONTENTS)
async def test_record_arrives_as_it_was_sent(member: str, desks: Desks) -> None:
    """What a file held is what the recipient verifies, and the sender gets an officer's receipt."""
    fill = FILLS.get(member, transfer)
    about = await desks.needed(member)
    content = catalogue.content(member, about=about)
    head = header(ALPHA, (BETA, "all-beta", "Art. 1"))
    fill(head, about)
    sent = envelope(
        desks.house.agency(ALPHA),
        completed(head, content),
        content,
        records.context(case="2026/17"),
        officers=[OFFICER, SECOND_OFFICER] if member == "handover" else [],
    )

    delivered = await desks.pass_on(sent, sender=desks.alpha, to=desks.beta)
    receipt = await desks.acknowledge(delivered.envelope.reference, by=desks.beta, to=desks.alpha)

    assert (content, records.context(case="2026/17")) == delivered.contents
    assert head.WhichOneof("particulars") == delivered.header.WhichOneof("particulars")
    assert (records.acknowledgement(delivered.envelope.reference),) == receipt.contents
    assert OFFICER in [key.officer for key in receipt.signers]


async def test_no_type_of_record_is_left_out() -> None:
    """Every schema is in the catalogue, but for what is no record: a new one is not forgotten."""
    about = Reference(sender=ALPHA, message_id=records.record_id("x"), header_digest=bytes(32))

    found = {catalogue.content(name, about=about).DESCRIPTOR.name for name in catalogue.CONTENTS}

    assert {name.rpartition(".")[2] for name in schemas.names()} == found | NO_RECORDS


async def test_correction_and_its_confirmation(desks: Desks) -> None:
    """A correction goes with the right record beside it; its recipient confirms what it did."""
    corrections = catalogue.content("corrections", about=desks.earlier)
    head = header(ALPHA, (BETA, "all-beta", "Art. 1"), kind=codes_pb2.KIND_CORRECTION)
    head.subject.message.CopyFrom(desks.earlier)
    right = catalogue.content("indicators", about=desks.earlier)

    corrected = await desks.pass_on(
        envelope(desks.house.agency(ALPHA), head, corrections, right),
        sender=desks.alpha,
        to=desks.beta,
    )
    asked_by = corrected.envelope.reference
    confirmation = correction_pb2.ErasureConfirmation(
        message=desks.earlier,
        asked_by=asked_by,
        record_ids=[catalogue.DOMAIN],
        erasure_time=records.SOME_TIME,
        official=common_pb2.Official(name="B. Officier", agency=BETA),
    )
    answer = header(BETA, (ALPHA, "base", "Base Art. 4(2)"), kind=codes_pb2.KIND_CORRECTION)
    answer.subject.message.CopyFrom(asked_by)
    answer.subject.confirmation = True
    answer.in_reply_to.CopyFrom(asked_by)
    confirmed = await desks.pass_on(
        envelope(desks.house.agency(BETA), answer, confirmation),
        sender=desks.beta,
        to=desks.alpha,
    )

    assert (corrections, right) == corrected.contents
    assert (confirmation,) == confirmed.contents
    assert (asked_by, True) == (
        confirmed.header.subject.message,
        confirmed.header.subject.confirmation,
    )
    assert "Base Art. 4(2)" == confirmed.outcome.decision.article


async def test_three_recipients_under_three_agreements(desks: Desks) -> None:
    """Each gets what its own agreement permits: all, one part, or the message without a part."""
    head = header(
        ALPHA,
        (BETA, "all-beta", "Art. 1"),
        (GAMMA, "all-gamma", "Art. 1"),
        (SUPERVISOR, "all-dpa", "Art. 1"),
    )
    persons = records.persons(records.person(), records.person("Max", groups=[WARNINGS]))
    contents: tuple[Message, ...] = (records.persons(), records.indicators(), persons)
    sent = envelope(desks.house.agency(ALPHA), head, *contents)

    response = await desks.alpha.submit(sent)
    async with desks.house.wire(SUPERVISOR) as supervisor:
        received = [
            await desks.received(response.submission, wire)
            for wire in (desks.beta, desks.gamma, supervisor)
        ]

    assert [
        decision_pb2.DISPOSITION_PERMITTED,
        decision_pb2.DISPOSITION_WITHHELD,
        decision_pb2.DISPOSITION_WITHHELD,
    ] == dispositions(response.submission)
    identity, indicators, warned = contents
    assert [
        (identity, indicators, warned),
        (None, indicators, None),
        (identity, indicators, None),
    ] == [delivery.contents for delivery in received]
    assert [[], [0, 2], [2]] == [
        [part.position for part in delivery.absent] for delivery in received
    ]
    digests = {delivery.envelope.header_digest for delivery in received}
    assert {envelopes.open_envelope(sent).header_digest} == digests
