"""Both clients against a real server on loopback: what they send, return, retry and raise."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, closing
from typing import Any

import grpc
import pytest
from grpc import aio

from rogatory.client import AsyncClient, Client, Draft, RetryPolicy, Submitted, recipient
from rogatory.envelopes import MAX_BATCH_MESSAGES, MAX_ENVELOPE_BYTES, open_envelope
from rogatory.errors import (
    CallError,
    Cancelled,
    ConfigurationError,
    EnvelopeError,
    InboxGap,
    InvalidMessage,
    NotFoundOrDenied,
    ProofError,
    Refused,
    ResourceExhausted,
    ServerFault,
    Unavailable,
)
from rogatory.exchange.v1 import codes_pb2, exchange_service_pb2
from tests.unit.rogatory.client.loopback import (
    PATIENCE,
    Certificates,
    Fault,
    Loopback,
    make_certificates,
    serving,
)
from tests.unit.rogatory.client.world import ORIGIN, World, indicators, message_id, persons

QUICK = RetryPolicy(attempts=4, first_wait=0.001, longest_wait=0.01)
LATE = Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
GONE = Fault(grpc.StatusCode.UNAVAILABLE, "Socket closed")
UNAVAILABLE = Fault(grpc.StatusCode.UNAVAILABLE, "the disk is full", "LEDGER_UNAVAILABLE", "Wait.")

Call = Callable[[Any], Any]


class Blocking:
    """Runs what a test asks for with the blocking client."""

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - the client's own arguments
        self.client = Client(**arguments)

    async def call(self, ask: Call) -> Any:  # noqa: ANN401 - whatever the call returns
        """Make one call."""
        return ask(self.client)

    async def beside(self, ask: Call) -> Any:  # noqa: ANN401 - whatever the call returns
        """Make one call while the test goes on."""
        return await asyncio.to_thread(ask, self.client)

    async def items(self, ask: Call, count: int | None = None) -> list[Any]:
        """Collect what an iterator yields, up to a count."""
        found: list[Any] = []
        with closing(ask(self.client)) as iterator:
            for item in iterator:
                found.append(item)
                if len(found) == count:
                    break
        return found

    async def close(self) -> None:
        """Close the client."""
        self.client.close()


class Asynchronous:
    """Runs the same with the asyncio client."""

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - the client's own arguments
        self.client = AsyncClient(**arguments)

    async def call(self, ask: Call) -> Any:  # noqa: ANN401 - whatever the call returns
        """Make one call."""
        result: Awaitable[Any] = ask(self.client)
        return await result

    async def beside(self, ask: Call) -> Any:  # noqa: ANN401 - whatever the call returns
        """Make one call while the test goes on."""
        return await self.call(ask)

    async def items(self, ask: Call, count: int | None = None) -> list[Any]:
        """Collect what an iterator yields, up to a count."""
        found: list[Any] = []
        async with aclosing(ask(self.client)) as iterator:
            async for item in iterator:
                found.append(item)
                if len(found) == count:
                    break
        return found

    async def close(self) -> None:
        """Close the client."""
        await self.client.close()


Runner = Blocking | Asynchronous


@pytest.fixture(params=[Blocking, Asynchronous])
async def runner(
    request: pytest.FixtureRequest, target: str, certificates: Certificates, world: World
) -> AsyncIterator[Runner]:
    """Each client in turn, as fr.police."""
    made: Runner = request.param(
        target=target,
        agency="fr.police",
        audience=ORIGIN,
        tls=certificates.tls,
        signers=world.signers("fr.police"),
        log_keys=[world.log_signer.key],
        retry=QUICK,
    )
    yield made
    await made.close()


def draft(agency: str = "de.police") -> Draft:
    """Return a draft that the agreement of the tests permits to de.police."""
    return Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(agency, "x", "Art. 2")],
    )


def test_both_clients_have_the_same_shape() -> None:
    """Whoever knows one client knows the other."""

    def names(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert names(Client) == names(AsyncClient)


async def test_submit_returns_outcomes_and_receipt(runner: Runner, world: World) -> None:
    """A submitted message comes back with a receipt that verifies."""
    submitted: Submitted = await runner.call(lambda client: client.submit(world.envelope()))

    verified = submitted.receipt.verify(world.policy())
    assert (True, False, "fr.police") == (
        submitted.permitted,
        submitted.repeated,
        verified.header.sender,
    )


async def test_send_builds_signs_and_submits(runner: Runner, gateway: Loopback) -> None:
    """What `send` makes is a whole message of the client's agency for its gateway."""
    submitted = await runner.call(
        lambda client: client.send(draft(), contents=[indicators("a.example", "b.example")])
    )

    header = open_envelope(gateway.received[0]).header
    assert (submitted.message_id, "fr.police", ORIGIN, 2) == (
        header.message_id,
        header.sender,
        header.audience,
        header.parts[0].facts.record_count,
    )


