"""Further use of what others sent: onward transfer, evidence, speciality, and their consents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rogatory.assistance.v1 import consent_pb2
from rogatory.clock import to_timestamp
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import forwards
from rogatory.records.v1 import common_pb2

NOW = 1_790_000_000 * 10**9
ORIGINATOR, HOLDER, THIRD = "aa.author", "bb.holder", "cc.third"
ORIGINAL = common_pb2.MessageReference(
    sender=ORIGINATOR, message_id="01920000-0000-7000-8000-000000000001", header_digest=bytes(32)
)
ONWARD = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER
EVIDENCE = consent_pb2.CONSENT_SCOPE_EVIDENTIAL_USE
OTHER = consent_pb2.CONSENT_SCOPE_OTHER_OFFENCE
NEVER, ASK, FREE = 1, 2, 3
H0, H1 = codes_pb2.SIENA_CODE_H0, codes_pb2.SIENA_CODE_H1
H2 = codes_pb2.SIENA_CODE_H2
RED, AMBER, GREEN = common_pb2.TLP_RED, common_pb2.TLP_AMBER, common_pb2.TLP_GREEN
FORWARD_NEVER, EVIDENCE_NEVER = ("FORWARD_NEVER", 0), ("EVIDENCE_NEVER", 0)
ASK_ONWARD, ASK_EVIDENCE = ("CONSENT_MISSING", ONWARD), ("CONSENT_MISSING", EVIDENCE)
ASK_OTHER, LAXER = ("CONSENT_MISSING", OTHER), ("HANDLING_LAXER", 0)


def _standing(
    *,
    onward: int = FREE,
    evidence: int = FREE,
    consents: Sequence[procedure_pb2.ConsentStanding] = (),
    **fields: Any,  # noqa: ANN401 - of the message
) -> procedure_pb2.ForwardStanding:
    said: dict[str, Any] = {"message": ORIGINAL, "held": True, "tlp": AMBER, **fields}
    return procedure_pb2.ForwardStanding(
        onward_transfer=onward,  # type: ignore[arg-type]  # numbers of the enum
        evidential_use=evidence,  # type: ignore[arg-type]  # likewise
        consents=consents,
        **said,
    )


def _header(
    *,
    onward: int = FREE,
    evidence: int = FREE,
    tlp: common_pb2.Tlp.ValueType = AMBER,
    codes: Sequence[codes_pb2.SienaCode.ValueType] = (),
    speciality: Sequence[str] = (),
    offences: Sequence[str] = ("070101",),
    purpose: codes_pb2.Purpose.ValueType = codes_pb2.PURPOSE_INVESTIGATION,
    present: Sequence[Sequence[int]] = ((0, 1),),
    sender: str = HOLDER,
    forwarded: Sequence[common_pb2.MessageReference] = (ORIGINAL,),
) -> envelope_pb2.Header:
    return envelope_pb2.Header(
        sender=sender,
        recipients=[envelope_pb2.Recipient(agency=THIRD)],
        kind=codes_pb2.KIND_TRANSFER,
        purpose=purpose,
        offences=offences,
        handling=envelope_pb2.Handling(
            tlp=tlp,
            siena_codes=codes,
            onward_transfer=onward,  # type: ignore[arg-type]  # numbers of the enum
            evidential_use=evidence,  # type: ignore[arg-type]  # likewise
            speciality_offences=speciality,
        ),
        forwards=forwarded,
        parts=[
            envelope_pb2.PartDescriptor(
                category=codes_pb2.PART_CATEGORY_FORWARDED,
                facts=envelope_pb2.PartFacts(present_parts=positions),
            )
            for positions in present
        ],
    )


def _consent(
    scope: consent_pb2.ConsentScope.ValueType,
    *,
    until: int | None = None,
    **limits: Any,  # noqa: ANN401 - of the message
) -> procedure_pb2.ConsentStanding:
    made = procedure_pb2.ConsentStanding(scope=scope, **limits)
    if until is not None:
        made.valid_until_time.CopyFrom(to_timestamp(until))
    return made


def _judge(
    standing: procedure_pb2.ForwardStanding,
    header: envelope_pb2.Header,
    *,
    recipient: str = THIRD,
) -> list[tuple[str, int]]:
    """Return what stands in the way: kind and consent scope."""
    found = forwards.obstacles([standing], header, recipient=recipient, entry_time=NOW)
    assert all(obstacle.message == ORIGINAL for obstacle in found)
    return [
        (
            procedure_pb2.ObstacleKind.Name(obstacle.kind).removeprefix("OBSTACLE_KIND_"),
            obstacle.consent_scope,
        )
        for obstacle in found
    ]


def test_what_nobody_restricts_may_be_passed_on() -> None:
    """A record whose handling allows it is passed on under its own label."""
    assert [] == _judge(_standing(), _header())


def test_only_what_is_held_and_not_recalled_is_passed_on() -> None:
    """A message the sender never got or that was recalled from it says nothing more of itself."""
    assert [("FORWARD_NOT_HELD", 0)] == _judge(_standing(held=False, onward=NEVER), _header())
    assert [("RECALLED", 0)] == _judge(_standing(recalled=True, onward=NEVER), _header())


def test_a_standing_that_is_missing_is_not_held() -> None:
    """A header names two messages and one standing is there, or another message's."""
    other = common_pb2.MessageReference(sender=THIRD, message_id="x")
    header = _header(forwarded=[ORIGINAL, other])

    found = forwards.obstacles([_standing()], header, recipient=THIRD, entry_time=NOW)
    mixed = forwards.obstacles([_standing(), _standing()], header, recipient=THIRD, entry_time=NOW)

    expected = procedure_pb2.Obstacle(
        kind=procedure_pb2.OBSTACLE_KIND_FORWARD_NOT_HELD, message=other
    )
    assert [expected] == found
    assert [expected] == mixed


