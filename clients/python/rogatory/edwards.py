"""Which 32 bytes are an Ed25519 public key that only its owner can sign for.

OpenSSL takes any 32 bytes as a public key. Under a low-order key anyone can make signatures that
verify, and under one with a low-order component implementations disagree on which signatures do.
Signatures here are meant to be undeniable, so both are refused when a key is enrolled.
Arithmetic after RFC 8032 section 5.1; nothing here touches a secret, so nothing is constant-time.
"""

from __future__ import annotations

from functools import lru_cache

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_M1 = pow(2, (_P - 1) // 4, _P)
_SIGN_BIT = 1 << 255

# The eight points of low order share five y coordinates: 1 is the identity, -1 has order 2, 0 has
# order 4, the other two have order 8.
_Y_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_LOW_ORDER_Y = frozenset({0, 1, _P - 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8})

_Point = tuple[int, int, int, int]
_IDENTITY: _Point = (0, 1, 1, 0)


def encoding_fault(raw: bytes) -> str:
    """Say what is wrong with an encoding as such, or "" (32 bytes in; a few microseconds).

    Finds every non-canonical encoding and every point of low order.
    """
    y = int.from_bytes(raw, "little") & (_SIGN_BIT - 1)
    if y >= _P:
        return "its encoding is not canonical"
    if y in _LOW_ORDER_Y:
        return "it is a point of low order, under which anyone can sign"
    return ""


@lru_cache(maxsize=4096)
def point_fault(raw: bytes) -> str:
    """Say what is wrong with the point itself, or "" (32 bytes in; a few milliseconds).

    Finds in addition whatever is not on the curve or not in the subgroup of prime order. The latest
    answers are remembered: the roots of an exchange stand in many documents.
    """
    fault = encoding_fault(raw)
    if fault:
        return fault
    encoded = int.from_bytes(raw, "little")
    y = encoded & (_SIGN_BIT - 1)
    x = _recover_x(y, odd=bool(encoded & _SIGN_BIT))
    if x is None:
        return "it is not a point of the curve"
    x_at_l, y_at_l, z_at_l, _ = _multiply(_L, (x, y, 1, x * y % _P))
    if x_at_l != 0 or y_at_l != z_at_l:
        return "it has a low-order component, so verifiers would disagree on its signatures"
    return ""


def _recover_x(y: int, *, odd: bool) -> int | None:
    """Solve the curve's equation for x (RFC 8032 section 5.1.3)."""
    numerator = (y * y - 1) % _P
    denominator = (_D * y * y + 1) % _P
    x = numerator * pow(denominator, 3, _P) % _P
    x = x * pow(numerator * pow(denominator, 7, _P), (_P - 5) // 8, _P) % _P
    if (denominator * x * x - numerator) % _P != 0:
        x = x * _SQRT_M1 % _P
        if (denominator * x * x - numerator) % _P != 0:
            return None
    return _P - x if bool(x & 1) != odd else x


def _add(first: _Point, second: _Point) -> _Point:
    """Add in extended coordinates; also doubles (RFC 8032 section 5.1.4)."""
    x1, y1, z1, t1 = first
    x2, y2, z2, t2 = second
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * _D * t1 * t2 % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply(scalar: int, point: _Point) -> _Point:
    total = _IDENTITY
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total
