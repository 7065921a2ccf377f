"""Agreements as documents: the exact bytes that parties sign, their signatures, and the file.

A file of a signed agreement is a text armour around a serialised `SignedAgreement`, so that it can
be mailed and compared, and what it holds stays byte-exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from rogatory import dsse, wire
from rogatory.agreements import armour
from rogatory.agreements.checks import BASE_AGREEMENT_ID, check_agreement
from rogatory.agreements.compiled import CompiledAgreement, compile_agreement
from rogatory.agreements.text import faulty
from rogatory.errors import AgreementError, EnvelopeError, Issue, KeyRejected, SignatureInvalid
from rogatory.exchange.v1 import agreement_pb2, envelope_pb2
from rogatory.keys import PublicKey
from rogatory.signers import Signer
from rogatory.statements import proto_key

MAX_AGREEMENT_BYTES = 49152
"""As `SignedAgreement.agreement` allows, so that a log entry holds it with its signatures."""

BASE_DIGEST = bytes.fromhex("c7c763bd315738bce33b19a0b8dc285f13bf3d43c1e2a7858c0d40cd156c0686")
"""SHA256 of the published base agreement, version 1, which nobody signs: these bytes alone."""

_LABEL = "ROGATORY AGREEMENT"


def render(
    agreement: agreement_pb2.Agreement, *, roots: Mapping[str, PublicKey] | None = None
) -> bytes:
    """Return the exact bytes that the parties sign.

    Args:
        agreement: As `text.read_agreement` returns it; not changed.
        roots: Root keys of parties by agency id, for those that the text leaves out.

    Raises:
        AgreementError: A party has no root or two different ones, a root is given for no party, the
            agreement is faulty, or its bytes are too many.
    """
    complete = agreement_pb2.Agreement()
    complete.CopyFrom(agreement)
    issues = list(_fill(complete, roots or {}))
    issues.extend(issue for issue in check_agreement(complete) if not _lacks_root(issue, complete))
    if issues:
        raise faulty(f"agreement {agreement.agreement_id}", issues)
    data = complete.SerializeToString(deterministic=True)
    if len(data) > MAX_AGREEMENT_BYTES:
        raise AgreementError(
            f"agreement {agreement.agreement_id} has {len(data)} bytes, more than"
            f" {MAX_AGREEMENT_BYTES}",
            hint="Shorten the words of its clauses, or split it into two agreements.",
        )
    return data


def _fill(agreement: agreement_pb2.Agreement, roots: Mapping[str, PublicKey]) -> list[Issue]:
    issues = []
    for index, party in enumerate(agreement.parties):
        path = f"parties[{index}].root"
        given = roots.get(party.agency)
        if given is None:
            if not party.HasField("root"):
                issues.append(Issue(message=f"no root key is known for {party.agency}", path=path))
            continue
        root = proto_key(given)
        if party.HasField("root") and party.root != root:
            issues.append(
                Issue(message=f"the text names another root for {party.agency}", path=path)
            )
        party.root.CopyFrom(root)
    parties = {party.agency for party in agreement.parties}
    issues.extend(
        Issue(message=f"a root is given for {agency!r}, which is no party", path="parties")
        for agency in sorted(set(roots) - parties)
    )
    return issues


def _lacks_root(issue: Issue, agreement: agreement_pb2.Agreement) -> bool:
    return issue.path in {
        f"parties[{index}].root"
        for index, party in enumerate(agreement.parties)
        if not party.HasField("root")
    }


def agreement_digest(data: bytes) -> bytes:
    """Return SHA256 of an agreement's bytes: how logs and decisions name it."""
    return hashlib.sha256(data).digest()


def roots_of(agreement: agreement_pb2.Agreement) -> dict[str, PublicKey]:
    """Return the parties' root keys by agency id, in the agreement's order.

    Raises:
        AgreementError: One is not a key that can be trusted.
    """
    roots = {}
    try:
        for party in agreement.parties:
            root = PublicKey(party.root.algorithm, party.root.public_key)
            root.check_enrolment()
            roots[party.agency] = root
    except KeyRejected as error:
        raise AgreementError(
            f"agreement {agreement.agreement_id} names an unusable root: {error.message}",
            hint=error.hint,
        ) from error
    return roots


def sign_agreement(data: bytes, *, signer: Signer) -> envelope_pb2.Signature:
    """Sign an agreement for the party whose root key the signer holds.

    Raises:
        AgreementError: The bytes are not a faultless agreement, or the key is no party's root.
        SignerError: The signer could not sign.
    """
    agreement = parse_agreement(data)
    key = signer.public_key
    if key.fingerprint not in {root.fingerprint for root in roots_of(agreement).values()}:
        raise AgreementError(
            f"{key} is no party's root in agreement {agreement.agreement_id}",
            hint="Sign with the root key that the agreement names for your agency.",
        )
    return envelope_pb2.Signature(
        key=key.fingerprint, value=dsse.sign(signer, dsse.AGREEMENT_TYPE, data)
    )


