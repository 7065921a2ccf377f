"""Keys verify what they should, and keys that no honest tool makes are refused."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from typing import NoReturn

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rogatory import keys
from rogatory.edwards import encoding_fault, point_fault
from rogatory.errors import KeyRejected, SignatureInvalid
from rogatory.keys import ALGORITHMS, ED25519, ML_DSA_44, ML_DSA_65, PrivateKey, PublicKey
from tests.vectors import vectors_json

P = 2**255 - 19

# RFC 8032 section 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def point(y: int, sign: int = 0) -> bytes:
    """An encoding: y, and the sign of x in the top bit."""
    return (y | sign << 255).to_bytes(32, "little")


LOW_ORDER = [
    point(y, sign)
    for y in (
        0,
        1,
        P - 1,
        int.from_bytes(
            bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
            "little",
        ),
        int.from_bytes(
            bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
            "little",
        ),
    )
    for sign in (0, 1)
]


def private_key(algorithm: str) -> PrivateKey:
    """A fixed key, where the installed cryptography can make one."""
    try:
        return PrivateKey.from_seed(bytes(range(32)), algorithm=algorithm)
    except KeyRejected as error:
        pytest.skip(error.message)


def test_rfc_8032_example() -> None:
    """Signing and verifying agree with the standard's own example."""
    key = PrivateKey.from_seed(SEED)

    assert SIGNATURE == key.sign(b"\x72")
    assert PublicKey(ED25519, PUBLIC) == key.public_key
    key.public_key.verify(SIGNATURE, b"\x72")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_signs_and_verifies(algorithm: str) -> None:
    """A signature has the stated size, verifies, and fails over other bytes."""
    key = private_key(algorithm)

    signature = key.sign(b"message")

    details = ALGORITHMS[algorithm]
    sizes = (details.public_key_size, details.signature_size)
    assert sizes == (len(key.public_key.raw), len(signature))
    key.public_key.verify(signature, b"message")
    key.public_key.check_enrolment()
    with pytest.raises(SignatureInvalid, match="does not verify"):
        key.public_key.verify(signature, b"other message")
    with pytest.raises(SignatureInvalid):
        key.public_key.verify(signature[:-1], b"message")


def test_ed25519_comes_first() -> None:
    """The preferred algorithm heads the table."""
    assert [ED25519, ML_DSA_44, ML_DSA_65] == list(ALGORITHMS)


def test_fingerprint_commits_to_algorithm_and_key() -> None:
    """The fingerprint is the hash that the protocol document states."""
    expected = hashlib.sha256(b"rogatory.key.v1\x00Ed25519\x00" + PUBLIC).digest()

    assert expected == PublicKey(ED25519, PUBLIC).fingerprint
    assert expected == keys.fingerprint(ED25519, PUBLIC)


def test_text_form_round_trips() -> None:
    """A key in a configuration file is read back equal, and so is a pickled one."""
    key = PublicKey(ED25519, PUBLIC)

    assert key.text == "Ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
    assert key == PublicKey.from_text(key.text)
    assert key == pickle.loads(pickle.dumps(key))  # noqa: S301 - made in this line
    assert 1 == len({key, PublicKey.from_text(key.text)})
    assert f"PublicKey('{key.text}')" == repr(key)
    assert key != key.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ed25519",
        "Ed25519:",
        "Ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw",
        "Ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgx=",
        "Ed25519: PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
        "Ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zg==",
        "Ed448:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
    ],
)
def test_malformed_text_form_is_refused(text: str) -> None:
    """Cut, respelled or misnamed keys are not guessed at."""
    with pytest.raises(KeyRejected):
        PublicKey.from_text(text)


@pytest.mark.parametrize("raw", LOW_ORDER, ids=bytes.hex)
def test_low_order_key_is_refused(raw: bytes) -> None:
    """Under such a key anyone can sign, so it never becomes a PublicKey."""
    with pytest.raises(KeyRejected, match="low order"):
        PublicKey(ED25519, raw)


@pytest.mark.parametrize("y", [P, P + 1, P + 18])
@pytest.mark.parametrize("sign", [0, 1])
def test_non_canonical_key_is_refused(y: int, sign: int) -> None:
    """One point has one encoding."""
    with pytest.raises(KeyRejected, match="not canonical"):
        PublicKey(ED25519, point(y, sign))


def test_key_off_the_curve_is_refused_at_enrolment() -> None:
    """Half of all strings of 32 bytes are no point at all."""
    off_curve = [point(y) for y in range(2, 40) if "not a point" in point_fault(point(y))]

    assert 10 < len(off_curve) < 30
    with pytest.raises(KeyRejected, match="not a point of the curve"):
        PublicKey(ED25519, off_curve[0]).check_enrolment()