async def test_send_raises_when_nobody_was_permitted(runner: Runner) -> None:
    """A refusal is raised with its outcomes and with the receipt that proves it."""
    with pytest.raises(Refused, match=r"de\.police: no permitting clause \(Art\. 2\)") as caught:
        await runner.call(lambda client: client.send(draft(), contents=[persons()]))

    assert ("NO_PERMITTING_CLAUSE", 1) == (caught.value.reason, len(caught.value.outcomes))
    assert caught.value.receipt.index == 4


async def test_unavailable_is_retried_with_the_same_bytes(
    runner: Runner, gateway: Loopback
) -> None:
    """A retry sends what was sent before, so that the gateway can tell it is the same message."""
    gateway.faults["Submit"] = deque([UNAVAILABLE, UNAVAILABLE])

    await runner.call(lambda client: client.send(draft(), contents=[indicators("a.example")]))

    assert 3 == len(gateway.received)
    assert 1 == len(set(gateway.received))


@pytest.mark.parametrize(
    ("lost", "hint"),
    [
        ([LATE], "Submit the same bytes again"),
        ([GONE] * QUICK.attempts, "then submit the same bytes again"),
    ],
    ids=["late", "gone"],
)
async def test_message_whose_answer_was_lost_can_be_submitted_again(
    runner: Runner, gateway: Loopback, world: World, lost: list[Fault], hint: str
) -> None:
    """The error of `send` holds the bytes that were admitted; they get the original outcome."""
    gateway.lost["Submit"] = deque(lost)
    wanted = message_id(7)

    with pytest.raises(CallError, match=hint) as caught:
        await runner.call(
            lambda client: client.send(
                draft(), contents=[indicators("a.example")], message_id=wanted
            )
        )
    submitted = await runner.call(lambda client: client.submit(caught.value.envelope))

    original = world.submitted["fr.police", wanted]
    assert (True, wanted, original.receipt.index) == (
        submitted.repeated,
        submitted.message_id,
        submitted.receipt.index,
    )
    assert {caught.value.envelope} == set(gateway.received)
    assert 1 == len(world.inboxes["de.police"])