def test_a_part_with_an_original_that_the_header_does_not_name_is_refused() -> None:
    """Each FORWARDED part is judged as one of the header's forwards, or not let through."""
    header = _header(present=[[0], [0]])

    found = forwards.obstacles([_standing()], header, recipient=THIRD, entry_time=NOW)

    expected = procedure_pb2.Obstacle(kind=procedure_pb2.OBSTACLE_KIND_FORWARD_NOT_HELD)
    assert [expected] == found


@pytest.mark.parametrize(
    ("standing", "header", "expected"),
    [
        # Onward transfer.
        (_standing(onward=NEVER), _header(onward=NEVER), [FORWARD_NEVER]),
        (
            _standing(onward=NEVER, consents=[_consent(ONWARD)]),
            _header(onward=NEVER),
            [FORWARD_NEVER],
        ),
        (_standing(onward=ASK), _header(onward=ASK), [ASK_ONWARD]),
        (_standing(onward=ASK, consents=[_consent(ONWARD)]), _header(onward=ASK), []),
        (_standing(onward=ASK, consents=[_consent(EVIDENCE)]), _header(onward=ASK), [ASK_ONWARD]),
        (_standing(siena_codes=[H2]), _header(codes=[H2]), [ASK_ONWARD]),
        (_standing(siena_codes=[H2], consents=[_consent(ONWARD)]), _header(codes=[H2]), []),
        # Evidence.
        (
            _standing(evidence=NEVER),
            _header(evidence=NEVER, purpose=codes_pb2.PURPOSE_PROSECUTION),
            [EVIDENCE_NEVER],
        ),
        (_standing(evidence=NEVER), _header(evidence=NEVER), []),
        (_standing(evidence=NEVER), _header(evidence=ASK), [EVIDENCE_NEVER]),
        (_standing(evidence=ASK), _header(evidence=FREE), [ASK_EVIDENCE]),
        (_standing(evidence=ASK, consents=[_consent(EVIDENCE)]), _header(evidence=FREE), []),
        (
            _standing(siena_codes=[H1]),
            _header(codes=[H1], purpose=codes_pb2.PURPOSE_PROSECUTION),
            [ASK_EVIDENCE],
        ),
        (_standing(siena_codes=[H1]), _header(codes=[H1]), []),
        (_standing(siena_codes=[H1]), _header(), [ASK_EVIDENCE, LAXER]),
        (_standing(siena_codes=[H1], consents=[_consent(EVIDENCE)]), _header(), []),
        # Speciality.
        (_standing(speciality_offences=["0701"]), _header(speciality=["0701"]), []),
        (_standing(speciality_offences=["0701"]), _header(speciality=["070101"]), []),
        (
            _standing(speciality_offences=["0702"]),
            _header(speciality=["0702"]),
            [ASK_OTHER],
        ),
        (
            _standing(speciality_offences=["0702"], consents=[_consent(OTHER, offences=["0701"])]),
            _header(speciality=["0702"]),
            [],
        ),
        (
            _standing(speciality_offences=["0702"], consents=[_consent(OTHER, offences=["0701"])]),
            _header(speciality=["0702", "070101"]),
            [],
        ),
        (
            _standing(speciality_offences=["0702"], consents=[_consent(OTHER)]),
            _header(speciality=["0702"]),
            [ASK_OTHER],
        ),
        (
            _standing(speciality_offences=["0701"], consents=[_consent(OTHER, offences=["0702"])]),
            _header(offences=[], speciality=["0701"]),
            [ASK_OTHER],
        ),
        # Label.
        (_standing(), _header(tlp=RED), []),
        (_standing(), _header(tlp=GREEN), [LAXER]),
        (_standing(onward=ASK), _header(onward=FREE), [ASK_ONWARD, LAXER]),
        (_standing(onward=ASK, consents=[_consent(ONWARD)]), _header(onward=FREE), []),
        (
            _standing(onward=ASK, consents=[_consent(ONWARD, agencies=[THIRD])]),
            _header(onward=FREE),
            [LAXER],
        ),
        (_standing(siena_codes=[H0]), _header(codes=[]), [LAXER]),
        (_standing(siena_codes=[H0]), _header(codes=[H0, H2]), []),
        (_standing(siena_codes=[H2], consents=[_consent(ONWARD)]), _header(), []),
        (
            _standing(siena_codes=[H2], consents=[_consent(ONWARD, agencies=[THIRD])]),
            _header(),
            [LAXER],
        ),
        (_standing(speciality_offences=["0701"]), _header(), [LAXER]),
        (_standing(speciality_offences=["0701"]), _header(speciality=["07"]), [LAXER]),
        (_standing(tlp=0), _header(tlp=AMBER), [LAXER]),
    ],
)
def test_use(
    standing: procedure_pb2.ForwardStanding,
    header: envelope_pb2.Header,
    expected: list[tuple[str, int]],
) -> None:
    """What the original's handling asks for has been consented to, and the label keeps it."""
    assert expected == _judge(standing, header)


