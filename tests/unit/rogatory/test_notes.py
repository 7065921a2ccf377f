"""Signed notes read and write as golang.org/x/mod/sumdb/note and C2SP do, and no looser."""

from __future__ import annotations

import base64
import hashlib

import pytest

from rogatory.errors import KeyRejected, NoteError, SignatureInvalid
from rogatory.keys import ML_DSA_44, PrivateKey
from rogatory.notes import (
    MAX_SIGNATURES,
    Cosigner,
    NoteSigner,
    SignatureLine,
    SignatureType,
    VerifierKey,
    format_note,
    is_key_name,
    open_note,
    parse_note,
)
from rogatory.signers import MemorySigner
from tests.vectors import vectors_json

TEXT = "first line\n\nlast line\n"


def memory_signer(number: int) -> MemorySigner:
    """A signer with a fixed key of its own."""
    return MemorySigner(PrivateKey.from_seed(bytes([number]) * 32))


ALICE = NoteSigner(name="example.org/alice", signer=memory_signer(1))
BOB = NoteSigner(name="example.org/bob", signer=memory_signer(2))
WITNESS = Cosigner(name="example.org/witness", signer=memory_signer(3))


def test_key_id_and_text_of_a_verifier_key() -> None:
    """The id hashes name, type and key; the text carries all three."""
    raw = memory_signer(1).public_key.raw
    key_id = hashlib.sha256(b"example.org/alice\n\x01" + raw).digest()[:4]
    encoded = base64.b64encode(b"\x01" + raw).decode()

    assert key_id == ALICE.key.key_id
    assert f"example.org/alice+{key_id.hex()}+{encoded}" == ALICE.key.text
    assert ALICE.key == VerifierKey.parse(ALICE.key.text)
    assert WITNESS.key == VerifierKey.parse(WITNESS.key.text)
    assert SignatureType.COSIGNATURE == WITNESS.key.type


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org/alice",
        ALICE.key.text[:-4],
        ALICE.key.text + "=",
        ALICE.key.text + "\n",
        " " + ALICE.key.text,
        ALICE.key.text.replace("alice", "alyce"),
        ALICE.key.text.replace("+", " ", 1),
        ALICE.key.text.replace(ALICE.key.key_id.hex(), ALICE.key.key_id.hex().upper()),
        ALICE.key.text.replace("example.org/alice", ""),
        "example.org/alice+00000000+" + base64.b64encode(b"\x06" + bytes(32)).decode(),
        "example.org/alice+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(),
    ],
)
def test_malformed_verifier_key_is_refused(text: str) -> None:
    """A key that is not to the letter is not trusted."""
    with pytest.raises((NoteError, KeyRejected)):
        VerifierKey.parse(text)


def test_signed_note_opens() -> None:
    """What two keys signed opens with either, and tells who signed."""
    note = format_note(TEXT, [ALICE.sign(TEXT), BOB.sign(TEXT)])

    opened = open_note(note, keys=[BOB.key])

    assert TEXT == opened.text
    assert [BOB.key] == [item.key for item in opened.signatures]
    assert [None] == [item.time for item in opened.signatures]
    assert (ALICE.sign(TEXT),) == opened.unknown
    both = open_note(note, keys=[BOB.key, ALICE.key]).signatures
    assert [ALICE.key, BOB.key] == [item.key for item in both]


def test_cosignature_carries_its_time() -> None:
    """A cosignature signs its own time with the text (C2SP tlog-cosignature)."""
    line = WITNESS.cosign(TEXT, time=1679315147)

    opened = open_note(format_note(TEXT, [line]), keys=[WITNESS.key])

    assert [1679315147] == [item.time for item in opened.signatures]
    assert (1679315147).to_bytes(8, "big") == line.signature[:8]
    memory_signer(3).public_key.verify(
        line.signature[8:], b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    )
    later = SignatureLine(
        line.name, line.key_id, (1679315148).to_bytes(8, "big") + line.signature[8:]
    )
    with pytest.raises(NoteError, match="witness on the note does not verify"):
        open_note(format_note(TEXT, [line, later]), keys=[WITNESS.key])


@pytest.mark.parametrize("time", [-1, 1 << 63])
def test_impossible_time_is_refused(time: int) -> None:
    """A time that other languages cannot hold is neither signed nor accepted."""
    with pytest.raises(NoteError, match="cannot be of the time"):
        WITNESS.cosign(TEXT, time=time)
    with pytest.raises(SignatureInvalid, match="impossible time"):
        WITNESS.key.verify(TEXT, (time % (1 << 64)).to_bytes(8, "big") + bytes(64))


def test_unknown_lines_are_ignored() -> None:
    """A known name with another id, or a known id with another name, is a stranger."""
    good = ALICE.sign(TEXT)
    strangers = [
        SignatureLine(good.name, b"\x00\x00\x00\x00", bytes(64)),
        SignatureLine("example.org/eve", good.key_id, bytes(64)),
        SignatureLine("example.org/short", b"abcd", b"x"),
    ]

    opened = open_note(format_note(TEXT, [*strangers, good]), keys=[ALICE.key])

    assert tuple(strangers) == opened.unknown
    assert [ALICE.key] == [item.key for item in opened.signatures]


@pytest.mark.parametrize(
    "signature", [bytes(64), b"x", ALICE.sign("other\n").signature, ALICE.sign(TEXT).signature[:63]]
)
def test_failing_known_key_spoils_the_whole_note(signature: bytes) -> None:
    """A note with one false signature by a known key is not believed on the word of another."""
    false = SignatureLine(ALICE.key.name, ALICE.key.key_id, signature)
    note = format_note(TEXT, [BOB.sign(TEXT), false])

    with pytest.raises(NoteError, match=r"signature of example\.org/alice on the note"):
        open_note(note, keys=[ALICE.key, BOB.key])
    assert TEXT == open_note(note, keys=[BOB.key]).text