def with_signature(
    signed: agreement_pb2.SignedAgreement, signature: envelope_pb2.Signature
) -> agreement_pb2.SignedAgreement:
    """Return a signed agreement with one signature more, in place of one by the same key."""
    kept = [s for s in signed.signatures if s.key != signature.key]
    return agreement_pb2.SignedAgreement(
        agreement=signed.agreement,
        signatures=sorted((*kept, signature), key=lambda s: s.key),
    )


def missing_parties(signed: agreement_pb2.SignedAgreement) -> list[str]:
    """Return the parties whose signature is not there yet, in the agreement's order.

    Raises:
        AgreementError: The agreement is faulty, or a signature is nobody's or does not verify.
    """
    agreement = parse_agreement(signed.agreement)
    roots = roots_of(agreement)
    by_key = {root.fingerprint: (agency, root) for agency, root in roots.items()}
    present = set()
    for signature in signed.signatures:
        agency, root = by_key.get(signature.key, ("", None))
        if root is None:
            raise AgreementError(
                f"agreement {agreement.agreement_id} bears a signature by"
                f" {signature.key.hex()[:16]}, which is no party's root",
                hint="Have each party sign with the root key that the agreement names for it.",
            )
        try:
            dsse.verify(
                key=root,
                signature=signature.value,
                payload_type=dsse.AGREEMENT_TYPE,
                body=signed.agreement,
            )
        except SignatureInvalid as error:
            raise AgreementError(
                f"the signature of {agency} under agreement {agreement.agreement_id} does not"
                " verify",
                hint="Have the party sign these very bytes again.",
            ) from error
        present.add(agency)
    return [agency for agency in roots if agency not in present]


def open_agreement(signed: agreement_pb2.SignedAgreement) -> CompiledAgreement:
    """Check a signed agreement and make it ready for deciding.

    1. It is in canonical encoding and without fault.
    2. Every signature on it is by a party's root, and verifies.
    3. Every party has signed. The base agreement, which has none, is the published one to the byte.

    Raises:
        AgreementError: One of these does not hold.
    """
    missing = missing_parties(signed)  # (1), (2)
    compiled = compile_agreement(signed.agreement)
    if missing:  # (3)
        raise AgreementError(
            f"agreement {compiled.agreement_id} is not signed by {', '.join(missing)}",
            hint="Have them sign the same bytes with their root keys; it is in force only then.",
        )
    if compiled.agreement_id == BASE_AGREEMENT_ID and compiled.digest != BASE_DIGEST:
        raise AgreementError(
            "this is not the published base agreement",
            hint="Use the one that comes with this library; rules of your own need another id.",
        )
    return compiled


def to_armour(signed: agreement_pb2.SignedAgreement) -> str:
    """Return the file of a signed agreement: ASCII lines, readable head, base64 of the bytes."""
    agreement = parse_agreement(signed.agreement)
    return armour.wrap(
        _LABEL,
        head=[
            f"Agreement: {agreement.agreement_id} version {agreement.version}",
            f"Digest: sha256:{agreement_digest(signed.agreement).hex()}",
            f"Signatures: {len(signed.signatures)} of {len(agreement.parties)}",
        ],
        data=signed.SerializeToString(deterministic=True),
    )


def from_armour(text: str) -> agreement_pb2.SignedAgreement:
    """Read the file of a signed agreement. Its head must say what the bytes say.

    Raises:
        AgreementError: It is not such a file, or was altered. Signatures are not checked here.
    """
    broken = AgreementError(
        "this is not a file of a signed agreement, or it was altered",
        hint="Fetch it again from whoever sent it; `rogatory agreement sign` makes such files.",
    )
    try:
        data, lines = armour.unwrap(_LABEL, text)
        signed = wire.decode(agreement_pb2.SignedAgreement, data, what="signed agreement")
    except (ValueError, EnvelopeError) as error:
        raise broken from error
    if to_armour(signed).splitlines() != lines:
        raise broken
    return signed


def parse_agreement(data: bytes) -> agreement_pb2.Agreement:
    """Read and check an agreement's bytes.

    Raises:
        AgreementError: They are no agreement in canonical encoding, or one with faults.
    """
    try:
        agreement = wire.decode(agreement_pb2.Agreement, data, what="agreement")
    except EnvelopeError as error:
        raise AgreementError(error.message, hint=error.hint) from error
    if issues := check_agreement(agreement):
        raise faulty(f"agreement {agreement.agreement_id}", issues)
    return agreement
