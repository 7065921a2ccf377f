"""Checkpoints are three lines, to the letter, signed by the log that they name."""

from __future__ import annotations

import base64
import hashlib

import pytest

from rogatory.checkpoints import Checkpoint, open_checkpoint, parse_decimal, sign_checkpoint
from rogatory.errors import CheckpointError, NoteError
from rogatory.keys import PrivateKey
from rogatory.merkle import EMPTY_ROOT
from rogatory.notes import Cosigner, NoteSigner, VerifierKey, format_note, open_note
from rogatory.signers import MemorySigner
from tests.vectors import vectors_json

ORIGIN = "log.example.org/exchange"
ROOT = bytes(range(32))
ROOT_TEXT = base64.b64encode(ROOT).decode()
CHECKPOINT = Checkpoint(origin=ORIGIN, size=20852163, root=ROOT)


def memory_signer(number: int) -> MemorySigner:
    """A signer with a fixed key of its own."""
    return MemorySigner(PrivateKey.from_seed(bytes([number]) * 32))


LOG = NoteSigner(name=ORIGIN, signer=memory_signer(1))
NEXT_LOG = NoteSigner(name=ORIGIN, signer=memory_signer(2))
OTHER_LOG = NoteSigner(name="log.example.org/other", signer=memory_signer(3))
WITNESS = Cosigner(name="witness.example.org/w1", signer=memory_signer(4))
SAME_WITNESS = Cosigner(name="witness.example.org/w2", signer=memory_signer(4))


def test_text_is_three_lines() -> None:
    """Origin, size and root, each ended by a newline."""
    text = f"{ORIGIN}\n20852163\n{ROOT_TEXT}\n"

    assert text == CHECKPOINT.text
    assert CHECKPOINT == Checkpoint.parse(text)


def test_empty_log_has_a_checkpoint() -> None:
    """Size 0 is written as 0 and has one possible root."""
    empty = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)

    assert empty == Checkpoint.parse(empty.text)
    with pytest.raises(CheckpointError, match="not that of an empty tree"):
        Checkpoint(origin=ORIGIN, size=0, root=ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        f"{ORIGIN}\n1\n{ROOT_TEXT}",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n1\n{ROOT_TEXT}\nextension\n",
        f"{ORIGIN}\n1\n{ROOT_TEXT}\n\n",
        f"\n1\n{ROOT_TEXT}\n",
        f"two words\n1\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n01\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n+1\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n-1\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n1_0\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n 1\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n\N{ARABIC-INDIC DIGIT ONE}\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n99999999999999999999\n{ROOT_TEXT}\n",
        f"{ORIGIN}\n1\n{ROOT_TEXT[:-1]}\n",
        f"{ORIGIN}\n1\n{ROOT_TEXT} \n",
        f"{ORIGIN}\n1\n{ROOT_TEXT[:-2]}9=\n",
        f"{ORIGIN}\n1\n{base64.b64encode(ROOT[:31]).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(ROOT + ROOT).decode()}\n",
    ],
)
def test_malformed_text_is_refused(text: str) -> None:
    """One tree has one text; every other spelling is refused."""
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        Checkpoint.parse(text)


def test_largest_size() -> None:
    """Sizes reach 2^63 - 1."""
    assert (1 << 63) - 1 == parse_decimal("9223372036854775807")
    with pytest.raises(CheckpointError, match="cannot have"):
        Checkpoint(origin=ORIGIN, size=1 << 63, root=ROOT)


def test_signed_checkpoint_opens() -> None:
    """Log and witness are told apart, and the note is kept to the byte."""
    cosignature = WITNESS.cosign(CHECKPOINT.text, time=1700000000)
    note = sign_checkpoint(CHECKPOINT, LOG, others=[cosignature])

    signed = open_checkpoint(note, log_keys=[LOG.key], witness_keys=[WITNESS.key])

    assert (CHECKPOINT, note) == (signed.checkpoint, signed.note)
    assert [LOG.key] == [item.key for item in signed.log_signatures]
    found = [(item.key, item.time) for item in signed.cosignatures]
    assert [(WITNESS.key, 1700000000)] == found