def test_repeated_signature_counts_once() -> None:
    """The same key twice is one signature."""
    note = format_note(TEXT, [ALICE.sign(TEXT)] * 3)

    assert 1 == len(open_note(note, keys=[ALICE.key]).signatures)


def test_note_by_strangers_is_refused() -> None:
    """Without a known key's signature there is nothing to believe."""
    note = format_note(TEXT, [ALICE.sign(TEXT)])

    with pytest.raises(NoteError, match=r"No known key signed the note \(signed by example.org/a"):
        open_note(note, keys=[BOB.key])
    with pytest.raises(NoteError, match="No known key"):
        open_note(note, keys=[])


def test_many_signatures() -> None:
    """A hundred signatures are read, more are not."""
    line = ALICE.sign(TEXT)
    note = format_note(TEXT, [line] * MAX_SIGNATURES)

    assert MAX_SIGNATURES == len(parse_note(note)[1])
    with pytest.raises(NoteError, match="more than 100 signatures"):
        parse_note(note + line.text.encode() + b"\n")
    for count in (0, MAX_SIGNATURES + 1):
        with pytest.raises(NoteError, match=f"cannot carry {count} signatures"):
            format_note(TEXT, [line] * count)


GOOD = format_note(TEXT, [ALICE.sign(TEXT)])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"\n\n",
        TEXT.encode(),
        TEXT.encode() + b"\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"x\n",
        GOOD.replace("\u2014".encode(), b"-"),
        GOOD.replace("\u2014 ".encode(), "\u2014  ".encode()),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"first", b"fir\tst"),
        GOOD.replace(b"first", b"fir\x00st"),
        GOOD.replace(b"first", b"fir\xffst"),
        GOOD.replace(b"=\n", b"\n"),
        GOOD.replace(b"example.org/alice ", b"example.org/alice\xc2\xa0x "),
        GOOD.replace(b"example.org/alice ", b"example.org/al+ice "),
        GOOD.replace(b"example.org/alice ", b" "),
        GOOD.replace(b"example.org/alice ", b"example.org/alice QUJD "),
        "text\n\n\u2014 a QUJDRA==\n".encode(),
        "text\n\n\u2014 a QUJDRB==\n".encode(),
        b"x" * 1_000_001,
    ],
)
def test_malformed_note_is_refused(note: bytes) -> None:
    """No reader has to guess what was signed."""
    with pytest.raises(NoteError, match="not a signed note"):
        parse_note(note)


def test_text_may_hold_blank_lines_and_any_script() -> None:
    """The last blank line divides; names and texts are Unicode."""
    text = "\n\nขอความร่วมมือ 司法协助\n\n— not a signature\n"
    signer = NoteSigner(name="警察.example/日志", signer=memory_signer(4))

    opened = open_note(format_note(text, [signer.sign(text)]), keys=[signer.key])

    assert text == opened.text


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "return\r\n"])
def test_text_that_cannot_be_a_note_is_not_signed(text: str) -> None:
    """Nothing is signed that nobody could open."""
    with pytest.raises(NoteError, match="not a signed note"):
        ALICE.sign(text)
    with pytest.raises(NoteError, match="not a signed note"):
        WITNESS.cosign(text, time=1)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("a", True),
        ("log.example.org/exchange", True),
        ("", False),
        ("a b", False),
        ("a+b", False),
        ("a\u2003b", False),
        ("a\u00a0b", False),
        ("a\u3000b", False),
        ("a\u0085b", False),
        ("a\nb", False),
        ("a\x01b", False),
    ],
)
def test_key_names(name: str, *, allowed: bool) -> None:
    """No spaces of any script, no plus signs, no controls."""
    assert allowed == is_key_name(name)


def test_bad_name_or_algorithm_makes_no_key() -> None:
    """A signer that nobody could verify is refused when it is made."""
    with pytest.raises(NoteError, match="cannot be the name of a key"):
        NoteSigner(name="two words", signer=memory_signer(1))
    lattice = PrivateKey.from_seed(bytes(32), algorithm=ML_DSA_44)
    with pytest.raises(NoteError, match="not signed with ML-DSA-44"):
        NoteSigner(name="example.org/pq", signer=MemorySigner(lattice))


def test_two_keys_that_collide_are_refused() -> None:
    """Where name and id of two trusted keys are equal, neither may stand for the other."""
    twin = VerifierKey(ALICE.key.name, SignatureType.ED25519, BOB.key.public_key)
    object.__setattr__(twin, "key_id", ALICE.key.key_id)

    with pytest.raises(NoteError, match=r"Two different keys are called example\.org/alice"):
        open_note(GOOD, keys=[ALICE.key, twin])


def test_published_notes() -> None:
    """Notes made by other implementations open, and their bad keys are refused."""
    vectors = vectors_json("notes", "notes.json")
    for example in vectors["notes"]:
        keys = [VerifierKey.parse(text) for text in example["vkeys"]]
        note = example["note"].encode()

        opened = open_note(note, keys=keys)

        lines = [item.line for item in opened.signatures] + list(opened.unknown)
        assert example["valid"]
        assert note == format_note(opened.text, lines)
        assert example["vkeys"] == [key.text for key in keys]
        with pytest.raises(NoteError):
            open_note(note.replace(b"is", b"iz", 1), keys=keys)
    for text in vectors["invalid_vkeys"]:
        with pytest.raises((NoteError, KeyRejected)):
            VerifierKey.parse(text)