def test_key_outside_the_prime_order_subgroup_is_refused_at_enrolment() -> None:
    """Seven of eight points of the curve carry a low-order component."""
    faults = [point_fault(point(y)) for y in range(2, 60)]

    assert 0 < sum("low-order component" in fault for fault in faults)
    mixed = next(y for y, fault in enumerate(faults, 2) if "component" in fault)
    with pytest.raises(KeyRejected, match="low-order component"):
        PublicKey(ED25519, point(mixed)).check_enrolment()


def test_wrong_length_is_refused() -> None:
    """A cut key is named as such."""
    with pytest.raises(KeyRejected, match="has 32 bytes, not 31"):
        PublicKey(ED25519, PUBLIC[:31])
    with pytest.raises(KeyRejected, match="A seed has 32 bytes, not 33"):
        PrivateKey.from_seed(SEED + b"\x00")


def test_key_of_another_kind_is_refused() -> None:
    """A key for key agreement cannot sign."""
    with pytest.raises(KeyRejected, match="X25519PrivateKey does not sign"):
        PrivateKey(X25519PrivateKey.generate())


def test_algorithm_that_cryptography_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the installed package lacks an algorithm, the error says what to install."""

    def refuse(_: bytes) -> NoReturn:
        raise UnsupportedAlgorithm("not in this build")

    lacking = replace(ALGORITHMS[ML_DSA_44], load_public=refuse, from_seed=refuse)
    monkeypatch.setattr(keys, "ALGORITHMS", {ML_DSA_44: lacking})

    with pytest.raises(KeyRejected, match="cannot do ML-DSA-44"):
        PrivateKey.from_seed(SEED, algorithm=ML_DSA_44)
    with pytest.raises(KeyRejected, match="cannot do ML-DSA-44"):
        PublicKey(ML_DSA_44, bytes(1312))


def test_private_key_does_not_print_itself() -> None:
    """Logs and tracebacks show the public half only."""
    key = PrivateKey.from_seed(SEED)

    assert f"PrivateKey(of {key.public_key})" == repr(key)
    assert SEED.hex() not in repr(key)


def test_cctv_vectors_are_refused_at_enrolment() -> None:
    """Each published low-order or non-canonical key is refused; none of the others is cheap to."""
    vectors = vectors_json("cctv-ed25519", "ed25519vectors.json")
    keys = {vector["key"]: set(vector["flags"] or ()) for vector in vectors}
    bad = {key for key, flags in keys.items() if flags & {"low_order_A", "non_canonical_A"}}
    mixed = {key for key, flags in keys.items() if "low_order_component_A" in flags}

    assert bad
    assert bad == {key for key in keys if encoding_fault(bytes.fromhex(key))}
    assert bad | mixed == {key for key in keys if point_fault(bytes.fromhex(key))}
    for key in bad:
        with pytest.raises(KeyRejected):
            PublicKey(ED25519, bytes.fromhex(key))


def test_wycheproof_ed25519() -> None:
    """Every published signature is accepted or rejected as its authors say."""
    groups = vectors_json("wycheproof", "ed25519_test.json")["testGroups"]
    expected: dict[int, str] = {}
    answers: dict[int, str] = {}
    for group in groups:
        key = PublicKey(ED25519, bytes.fromhex(group["publicKey"]["pk"]))
        for test in group["tests"]:
            expected[test["tcId"]] = test["result"]
            answers[test["tcId"]] = answer(key, test)

    assert 151 == len(answers)
    assert expected == answers


def test_wycheproof_ml_dsa_44() -> None:
    """The same for ML-DSA, where the vector uses the empty context as the library does."""
    groups = vectors_json("wycheproof", "mldsa_44_verify_test.json")["testGroups"]
    private_key(ML_DSA_44)
    expected: dict[int, str] = {}
    answers: dict[int, str] = {}
    for group in groups:
        tests = [test for test in group["tests"] if not test.get("ctx")]
        expected |= {test["tcId"]: test["result"] for test in tests}
        try:
            key = PublicKey(ML_DSA_44, bytes.fromhex(group["publicKey"]))
        except KeyRejected:
            answers |= {test["tcId"]: "invalid" for test in tests}
            continue
        answers |= {test["tcId"]: answer(key, test) for test in tests}

    assert 100 < len(answers)
    assert expected == answers


def answer(key: PublicKey, test: dict[str, str]) -> str:
    """A vector's result by our own verification."""
    try:
        key.verify(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))
    except SignatureInvalid:
        return "invalid"
    return "valid"