def test_both_keys_of_a_rotation_sign() -> None:
    """During the overlap a reader with either key believes the checkpoint."""
    note = sign_checkpoint(CHECKPOINT, LOG, others=[NEXT_LOG.sign(CHECKPOINT.text)])

    by_old = open_checkpoint(note, log_keys=[LOG.key])
    by_new = open_checkpoint(note, log_keys=[NEXT_LOG.key])
    by_both = open_checkpoint(note, log_keys=[NEXT_LOG.key, LOG.key])

    assert CHECKPOINT == by_old.checkpoint == by_new.checkpoint
    assert [LOG.key, NEXT_LOG.key] == [item.key for item in by_both.log_signatures]


def test_witness_with_two_names_counts_once() -> None:
    """A cosignature does not commit to its name, so one key under two names is one witness."""
    text = CHECKPOINT.text
    others = [WITNESS.cosign(text, time=5), SAME_WITNESS.cosign(text, time=6)]
    note = sign_checkpoint(CHECKPOINT, LOG, others=others)

    signed = open_checkpoint(note, log_keys=[LOG.key], witness_keys=[SAME_WITNESS.key, WITNESS.key])

    assert [WITNESS.key] == [item.key for item in signed.cosignatures]


def test_log_signs_for_itself_alone() -> None:
    """A trusted log cannot make checkpoints of another one."""
    with pytest.raises(CheckpointError, match="cannot sign for the log"):
        sign_checkpoint(CHECKPOINT, OTHER_LOG)
    note = format_note(CHECKPOINT.text, [OTHER_LOG.sign(CHECKPOINT.text)])

    with pytest.raises(CheckpointError, match=f"No known key of the log {ORIGIN}"):
        open_checkpoint(note, log_keys=[LOG.key, OTHER_LOG.key])


def test_witnesses_alone_do_not_make_a_checkpoint() -> None:
    """Cosignatures without the log's signature prove nothing about the log."""
    note = format_note(CHECKPOINT.text, [WITNESS.cosign(CHECKPOINT.text, time=1)])

    with pytest.raises(CheckpointError, match="No known key of the log"):
        open_checkpoint(note, log_keys=[LOG.key], witness_keys=[WITNESS.key])


def test_keys_in_the_wrong_list_are_refused() -> None:
    """A witness's key in the log's place is a mistake in the policy, and named."""
    note = sign_checkpoint(CHECKPOINT, LOG)

    with pytest.raises(CheckpointError, match="type 0x04, and a log key has 0x01"):
        open_checkpoint(note, log_keys=[WITNESS.key])
    with pytest.raises(CheckpointError, match="type 0x01, and a witness key has 0x04"):
        open_checkpoint(note, log_keys=[LOG.key], witness_keys=[NEXT_LOG.key])


def test_false_cosignature_by_a_known_witness_spoils_the_checkpoint() -> None:
    """A known key that fails rejects the whole note."""
    other = Checkpoint(origin=ORIGIN, size=1, root=ROOT)
    note = sign_checkpoint(CHECKPOINT, LOG, others=[WITNESS.cosign(other.text, time=1)])

    with pytest.raises(NoteError, match="does not verify"):
        open_checkpoint(note, log_keys=[LOG.key], witness_keys=[WITNESS.key])


def test_checkpoint_in_published_witness_requests() -> None:
    """A checkpoint made by another implementation opens and reads."""
    vectors = vectors_json("witness-requests", "litewitness.json")
    note = vectors["requests"][0]["body"].split("\n\n", 1)[1].encode()
    origin = note.split(b"\n")[0].decode()
    log_key = bytes.fromhex(vectors["log_public_key_hex"])
    text = vkey_text(origin, log_key)

    signed = open_checkpoint(note, log_keys=[VerifierKey.parse(text)])

    assert (origin, 1) == (signed.checkpoint.origin, signed.checkpoint.size)
    assert signed.checkpoint.text == open_note(note, keys=[VerifierKey.parse(text)]).text


def vkey_text(name: str, raw: bytes) -> str:
    """A verifier key's text, spelled out from the specification."""
    material = b"\x01" + raw
    key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(material).decode()}"
