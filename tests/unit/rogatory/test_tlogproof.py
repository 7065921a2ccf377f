"""Proof files follow C2SP tlog-proof to the letter, and prove what they say."""

from __future__ import annotations

import base64

import pytest

from rogatory.checkpoints import Checkpoint, sign_checkpoint
from rogatory.errors import NoteError, ProofError
from rogatory.keys import PrivateKey
from rogatory.merkle import Frontier, leaf_hash
from rogatory.notes import Cosigner, NoteSigner
from rogatory.signers import MemorySigner
from rogatory.tlogproof import MAX_TLOG_PROOF_SIZE, TlogProof

ORIGIN = "log.example.org/exchange"
LOG = NoteSigner(name=ORIGIN, signer=MemorySigner(PrivateKey.from_seed(bytes([1]) * 32)))
WITNESS = Cosigner(
    name="witness.example.org/w1", signer=MemorySigner(PrivateKey.from_seed(bytes([2]) * 32))
)
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(11)]
TREE = Frontier().extend(LEAVES)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=11, root=TREE.root)
NOTE = sign_checkpoint(CHECKPOINT, LOG, others=[WITNESS.cosign(CHECKPOINT.text, time=7)])
PROOF = TlogProof(index=6, hashes=tuple(TREE.inclusion_proof(6)), checkpoint=NOTE, extra=b"opening")


def test_file_is_as_specified() -> None:
    """The lines stand in the order of the specification."""
    hashes = "\n".join(base64.b64encode(item).decode() for item in PROOF.hashes)
    expected = f"c2sp.org/tlog-proof@v1\nextra b3BlbmluZw==\nindex 6\n{hashes}\n\n"

    assert expected.encode() + NOTE == PROOF.to_bytes()
    assert PROOF == TlogProof.parse(PROOF.to_bytes())


def test_extra_and_hashes_may_be_absent() -> None:
    """A log of one entry needs no hashes, and an entry known otherwise no extra."""
    single = Checkpoint(origin=ORIGIN, size=1, root=LEAVES[0])
    proof = TlogProof(index=0, hashes=(), checkpoint=sign_checkpoint(single, LOG))

    assert proof.to_bytes().startswith(f"c2sp.org/tlog-proof@v1\nindex 0\n\n{ORIGIN}\n".encode())
    assert proof == TlogProof.parse(proof.to_bytes())
    assert single == proof.verify(leaf=LEAVES[0], log_keys=[LOG.key]).checkpoint


@pytest.mark.parametrize("index", range(11))
def test_proof_verifies_for_its_leaf_alone(index: int) -> None:
    """The leaf at the index verifies, and says who vouches; its neighbour does not."""
    proof = TlogProof(index=index, hashes=tuple(TREE.inclusion_proof(index)), checkpoint=NOTE)

    signed = proof.verify(leaf=LEAVES[index], log_keys=[LOG.key], witness_keys=[WITNESS.key])

    assert CHECKPOINT == signed.checkpoint
    assert [7] == [item.time for item in signed.cosignatures]
    with pytest.raises(ProofError, match=f"Entry {index} is not in the tree"):
        proof.verify(leaf=LEAVES[index - 1], log_keys=[LOG.key])


def test_proof_under_an_unknown_log_is_refused() -> None:
    """A proof is worth its checkpoint's signature."""
    stranger = NoteSigner(name=ORIGIN, signer=MemorySigner(PrivateKey.from_seed(bytes([9]) * 32)))

    with pytest.raises(NoteError, match="No known key"):
        PROOF.verify(leaf=LEAVES[6], log_keys=[stranger.key])


GOOD = PROOF.to_bytes()
HASH_LINE = base64.b64encode(PROOF.hashes[0]) + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        GOOD[1:],
        b"\n" + GOOD,
        GOOD[:-1],
        GOOD + b"\n",
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"extra ", b"extra  "),
        GOOD.replace(b"extra b3BlbmluZw==", b"extra "),
        GOOD.replace(b"b3BlbmluZw==", b"b3BlbmluZw="),
        GOOD.replace(b"b3BlbmluZw==", b"b3BlbmluZx=="),
        GOOD.replace(b"extra b3BlbmluZw==\n", b"extra b3BlbmluZw==\nextra b3BlbmluZw==\n"),
        GOOD.replace(b"extra b3BlbmluZw==\nindex 6\n", b"index 6\nextra b3BlbmluZw==\n"),
        GOOD.replace(b"index 6\n", b""),
        GOOD.replace(b"index 6\n", b"index 06\n"),
        GOOD.replace(b"index 6\n", b"index +6\n"),
        GOOD.replace(b"index 6\n", b"index 6 \n"),
        GOOD.replace(b"index 6\n", b"index 11\n"),
        GOOD.replace(b"index 6\n", b"index 6\n\xc3\xa9\n"),
        GOOD.replace(HASH_LINE, HASH_LINE[:-2] + b"\n"),
        GOOD.replace(HASH_LINE, HASH_LINE[4:]),
        GOOD.replace(HASH_LINE, HASH_LINE * 61),
        GOOD.replace(HASH_LINE, b" " + HASH_LINE),
        GOOD.replace(HASH_LINE, b"\n" + HASH_LINE),
        GOOD.replace(b"\n\n", b"\n", 1),
        GOOD.replace(b"\n11\n", b"\n011\n"),
        GOOD[: GOOD.index(b"\n\n") + 1],
        b"x" * (MAX_TLOG_PROOF_SIZE + 1),
    ],
)
def test_malformed_file_is_refused(data: bytes) -> None:
    """No other spelling is read."""
    assert data != GOOD
    with pytest.raises(ProofError, match="not a log proof"):
        TlogProof.parse(data)