async def test_built_message_can_be_submitted_as_often_as_it_takes(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """Who keeps what `build` made needs no error to submit it again."""
    gateway.lost["Submit"] = deque([LATE])
    data = runner.client.build(draft(), contents=[indicators("a.example")])

    with pytest.raises(CallError) as caught:
        await runner.call(lambda client: client.submit(data))
    submitted = await runner.call(lambda client: client.submit(data))

    assert (data, (data,)) == (caught.value.envelope, caught.value.envelopes)
    assert submitted.repeated
    assert 1 == len(world.inboxes["de.police"])


async def test_batch_whose_answer_was_lost_can_be_submitted_again(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """The error of a whole batch holds the batch."""
    gateway.lost["SubmitBatch"] = deque([LATE])
    batch = [world.envelope(number=number) for number in (1, 2)]

    with pytest.raises(CallError) as caught:
        await runner.call(lambda client: client.submit_batch(batch))
    again = await runner.call(lambda client: client.submit_batch(caught.value.envelopes))

    assert (tuple(batch), b"") == (caught.value.envelopes, caught.value.envelope)
    assert [True, True] == [submitted.repeated for submitted in again]


async def test_call_that_submits_nothing_has_nothing_to_submit_again(
    runner: Runner, gateway: Loopback
) -> None:
    """What to do after a read that failed is to read again."""
    gateway.faults["GetAgency"] = deque([LATE])

    with pytest.raises(CallError, match=r"Deadline Exceeded\. Make the call again\.") as caught:
        await runner.call(lambda client: client.agency("fr.police"))

    assert (b"", ()) == (caught.value.envelope, caught.value.envelopes)


async def test_retries_are_bounded(runner: Runner, gateway: Loopback, world: World) -> None:
    """A gateway that stays away is given up, with its own words about what to do."""
    gateway.faults["Submit"] = deque([UNAVAILABLE] * 10)

    with pytest.raises(Unavailable, match=r"the disk is full\. Wait\.") as caught:
        await runner.call(lambda client: client.submit(world.envelope()))

    assert ("LEDGER_UNAVAILABLE", QUICK.attempts) == (
        caught.value.reason,
        gateway.calls["Submit"],
    )


@pytest.mark.parametrize(("retry_after", "calls"), [(0.001, 2), (None, 1)])
async def test_exhaustion_is_retried_only_when_told_when(
    runner: Runner, gateway: Loopback, world: World, retry_after: float | None, calls: int
) -> None:
    """RESOURCE_EXHAUSTED without RetryInfo will not pass by waiting."""
    fault = Fault(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", "TOO_MANY_IN_FLIGHT", retry_after=retry_after
    )
    gateway.faults["Submit"] = deque([fault])

    if retry_after is None:
        with pytest.raises(ResourceExhausted, match="busy"):
            await runner.call(lambda client: client.submit(world.envelope()))
    else:
        await runner.call(lambda client: client.submit(world.envelope()))

    assert calls == gateway.calls["Submit"]


async def test_error_carries_reason_violations_and_next_step(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """All that the gateway says of a fault reaches the caller, and nothing is retried."""
    gateway.faults["Submit"] = deque(
        [
            Fault(
                grpc.StatusCode.INVALID_ARGUMENT,
                "two fields are wrong",
                "FIELD_VIOLATIONS",
                "Mend them.",
                violations=(("header.offences[0]", "string.pattern", "digits only"),),
            )
        ]
    )

    with pytest.raises(InvalidMessage) as caught:
        await runner.call(lambda client: client.submit(world.envelope()))

    error = caught.value
    assert ("two fields are wrong", "Mend them.", "FIELD_VIOLATIONS") == (
        error.message,
        error.hint,
        error.reason,
    )
    assert ["header.offences[0]: digits only"] == [str(item) for item in error.violations]
    assert 1 == gateway.calls["Submit"]


async def test_batch_keeps_order_and_errors_in_place(runner: Runner, world: World) -> None:
    """A broken message of a batch has its error where it stood; the others are decided."""
    batch = [world.envelope(number=1), b"\xff", world.envelope(number=2)]

    first, broken, last = await runner.call(lambda client: client.submit_batch(batch))

    assert (message_id(1), "MALFORMED", b"\xff", message_id(2)) == (
        first.message_id,
        broken.reason,
        broken.envelope,
        last.message_id,
    )


async def test_batch_needs_a_result_for_each_message(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """An answer that leaves out a message is an error: nobody could tell which one."""
    batch = [world.envelope(number=number) for number in (1, 2)]
    gateway.shorter = 1

    with pytest.raises(ServerFault, match="gave 1 results for 2 messages") as caught:
        await runner.call(lambda client: client.submit_batch(batch))

    assert tuple(batch) == caught.value.envelopes


async def test_answer_of_any_length_arrives(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """What was decided is not lost because there is much to say of it."""
    gateway.padding = 9 << 20
    batch = [world.envelope(number=number) for number in (1, 2)]

    first, second = await runner.call(lambda client: client.submit_batch(batch))

    assert [message_id(1), message_id(2)] == [first.message_id, second.message_id]
    assert all(len(item.receipt.outcomes[0].salt) > gateway.padding for item in (first, second))


async def test_unsound_message_is_not_sent(runner: Runner, gateway: Loopback) -> None:
    """What breaks the schema is refused before it leaves, with every path."""
    records = indicators("a.example")
    records.indicators[0].record_id = "no-uuid"

    with pytest.raises(EnvelopeError, match=r"indicators\[0\]\.record_id"):
        await runner.call(lambda client: client.send(draft(), contents=[records]))

    assert [] == gateway.received


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda client: client.submit(bytes(MAX_ENVELOPE_BYTES + 1)), "TOO_LARGE"),
        (lambda client: client.submit_batch([bytes(MAX_ENVELOPE_BYTES)] * 9), "TOO_LARGE"),
        (lambda client: client.submit_batch([b"x"] * (MAX_BATCH_MESSAGES + 1)), "BATCH_SIZE"),
        (lambda client: client.submit_batch([]), "BATCH_SIZE"),
    ],
    ids=["message", "batch of nine mebibytes", "batch of 257", "batch of none"],
)
async def test_oversized_submission_is_not_sent(
    runner: Runner, gateway: Loopback, ask: Call, reason: str
) -> None:
    """What gRPC would refuse without a reason is refused here with the gateway's own."""
    with pytest.raises(InvalidMessage) as caught:
        await runner.call(ask)

    assert ("INVALID_ARGUMENT", reason, ()) == (
        caught.value.code,
        caught.value.reason,
        caught.value.envelopes,
    )
    assert 0 == gateway.calls.total()


async def test_subscription_resumes_without_gap_or_repeat(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """A connection that breaks twice changes nothing in what is yielded."""
    for number in range(1, 7):
        world.submit(world.envelope(number=number))
    gateway.break_after = deque([2, 1])

    got = await runner.items(lambda client: client.subscribe(start_cursor=1), 6)

    assert [1, 2, 3, 4, 5, 6] == [item.inbox_position for item in got]
    assert 3 == gateway.calls["Subscribe"]


async def test_subscription_starts_after_the_recorded_cursor(runner: Runner, world: World) -> None:
    """Without a start the gateway's recorded cursor decides; with one that decides."""
    for number in range(1, 5):
        world.submit(world.envelope(number=number))
    await runner.call(lambda client: client.advance_cursor(2))

    recorded = await runner.items(lambda client: client.subscribe(follow=False))
    chosen = await runner.items(lambda client: client.subscribe(start_cursor=4, follow=False))

    assert ([3, 4], [4]) == (
        [item.inbox_position for item in recorded],
        [item.inbox_position for item in chosen],
    )


async def test_message_kept_back_is_an_error(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """An inbox that skips a position raises, after what came before was yielded."""
    for number in range(1, 4):
        world.submit(world.envelope(number=number))
    gateway.skip = {2}
    got: list[int] = []

    with pytest.raises(InboxGap) as caught:
        got += await runner.items(lambda client: client.subscribe(start_cursor=1))

    assert (2, 3) == (caught.value.expected, caught.value.received)


async def test_last_message_kept_back_is_an_error(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """A sign of life that names a later position than is due shows what was kept back."""
    world.submit(world.envelope(number=1))
    world.submit(world.envelope(number=2))
    gateway.skip = {2}

    with pytest.raises(InboxGap):
        await runner.items(lambda client: client.subscribe(start_cursor=1, follow=False))


async def test_subscription_gives_up_after_failures_in_a_row(
    runner: Runner, gateway: Loopback
) -> None:
    """A gateway that never comes back ends the subscription with the reason."""
    gateway.faults["Subscribe"] = deque([UNAVAILABLE] * 10)

    with pytest.raises(Unavailable):
        await runner.items(lambda client: client.subscribe())

    assert QUICK.attempts == gateway.calls["Subscribe"]


async def test_lists_page_by_themselves(runner: Runner, world: World) -> None:
    """Iterating a list fetches page after page until there is none."""
    for number in range(1, 6):
        world.submit(world.envelope(number=number))

    messages = await runner.items(lambda client: client.list_messages())
    agencies = await runner.items(lambda client: client.agencies())
    entries = await runner.items(lambda client: client.entries())
    agreements = await runner.items(lambda client: client.agreements())

    assert ([1, 2, 3, 4, 5], 3, len(world.entries), 1) == (
        [item.inbox_position for item in messages],
        len(agencies),
        len(entries),
        len(agreements),
    )


async def test_reads_return_what_there_is(runner: Runner, world: World) -> None:
    """Single things are fetched by their names."""
    world.submit(world.envelope())

    delivery = await runner.call(lambda client: client.get_message("fr.police", message_id(1)))
    receipt = await runner.call(lambda client: client.get_receipt("fr.police", message_id(1)))
    agency = await runner.call(lambda client: client.agency("th.police"))
    agreement = await runner.call(lambda client: client.agreement("x"))
    tile = await runner.call(lambda client: client.tile(level=0, number=0, width=3))

    assert isinstance(delivery, exchange_service_pb2.Delivery)
    assert (1, 4, "th.police", world.agreement.digest, 96) == (
        delivery.inbox_position,
        receipt.index,
        agency.agency.agency_id,
        agreement.digest,
        len(tile),
    )


async def test_absent_message_is_not_found(runner: Runner) -> None:
    """Denied and absent look the same, and say what to check."""
    with pytest.raises(NotFoundOrDenied, match=r"denied or absent\. Check the sender"):
        await runner.call(lambda client: client.get_message("fr.police", message_id(9)))


async def test_evaluation_stores_nothing(runner: Runner, gateway: Loopback, world: World) -> None:
    """A dry run says what would become of a message, and the log does not grow."""
    before = len(world.entries)

    outcomes = await runner.call(
        lambda client: client.evaluate_draft(draft(), contents=[persons()])
    )

    assert ["Art. 2"] == [item.decision.article for item in outcomes]
    assert (before, []) == (len(world.entries), gateway.received)


async def test_checkpoints_must_continue_each_other(runner: Runner, world: World) -> None:
    """A log that grew is accepted; one that was rewritten is not."""
    first = await runner.call(lambda client: client.checkpoint())
    world.submit(world.envelope())
    second = await runner.call(lambda client: client.checkpoint())
    world.entries[0].data = world.entries[1].data

    with pytest.raises(ProofError):
        await runner.call(lambda client: client.checkpoint())
    assert (4, 5) == (first.checkpoint.size, second.checkpoint.size)


async def test_shorter_log_is_not_accepted(
    runner: Runner, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that lost entries is noticed."""
    world.submit(world.envelope())
    await runner.call(lambda client: client.checkpoint())
    world.entries.pop()
    monkeypatch.setattr(world, "consistency", lambda _size: [])

    with pytest.raises(ProofError, match="has 4 entries and had 5 before"):
        await runner.call(lambda client: client.checkpoint())


def test_checkpoint_needs_a_key(certificates: Certificates, target: str) -> None:
    """A client that could not verify a checkpoint does not hand one out."""
    with (
        Client(target=target, agency="fr.police", audience=ORIGIN, tls=certificates.tls) as client,
        pytest.raises(ConfigurationError, match="no key of the log"),
    ):
        client.checkpoint()


def test_client_needs_credentials_or_a_channel() -> None:
    """There is no way to talk to a gateway without TLS by mistake."""
    with pytest.raises(ConfigurationError, match="no TLS credentials"):
        Client(target="localhost:1", agency="fr.police", audience=ORIGIN)


def test_sending_needs_a_signer(certificates: Certificates, target: str) -> None:
    """A client without keys reads, and says what it lacks to send."""
    with (
        Client(target=target, agency="fr.police", audience=ORIGIN, tls=certificates.tls) as client,
        pytest.raises(ConfigurationError, match="no key to sign with"),
    ):
        client.send(draft(), contents=[indicators("a.example")])


def test_channel_of_the_caller_is_used_and_left_open(
    certificates: Certificates, target: str, world: World
) -> None:
    """A transport can be swapped; whoever made it closes it."""
    channel = grpc.secure_channel(target, certificates.tls.channel_credentials())
    with Client(target="", agency="fr.police", audience=ORIGIN, channel=channel) as first:
        first.submit(world.envelope())
    with Client(target="", agency="fr.police", audience=ORIGIN, channel=channel) as second:
        again = second.submit(world.envelope())
    channel.close()

    assert again.repeated


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.submit(b"x"),
        lambda client: client.send(draft(), contents=[indicators("a.example")]),
        lambda client: client.submit_batch([b"x"]),
        lambda client: client.advance_cursor(1),
        lambda client: client.get_message("fr.police", message_id(1)),
        lambda client: client.get_receipt("fr.police", message_id(1)),
        lambda client: client.agency("fr.police"),
        lambda client: client.agreement("x"),
        lambda client: client.evaluate(b"x"),
        lambda client: client.evaluate_draft(draft(), contents=[indicators("a.example")]),
        lambda client: client.checkpoint(),
        lambda client: client.tile(level=0, number=0),
    ],
)
async def test_closed_client_makes_no_call(runner: Runner, gateway: Loopback, ask: Call) -> None:
    """Whatever is asked of a client after it was closed ends in the same typed error."""
    await runner.close()

    with pytest.raises(Cancelled, match=r"client or its channel is closed\. Make a new client"):
        await runner.call(ask)

    assert 0 == gateway.calls.total()


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.subscribe(),
        lambda client: client.list_messages(),
        lambda client: client.agencies(),
        lambda client: client.agreements(),
        lambda client: client.entries(),
    ],
)
async def test_closed_client_yields_nothing(runner: Runner, gateway: Loopback, ask: Call) -> None:
    """Neither subscriptions nor lists begin after the client was closed."""
    await runner.close()

    with pytest.raises(Cancelled, match="client or its channel is closed"):
        await runner.items(ask)

    assert 0 == gateway.calls.total()


async def test_message_under_way_when_the_client_is_closed_can_be_submitted_again(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """It may have been admitted, so the error holds it."""
    gateway.gate.clear()
    data = world.envelope()
    under_way = asyncio.create_task(runner.beside(lambda client: client.submit(data)))
    await asyncio.to_thread(gateway.arrived.acquire, timeout=PATIENCE)

    await runner.close()
    with pytest.raises(Cancelled, match="submit the same bytes with it") as caught:
        await under_way
    gateway.gate.set()

    assert data == caught.value.envelope


async def test_subscription_ends_when_the_client_is_closed(
    runner: Runner, gateway: Loopback
) -> None:
    """Whoever waits for messages is told that none will come."""
    if isinstance(runner, Blocking):
        ask: Call = lambda client: list(client.subscribe())  # noqa: E731 - the other is no function
    else:

        async def ask(client: AsyncClient) -> list[Any]:
            return [item async for item in client.subscribe()]

    waiting = asyncio.create_task(runner.beside(ask))
    await asyncio.to_thread(gateway.arrived.acquire, timeout=PATIENCE)

    await runner.close()

    with pytest.raises(Cancelled, match="client or its channel is closed"):
        await waiting


async def test_subscription_on_a_borrowed_channel_ends_when_the_client_is_closed(
    certificates: Certificates, target: str, world: World
) -> None:
    """A closed client yields nothing more, though its channel is not its own to close."""
    for number in (1, 2):
        world.submit(world.envelope(number=number))
    with grpc.secure_channel(target, certificates.tls.channel_credentials()) as channel:
        client = Client(target="", agency="fr.police", audience=ORIGIN, channel=channel)
        inbox = client.subscribe()

        first = next(inbox)
        client.close()

        with pytest.raises(Cancelled):
            next(inbox)
    assert 1 == first.inbox_position


async def test_channel_that_its_owner_closed_is_a_typed_error(
    certificates: Certificates, target: str
) -> None:
    """A client that is open says so as well when its channel no longer is."""
    blocking = grpc.secure_channel(target, certificates.tls.channel_credentials())
    asynchronous = aio.secure_channel(target, certificates.tls.channel_credentials())
    blocking.close()
    await asynchronous.close()

    with pytest.raises(Cancelled):
        Client(target="", agency="a", audience=ORIGIN, channel=blocking).agency("fr.police")
    with pytest.raises(Cancelled):
        await AsyncClient(target="", agency="a", audience=ORIGIN, channel=asynchronous).agency(
            "fr.police"
        )


async def test_cancelled_task_is_cancelled(
    certificates: Certificates, gateway: Loopback, target: str, world: World
) -> None:
    """A task that is cancelled in a call ends as asyncio has it, not as if a client were closed."""
    gateway.gate.clear()
    async with AsyncClient(
        target=target, agency="fr.police", audience=ORIGIN, tls=certificates.tls
    ) as client:
        task = asyncio.create_task(client.submit(world.envelope()))
        await asyncio.to_thread(gateway.arrived.acquire, timeout=PATIENCE)

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
    gateway.gate.set()


def test_gateway_of_another_authority_is_refused(
    certificates: Certificates, gateway: Loopback
) -> None:
    """A server that the CA did not certify gets nothing; the error names the certificates."""
    with (
        serving(gateway, make_certificates()) as address,
        Client(
            target=address,
            agency="fr.police",
            audience=ORIGIN,
            tls=certificates.tls,
            retry=RetryPolicy(attempts=1),
        ) as client,
        pytest.raises(Unavailable, match="CA and client certificates"),
    ):
        client.agency("fr.police")

    assert 0 == gateway.calls["GetAgency"]