@pytest.mark.parametrize(
    ("consents", "enough"),
    [
        ([_consent(ONWARD, until=NOW + 1)], True),
        ([_consent(ONWARD, until=NOW)], False),
        ([_consent(ONWARD, agencies=[THIRD])], True),
        ([_consent(ONWARD, agencies=[HOLDER])], False),
        ([_consent(ONWARD, parts=[0, 1, 2])], True),
        ([_consent(ONWARD, parts=[0])], False),
        ([_consent(ONWARD, parts=[0]), _consent(ONWARD, parts=[1])], True),
        ([_consent(ONWARD, offences=["07"])], True),
        ([_consent(ONWARD, offences=["06"])], False),
    ],
)
def test_limits_of_consent(
    consents: list[procedure_pb2.ConsentStanding],
    enough: bool,  # noqa: FBT001 - a case
) -> None:
    """A consent counts until its end, for its agencies, parts and offences, and together."""
    judged = _judge(_standing(onward=ASK, consents=consents), _header(onward=ASK))

    assert ([] if enough else [ASK_ONWARD]) == judged


def test_a_limited_consent_is_not_enough_where_nothing_says_what_is_passed_on() -> None:
    """Without parts in the header, and without offences, only an unlimited consent covers all."""
    standing = _standing(onward=ASK, consents=[_consent(ONWARD, parts=[0])])
    offences = _standing(onward=ASK, consents=[_consent(ONWARD, offences=["07"])])

    assert [ASK_ONWARD] == _judge(standing, _header(onward=ASK, present=[]))
    assert [ASK_ONWARD] == _judge(offences, _header(onward=ASK, offences=[]))


def test_the_author_may_do_as_it_likes_with_its_own_record() -> None:
    """The author passes its record on, and gets it back, without a consent of its own."""
    standing = _standing(onward=NEVER, evidence=NEVER, siena_codes=[H1, H2])

    assert [] == _judge(standing, _header(sender=ORIGINATOR))
    assert [] == _judge(standing, _header(), recipient=ORIGINATOR)


def test_the_strictest_of_handling_and_obligations_counts() -> None:
    """What the agreement asks of the holder is as binding as what the originator wrote."""
    header = _header(onward=FREE, evidence=ASK, codes=[H0], speciality=["0701"])
    owed = agreement_pb2.Obligations(
        onward_transfer=codes_pb2.ONWARD_TRANSFER_WITH_CONSENT,
        evidential_use=codes_pb2.EVIDENTIAL_USE_ALLOWED,
    )

    made = forwards.effective(header, owed, agreement_pb2.Obligations(), message=ORIGINAL)

    expected = procedure_pb2.ForwardStanding(
        message=ORIGINAL,
        onward_transfer=codes_pb2.ONWARD_TRANSFER_WITH_CONSENT,
        evidential_use=codes_pb2.EVIDENTIAL_USE_WITH_CONSENT,
        tlp=AMBER,
        siena_codes=[H0],
        speciality_offences=["0701"],
    )
    assert expected == made


def test_what_is_not_stated_gives_way() -> None:
    """0 of either side is no limit; both unstated stay so."""
    assert [1, 2, 2, 0] == [forwards.strictest(*pair) for pair in ((1, 3), (0, 2), (2, 0), (0, 0))]


def test_a_consent_is_read_from_its_header() -> None:
    """The header says scope, end and limits; asking and withdrawing give nothing."""
    header = envelope_pb2.Header(
        kind=codes_pb2.KIND_CONSENT,
        subject=envelope_pb2.SubjectParticulars(
            message=ORIGINAL,
            consent_scope=ONWARD,
            valid_until_time=to_timestamp(NOW),
            agencies=[THIRD],
            parts=[1],
            offences=["07"],
        ),
    )

    given = forwards.consent_standing(header, ORIGINAL)

    expected = _consent(
        ONWARD, until=NOW, message=ORIGINAL, agencies=[THIRD], parts=[1], offences=["07"]
    )
    assert expected == given
    header.subject.ClearField("valid_until_time")
    endless = forwards.consent_standing(header)
    assert endless is not None
    assert not endless.HasField("valid_until_time")
    for change in ({"withdrawal": True}, {"consent_request": True}, {"consent_scope": 0}):
        changed = envelope_pb2.Header()
        changed.CopyFrom(header)
        for name, value in change.items():
            setattr(changed.subject, name, value)
        assert forwards.consent_standing(changed) is None
    assert forwards.consent_standing(envelope_pb2.Header(kind=codes_pb2.KIND_RECALL)) is None
