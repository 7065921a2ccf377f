"""Load: messages signed ahead of time, sent with raw bytes so that the client costs little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import grpc

from rogatory import envelopes
from rogatory.exchange.v1 import codes_pb2, exchange_service_pb2
from rogatory.records.v1 import evidence_pb2
from tests.support.world import Agency, header

SUBMIT = "/rogatory.exchange.v1.ExchangeService/Submit"
SUBMIT_BATCH = "/rogatory.exchange.v1.ExchangeService/SubmitBatch"

MESSAGE_BYTES = 1024
"""Bytes of header and parts of each message, the size that throughput is measured at."""

DESCRIPTION = ("Server seized at a hosting provider, rack 12. " * 20)[:691]


def contents(index: int) -> evidence_pb2.EvidenceItems:
    """Return a part that fills a message up to `MESSAGE_BYTES`: one seized server, described."""
    message = evidence_pb2.EvidenceItems()
    message.items.add(
        record_id=f"00000000-0000-4000-8000-{index:012x}",
        item_number=f"2026-{index:06}",
        kind=evidence_pb2.EVIDENCE_KIND_DEVICE,
        description=DESCRIPTION,
    )
    return message


def messages(agency: Agency, recipients: Sequence[tuple[str, str, str]], count: int) -> list[bytes]:
    """Return ``count`` signed messages of about 1 KiB."""
    return [
        envelopes.build(
            header=header(agency.agency_id, *recipients),
            contents=[contents(index)],
            signers=[(agency.signing, codes_pb2.KEY_ROLE_SIGNING)],
        )
        for index in range(count)
    ]


def size_of(data: bytes) -> int:
    """Return the bytes of header and part contents of an envelope."""
    opened = envelopes.open_envelope(data)
    return len(opened.header_bytes) + sum(part.size for part in opened.header.parts)


async def rate(
    channel: grpc.aio.Channel, method: str, requests: Sequence[bytes], *, in_flight: int
) -> float:
    """Send all requests, so many at a time; return calls per second."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    todo = iter(requests)

    async def worker() -> None:
        for request in todo:
            await call(request)

    begin = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return len(requests) / (time.perf_counter() - begin)


def submit_requests(envelopes_: Sequence[bytes]) -> list[bytes]:
    """Return serialised SubmitRequests."""
    return [
        exchange_service_pb2.SubmitRequest(envelope=data).SerializeToString() for data in envelopes_
    ]


def batch_requests(envelopes_: Sequence[bytes], size: int) -> list[bytes]:
    """Return serialised SubmitBatchRequests of ``size`` messages each."""
    return [
        exchange_service_pb2.SubmitBatchRequest(
            envelopes=envelopes_[start : start + size]
        ).SerializeToString()
        for start in range(0, len(envelopes_), size)
    ]
