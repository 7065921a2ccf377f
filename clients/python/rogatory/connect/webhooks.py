"""Notices over HTTP, signed as Standard Webhooks 1.0.0 has it (https://www.standardwebhooks.com).

Three headers go with the body: ``webhook-id``, ``webhook-timestamp`` (seconds since the Unix epoch)
and ``webhook-signature``, which holds two signatures over ``id.timestamp.body``: ``v1``
(HMAC-SHA256, for whoever shares a secret) and ``v1a`` (Ed25519, for whoever would rather not).

Both keys are derived from one master key and the receiver's address, so that no receiver can speak
to another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rogatory import clock
from rogatory.errors import ConfigurationError, SignatureInvalid
from rogatory.keys import ED25519, PrivateKey, PublicKey

SECRET_PREFIX, PUBLIC_PREFIX = "whsec_", "whpk_"
ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = (
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)
MASTER_BYTES = 32
TOLERANCE_SECONDS = 300
"""How far the time of an attempt may be from the receiver's clock, as the specification's own
libraries have it."""

MAX_BODY_BYTES = 20_000
"""What the specification recommends as most; a notice has a few hundred."""

_SECRET_DOMAIN = b"rogatory.webhook.v1\x00"
_KEY_DOMAIN = b"rogatory.webhook.v1a\x00"
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What happened, without personal data: whoever wants to know more reads the folder.

    Attributes:
        id: The same however often it is sent; letters, digits, ``_`` and ``-``.
        type: What happened, as ``message.arrived``.
        time: When, nanoseconds since the Unix epoch.
        data: Ids, kind, sender, position, state, path: texts and whole numbers.
    """

    id: str
    type: str
    time: int
    data: Mapping[str, str | int]

    def body(self) -> bytes:
        """The JSON that is sent, without spaces."""
        value = {"type": self.type, "timestamp": clock.to_text(self.time), "data": dict(self.data)}
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class WebhookKeys:
    """The keys for one receiver.

    Attributes:
        secret: For HMAC-SHA256, 32 bytes.
        private: For Ed25519.
    """

    secret: bytes
    private: PrivateKey

    @classmethod
    def derive(cls, master: bytes, url: str) -> WebhookKeys:
        """Derive them from the master key (32 bytes) and the receiver's address."""
        address = url.encode()
        return cls(
            secret=hmac.digest(master, _SECRET_DOMAIN + address, "sha256"),
            private=PrivateKey.from_seed(hmac.digest(master, _KEY_DOMAIN + address, "sha256")),
        )

    @property
    def secret_text(self) -> str:
        """The secret as receivers write it: ``whsec_`` and base64."""
        return SECRET_PREFIX + base64.b64encode(self.secret).decode()

    @property
    def public_text(self) -> str:
        """The public key as receivers write it: ``whpk_`` and base64."""
        return PUBLIC_PREFIX + base64.b64encode(self.private.public_key.raw).decode()

    def headers(self, notice_id: str, body: bytes, *, now: int) -> dict[str, str]:
        """Return the three headers of an attempt made now, nanoseconds since the Unix epoch."""
        seconds = str(now // clock.NANOSECONDS_PER_SECOND)
        signed = _signed(notice_id, seconds, body)
        shared = hmac.digest(self.secret, signed, "sha256")
        own = self.private.sign(signed)
        return {
            ID_HEADER: notice_id,
            TIME_HEADER: seconds,
            SIGNATURE_HEADER: f"v1,{_base64(shared)} v1a,{_base64(own)}",
        }


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    key: str,
    now: int,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> Notice:
    """Check a notice that came over HTTP; return what it says.

    The same notice may come more than once: do nothing for an id that was dealt with.

    Args:
        headers: The request's headers; upper and lower case are the same.
        body: The bytes of its body, as they came.
        key: The receiver's secret (``whsec_...``), or the sender's public key (``whpk_...``).
        now: Nanoseconds since the Unix epoch.
        tolerance_seconds: How far the time of the attempt may be from now.

    Raises:
        SignatureInvalid: A header is missing, the time is another, or no signature by this key
            is right.
        ConfigurationError: The key is not one.
        KeyRejected: It is a public key under which anyone can sign.
    """
    found = {name.lower(): value for name, value in headers.items()}
    notice_id = found.get(ID_HEADER, "")
    seconds = found.get(TIME_HEADER, "")
    if not _ID.fullmatch(notice_id) or not _SECONDS.fullmatch(seconds):
        raise _invalid(f"{ID_HEADER} or {TIME_HEADER} is missing or malformed")
    if abs(now - int(seconds) * clock.NANOSECONDS_PER_SECOND) > (
        tolerance_seconds * clock.NANOSECONDS_PER_SECOND
    ):
        raise _invalid(f"its time is more than {tolerance_seconds} seconds from now")
    if len(body) > MAX_BODY_BYTES:
        raise _invalid(f"it is longer than {MAX_BODY_BYTES} bytes")
    _check(found.get(SIGNATURE_HEADER, ""), _signed(notice_id, seconds, body), key)
    return _notice(notice_id, body)


def _check(header: str, signed: bytes, key: str) -> None:
    """Look for one signature by the key that is right; there may be others, by other keys."""
    given = [item.partition(",") for item in header.split(" ")]
    if key.startswith(PUBLIC_PREFIX):
        public = PublicKey(ED25519, _raw(key, PUBLIC_PREFIX))
        public.check_enrolment()
        for scheme, _, text in given:
            if scheme == "v1a":
                try:
                    public.verify(_signature(text), signed)
                except SignatureInvalid:
                    continue
                return
    else:
        expected = hmac.digest(_raw(key, SECRET_PREFIX), signed, "sha256")
        for scheme, _, text in given:
            if scheme == "v1" and hmac.compare_digest(expected, _signature(text)):
                return
    raise _invalid("none of its signatures is right")


def _notice(notice_id: str, body: bytes) -> Notice:
    try:
        value = json.loads(body)
        return Notice(
            id=notice_id,
            type=value["type"],
            time=clock.from_datetime(datetime.fromisoformat(value["timestamp"])),
            data=_data(value["data"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _invalid("its body is not a notice") from error


def _data(value: Any) -> dict[str, str | int]:  # noqa: ANN401 - JSON
    return {str(name): item if isinstance(item, int) else str(item) for name, item in value.items()}


def _signed(notice_id: str, seconds: str, body: bytes) -> bytes:
    return f"{notice_id}.{seconds}.".encode() + body


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _raw(key: str, prefix: str) -> bytes:
    try:
        raw = base64.b64decode(key.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not key.startswith(prefix) or len(raw) != hashlib.sha256().digest_size:
        raise ConfigurationError(
            f"The key is neither {SECRET_PREFIX}... nor {PUBLIC_PREFIX}...",
            hint="Print it where notices come from: rogatory connect secret URL",
        )
    return raw


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _invalid(what: str) -> SignatureInvalid:
    return SignatureInvalid(
        f"The notice does not verify: {what}",
        hint="Do not act on it. Check the key and the clock; pass the body on as it came.",
    )
