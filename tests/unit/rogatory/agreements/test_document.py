"""Agreements as documents: exact bytes, signatures of all parties, and the file."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from rogatory.agreements import (
    BASE_DIGEST,
    agreement_digest,
    from_armour,
    missing_parties,
    open_agreement,
    read_agreement,
    render,
    show_agreement,
    sign_agreement,
    to_armour,
    with_signature,
)
from rogatory.agreements.articles import article_and_above, article_covers
from rogatory.agreements.base import base_agreement, base_bytes
from rogatory.agreements.examples import example_names, example_text
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2, decision_pb2
from tests.unit.rogatory.decisions import samples as s

TEXT = s.agreement_text("clauses: [{clause_id: a, article: Art. 1, effect: permit}]\n")
PARTIES = (s.ALPHA, s.BETA, s.GAMMA)


def _signed(*agencies: str) -> agreement_pb2.SignedAgreement:
    data = s.agreement_bytes(TEXT)
    signed = agreement_pb2.SignedAgreement(agreement=data)
    for agency in agencies:
        signed = with_signature(signed, sign_agreement(data, signer=s.root_signer(agency)))
    return signed


def test_one_text_one_sequence_of_bytes() -> None:
    """The same text and roots always give the same bytes, and so the same digest."""
    first, second = s.agreement_bytes(TEXT), s.agreement_bytes(TEXT)

    assert first == second
    assert agreement_digest(first) == agreement_digest(second)
    assert first == agreement_pb2.Agreement.FromString(first).SerializeToString(deterministic=True)


def test_a_party_without_root_cannot_be_rendered() -> None:
    """Every party without a root is named, once."""
    with pytest.raises(AgreementError) as caught:
        render(read_agreement(TEXT), roots={s.ALPHA: s.root_signer(s.ALPHA).public_key})

    assert [
        "parties[1].root: no root key is known for bb.beta",
        "parties[2].root: no root key is known for cc.gamma",
    ] == [str(issue) for issue in caught.value.issues]


def test_roots_must_be_of_parties_and_agree_with_the_text() -> None:
    """A root for a stranger, or another one than the text names, is a fault."""
    named = TEXT.replace("{agency: aa.alpha}", f"{{agency: aa.alpha, root: '{_text(s.BETA)}'}}")
    roots = {agency: s.root_signer(agency).public_key for agency in (*PARTIES, "zz.zeta")}

    with pytest.raises(AgreementError) as caught:
        render(read_agreement(named), roots=roots)

    text = " ".join(str(issue) for issue in caught.value.issues)
    assert "another root for aa.alpha" in text
    assert "'zz.zeta', which is no party" in text


def _text(agency: str) -> str:
    return s.root_signer(agency).public_key.text


def test_too_many_bytes() -> None:
    """An agreement that no log entry could hold is refused before it is signed."""
    words = "".join(
        f"  - {{clause_id: c{n}, article: Art. {n}, effect: permit, text: {'x' * 2000}}}\n"
        for n in range(30)
    )

    with pytest.raises(AgreementError, match="more than 49152"):
        s.agreement_bytes(s.agreement_text(f"clauses:\n{words}"))


def test_in_force_only_with_all_signatures() -> None:
    """Whoever has not signed is listed; with all signatures the agreement opens."""
    partly, whole = _signed(s.GAMMA), _signed(*PARTIES)

    assert [s.ALPHA, s.BETA] == missing_parties(partly)
    with pytest.raises(AgreementError, match=r"not signed by aa\.alpha, bb\.beta"):
        open_agreement(partly)
    assert [] == missing_parties(whole)
    assert agreement_digest(whole.agreement) == open_agreement(whole).digest


def test_only_a_party_signs() -> None:
    """A key that is no party's root neither signs nor is accepted on the document."""
    stranger = s.root_signer("zz.zeta")

    with pytest.raises(AgreementError, match="no party's root"):
        sign_agreement(_signed().agreement, signer=stranger)
    signed = _signed(*PARTIES)
    signed.signatures[0].key = stranger.public_key.fingerprint
    with pytest.raises(AgreementError, match="no party's root"):
        open_agreement(signed)


def test_a_signature_over_other_bytes_does_not_verify() -> None:
    """One bit of another agreement, or of the signature, and the party is named."""
    altered = _signed(*PARTIES)
    altered.agreement = altered.agreement.replace(b"Art. 1", b"Art. 2")
    with pytest.raises(AgreementError, match=r"signature of .* does not verify"):
        open_agreement(altered)


def test_signing_twice_replaces() -> None:
    """A party's second signature takes the place of its first."""
    signed = _signed(*PARTIES)

    again = with_signature(signed, sign_agreement(signed.agreement, signer=s.root_signer(s.ALPHA)))

    assert signed == again


def test_bytes_with_unknown_fields_or_faults_are_not_an_agreement() -> None:
    """What the text form could not have said is refused in bytes as well."""
    faulty = agreement_pb2.Agreement.FromString(_signed().agreement)
    faulty.clauses.add().CopyFrom(faulty.clauses[0])

    for data, says in (
        (_signed().agreement + b"\xf8\x01\x01", "unknown or repeated fields"),
        (b"\xff", "is not a rogatory.exchange.v1.Agreement"),
        (faulty.SerializeToString(deterministic=True), "another clause has 'a'"),
    ):
        with pytest.raises(AgreementError, match=says):
            sign_agreement(data, signer=s.root_signer(s.ALPHA))


