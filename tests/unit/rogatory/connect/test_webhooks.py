"""Signed notices: what is sent verifies, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from rogatory.connect import Notice, verify_webhook
from rogatory.connect.webhooks import WebhookKeys
from rogatory.errors import ConfigurationError, KeyRejected, SignatureInvalid

MASTER = bytes(range(32))
URL = "https://cases.example/hook"
NOW = 1_790_000_000_000_000_000
MINUTE = 60_000_000_000
NOTICE = Notice(
    id="message-arrived-7",
    type="message.arrived",
    time=NOW,
    data={"position": 7, "sender": "fr.pj"},
)
KEYS = WebhookKeys.derive(MASTER, URL)


@pytest.mark.parametrize("key", [KEYS.secret_text, KEYS.public_text])
def test_notice_verifies_with_either_key(key: str) -> None:
    """A receiver needs the secret or the public key, and gets back what was said."""
    headers = KEYS.headers(NOTICE.id, NOTICE.body(), now=NOW)

    found = verify_webhook(
        {k.title(): v for k, v in headers.items()}, NOTICE.body(), key=key, now=NOW
    )

    assert NOTICE == found


def test_signature_is_what_the_specification_says() -> None:
    """HMAC-SHA256 over id, time in seconds and body, in base64 behind v1."""
    headers = KEYS.headers(NOTICE.id, b"{}", now=NOW)
    secret = base64.b64decode(KEYS.secret_text.removeprefix("whsec_"))
    expected = hmac.new(secret, b"message-arrived-7.1790000000.{}", hashlib.sha256).digest()

    assert f"v1,{base64.b64encode(expected).decode()}" == headers["webhook-signature"].split(" ")[0]
    assert "1790000000" == headers["webhook-timestamp"]


@pytest.mark.parametrize("key", [KEYS.secret_text, KEYS.public_text])
@pytest.mark.parametrize(
    "change",
    [
        {"body": NOTICE.body() + b" "},
        {"webhook-id": "message-arrived-8"},
        {"webhook-id": "message.arrived"},
        {"webhook-timestamp": "1790000001"},
        {"webhook-timestamp": "x"},
        {"webhook-signature": "v1,AAAA v1a,AAAA"},
        {"webhook-signature": "v1,é v1a,~"},
        {"webhook-signature": ""},
        {"now": NOW + 6 * MINUTE},
        {"now": NOW - 6 * MINUTE},
    ],
)
def test_anything_changed_does_not_verify(key: str, change: dict[str, object]) -> None:
    """Body, id, time and signatures are bound, and an old notice is none."""
    headers = KEYS.headers(NOTICE.id, NOTICE.body(), now=NOW)
    headers |= {name: str(value) for name, value in change.items() if name.startswith("webhook")}
    body = change.get("body", NOTICE.body())
    now = change.get("now", NOW)
    assert isinstance(body, bytes)
    assert isinstance(now, int)

    with pytest.raises(SignatureInvalid, match="does not verify"):
        verify_webhook(headers, body, key=key, now=now)


def test_one_receiver_cannot_speak_to_another() -> None:
    """Each address has keys of its own."""
    other = WebhookKeys.derive(MASTER, "https://other.example/hook")
    headers = other.headers(NOTICE.id, NOTICE.body(), now=NOW)

    for key in (KEYS.secret_text, KEYS.public_text):
        with pytest.raises(SignatureInvalid):
            verify_webhook(headers, NOTICE.body(), key=key, now=NOW)


@pytest.mark.parametrize(
    "key", ["", "whsec_", "whsec_x", "whpk_AAAA", "whpk_" + "A" * 43 + "=", "x"]
)
def test_what_is_no_key_says_so(key: str) -> None:
    """A mistyped key is a fault of the settings, not of the notice."""
    headers = KEYS.headers(NOTICE.id, NOTICE.body(), now=NOW)

    with pytest.raises((ConfigurationError, KeyRejected)):
        verify_webhook(headers, NOTICE.body(), key=key, now=NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type":"a","timestamp":"2026","data":1}'])
def test_signed_nonsense_is_no_notice(body: bytes) -> None:
    """A body of another form is refused, whoever signed it."""
    headers = KEYS.headers(NOTICE.id, body, now=NOW)

    with pytest.raises(SignatureInvalid, match="not a notice"):
        verify_webhook(headers, body, key=KEYS.secret_text, now=NOW)
