"""Pages and their tokens."""

from __future__ import annotations

import base64

import pytest

from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import agreement_service_pb2, exchange_service_pb2
from rogatory_gateway.services.calls import check_request, page_size, page_start, page_token

Request = exchange_service_pb2.ListMessagesRequest


@pytest.mark.parametrize(("wanted", "size"), [(0, 100), (1, 1), (100, 100), (2**32 - 1, 100)])
def test_page_size_is_coerced(wanted: int, size: int) -> None:
    """A page is as large as wanted, up to the most; without a wish it is the most."""
    assert size == page_size(wanted, 100)


@pytest.mark.parametrize("position", [0, 1, 2**63 - 1])
def test_token_continues_its_own_question(position: int) -> None:
    """The token gives back the position for the same filter, whatever the page's size."""
    token = page_token(Request(thread="t", page_size=3), position)

    assert position == page_start(Request(thread="t", page_size=50, page_token=token))
    assert -1 == page_start(Request())


def test_token_of_another_question() -> None:
    """Another filter, or another call with an equal request, is not continued by it."""
    token = page_token(Request(), 7)

    for request in (
        Request(thread="t", page_token=token),
        Request(exercise=True, page_token=token),
        agreement_service_pb2.ListAgreementsRequest(page_token=token),
    ):
        with pytest.raises(EnvelopeError) as failed:
            page_start(request)
        assert "TOKEN_INVALID" == failed.value.reason


def test_forged_tokens() -> None:
    """What was not given is not taken: garbled, too short, or beyond what there can be."""
    good = base64.urlsafe_b64decode(page_token(Request(), 7))
    forged = (
        "x",
        "ünfug",
        base64.urlsafe_b64encode(good[:-1]).decode(),
        base64.urlsafe_b64encode(good + b"\x00").decode(),
        base64.urlsafe_b64encode(good[:8] + b"\xff" * 8).decode(),
    )

    for token in forged:
        with pytest.raises(EnvelopeError) as failed:
            page_start(Request(page_token=token))
        assert "TOKEN_INVALID" == failed.value.reason


def test_requests_keep_their_schema() -> None:
    """A request that breaks its rules is refused with the field's path."""
    check_request(Request())

    with pytest.raises(EnvelopeError) as failed:
        check_request(Request(box=9))  # type: ignore[arg-type]  # the fault under test

    assert [("box", "enum.defined_only")] == [
        (violation.path, violation.rule) for violation in failed.value.violations
    ]