def test_armour_is_byte_exact() -> None:
    """A signed agreement comes out of its file as it went in, whatever line ends it got."""
    signed = _signed(s.ALPHA, s.BETA)

    text = to_armour(signed)

    assert signed == from_armour(text)
    assert signed == from_armour(text.replace("\n", "\r\n"))
    assert "Agreement: test version 1" in text
    assert "Signatures: 2 of 3" in text
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("test version 1", "test version 2"),
        ("Signatures: 1", "Signatures: 3"),
        ("sha256:", "sha256:0"),
        ("-----END", "-----STOP"),
        ("\n\n", "\n\nA"),
    ],
)
def test_armour_that_was_altered(old: str, new: str) -> None:
    """A head that says other than the bytes, or broken bytes, are refused."""
    with pytest.raises(AgreementError, match="was altered"):
        from_armour(to_armour(_signed(s.ALPHA)).replace(old, new, 1))


def test_the_base_agreement_is_the_published_one() -> None:
    """Its bytes have the published digest; others under its id are refused."""
    other = base_bytes().replace(b"Base Art. 1", b"Base Art. 9")

    assert BASE_DIGEST == base_agreement().digest
    with pytest.raises(AgreementError, match="not the published base agreement"):
        open_agreement(agreement_pb2.SignedAgreement(agreement=other))


@pytest.mark.parametrize("name", example_names())
def test_examples_can_be_signed_and_shown(name: str) -> None:
    """Each example is complete: with roots and signatures it is an agreement in force."""
    draft = read_agreement(example_text(name), file=name)
    data = s.agreement_bytes(example_text(name))
    signed = agreement_pb2.SignedAgreement(agreement=data)
    for party in draft.parties:
        signature = sign_agreement(data, signer=s.root_signer(party.agency))
        signed = with_signature(signed, signature)

    assert name == open_agreement(signed).agreement_id
    shown = show_agreement(data, signatures=signed.signatures)
    for clause in draft.clauses:
        assert clause.text in shown
        assert f"### {clause.article} (`{clause.clause_id}`)" in shown
    assert "not signed yet" not in shown


def test_the_examples_use_every_condition() -> None:
    """Between them the examples show every condition there is, and clauses of every effect."""
    used, effects = set(), set()
    for name in example_names():
        for clause in read_agreement(example_text(name)).clauses:
            used |= {field.name for field, _ in clause.conditions.ListFields()}
            effects.add(clause.effect)

    absent = set(agreement_pb2.Conditions.DESCRIPTOR.fields_by_name) - used
    # How a reference must stand is a matter of the base agreement, which uses it.
    assert {"reference"} == absent
    assert {1, 2, 3} == effects
    assert 3 == len(example_names())
    assert len(decision_pb2.Condition.values()) - 1 == len(used | {"reference"})


def test_show_says_what_is_due() -> None:
    """The time to answer, and the times to decide and execute that no rule looks at."""
    shown = show_agreement(s.agreement_bytes(example_text("nl-ro-police-cooperation-2026")))

    assert "that a request that is urgent leaves 3 working days to answer" in shown
    assert "is routine leaves 30 days for the decision (no rule looks at it)" in shown
    assert "is routine leaves 90 days for the execution (no rule looks at it)" in shown


def test_no_example_of_that_name() -> None:
    """Asking for an example that is not there says so."""
    with pytest.raises(KeyError):
        example_text("../base")


def test_show_says_whatever_the_bytes_say() -> None:
    """Two agreements that differ in one value are shown differently, whichever it is."""
    original = agreement_pb2.Agreement.FromString(
        s.agreement_bytes(example_text("mekong-telefraud-2026"))
    )
    shown = show_agreement(original.SerializeToString(deterministic=True)).splitlines()[3:]
    for index, clause in enumerate(original.clauses):
        for part in ("scope", "conditions", "obligations"):
            for field, _ in getattr(clause, part).ListFields():
                changed = agreement_pb2.Agreement()
                changed.CopyFrom(original)
                _vary(getattr(changed.clauses[index], part), field.name)
                data = changed.SerializeToString(deterministic=True)

                assert shown != show_agreement(data).splitlines()[3:], (index, field.name)


def _vary(message: Message, name: str) -> None:
    """Change one field to another value that the schema allows."""
    field = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if field.is_repeated:
        del value[-1:]
    elif field.message_type is not None:
        value.limit += 1
    elif field.enum_type is not None:
        setattr(message, name, value % (len(field.enum_type.values) - 1) + 1)
    elif isinstance(value, bool):
        message.ClearField(name)
    else:
        setattr(message, name, value + 1)


@pytest.mark.parametrize(
    ("cited", "article", "expected"),
    [
        ("Art. 4", "Art. 4", True),
        ("Art. 4", "Art. 4(2)", True),
        ("Art. 4", "Art. 4(2)(a)", True),
        ("Art. 4(2)", "Art. 4(2)(a)", True),
        ("Art. 4", "Art. 4.2", True),
        ("2", "2.1", True),
        ("Art. 4", "Art. 41", False),
        ("Art. 4", "Art. 4 bis", False),
        ("Art. 4(2)", "Art. 4", False),
        ("Art. 4(2)", "Art. 4(21)", False),
        ("Art", "Art. 4", False),
        ("Art.", "Art. 4", False),
        ("", "(1)", False),
    ],
)
def test_articles_cover_what_lies_under_them(cited: str, article: str, *, expected: bool) -> None:
    """An article covers its paragraphs and points, and nothing that merely begins alike."""
    assert expected == article_covers(cited, article)
    assert expected == (cited in article_and_above(article))
