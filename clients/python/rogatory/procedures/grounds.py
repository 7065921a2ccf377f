"""Grounds for refusal: where each comes from, what it says, and what the asking agency can do next.

One entry for each `RefusalGround`. A refusal may state a next step of its own; where it does not,
the one here holds, so that nobody is left with a bare no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rogatory.assistance.v1 import refusal_pb2

_EIO = "EIO Directive 2014/41/EU"
_EXCHANGE = "Directive (EU) 2023/977"
_BUDAPEST = "Budapest Convention"
_MODEL = "UN Model Treaty on Mutual Assistance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A ground for refusal.

    Attributes:
        source: Instrument and article; for what follows from the exchange itself, that.
        explanation: What the ground says, in one sentence.
        next_step: What the asking agency can do, in one or two sentences.
    """

    source: str
    explanation: str
    next_step: str


def of(ground: refusal_pb2.RefusalGround.ValueType) -> Ground:
    """Return the entry of a ground.

    Raises:
        KeyError: It is unspecified, or of a newer contract.
    """
    return GROUNDS[ground]


GROUNDS: Mapping[refusal_pb2.RefusalGround.ValueType, Ground] = MappingProxyType(
    {
        refusal_pb2.REFUSAL_GROUND_IMMUNITY_OR_PRIVILEGE: Ground(
            source=f"{_EIO} Art. 11(1)(a)",
            explanation="An immunity or privilege, or rules that protect the press and the freedom"
            " of expression, make it impossible to execute the request.",
            next_step="Ask whether the authority that can waive the immunity or privilege will do"
            " so (Art. 11(5)), or leave out the persons and items that it protects.",
        ),
        refusal_pb2.REFUSAL_GROUND_NATIONAL_SECURITY_OR_SOURCE: Ground(
            source=f"{_EIO} Art. 11(1)(b)",
            explanation="Execution would harm essential national security interests, put a source"
            " in danger, or use classified information of intelligence services.",
            next_step="Ask for less, or for the same from another source: a summary, or"
            " information that is not for use as evidence.",
        ),
        refusal_pb2.REFUSAL_GROUND_NOT_AUTHORISED_DOMESTICALLY: Ground(
            source=f"{_EIO} Art. 11(1)(c)",
            explanation="The measure would not be authorised in a similar domestic case, and the"
            " proceedings are not criminal ones.",
            next_step="Ask which measure the asked State could take in such proceedings"
            " (Art. 10(1)), or ask again once the proceedings are criminal.",
        ),
        refusal_pb2.REFUSAL_GROUND_NE_BIS_IN_IDEM: Ground(
            source=f"{_EIO} Art. 11(1)(d)",
            explanation="The person has already been tried finally for the same acts: ne bis in"
            " idem.",
            next_step="Ask for the final judgment. Where the answer is not meant for a case"
            " against that person for those acts, say so and give an assurance.",
        ),
        refusal_pb2.REFUSAL_GROUND_EXTRATERRITORIAL: Ground(
            source=f"{_EIO} Art. 11(1)(e)",
            explanation="The acts were committed outside the asking State and at least partly in"
            " the asked one, where they are no offence.",
            next_step="State what connects the acts to the asking State and what happened where,"
            " or ask for a measure that needs no offence in the asked State.",
        ),
        refusal_pb2.REFUSAL_GROUND_FUNDAMENTAL_RIGHTS: Ground(
            source=f"{_EIO} Art. 11(1)(f)",
            explanation="There are substantial grounds to believe that execution would be"
            " incompatible with fundamental rights.",
            next_step="Ask which right is at stake, and give the assurances that answer it, or ask"
            " for a measure that intrudes less (Art. 10(3)).",
        ),
        refusal_pb2.REFUSAL_GROUND_NO_DUAL_CRIMINALITY: Ground(
            source=f"{_EIO} Art. 11(1)(g)",
            explanation="The conduct is no offence in the asked State, and it is not of a category"
            " of Annex D with at least three years of imprisonment.",
            next_step="Ask for a measure that needs no dual criminality (Art. 10(2)), or, where"
            " the offence is of an Annex D category, name the category and the maximum penalty.",
        ),
        refusal_pb2.REFUSAL_GROUND_MEASURE_RESTRICTED: Ground(
            source=f"{_EIO} Art. 11(1)(h)",
            explanation="The law of the asked State keeps the measure for a list of offences, or"
            " for offences with a higher penalty.",
            next_step="Ask for another measure that reaches the same (Art. 10(1) and (2)), or"
            " state the offence and the penalty that the measure is kept for, where they apply.",
        ),
        refusal_pb2.REFUSAL_GROUND_SOVEREIGNTY_OR_PUBLIC_ORDER: Ground(
            source=f"{_MODEL} Art. 4(1)(a); {_BUDAPEST} Art. 27(4)(b)",
            explanation="Execution is likely to prejudice the sovereignty, security, public order"
            " or other essential interests of the asked State.",
            next_step="Ask whether it can be granted in part or under conditions (Budapest"
            " Convention Art. 27(6)); else take it up between the central authorities.",
        ),
        refusal_pb2.REFUSAL_GROUND_POLITICAL_OFFENCE: Ground(
            source=f"{_MODEL} Art. 4(1)(b); {_BUDAPEST} Art. 27(4)(a)",
            explanation="The asked State considers the offence a political one, or connected with"
            " one.",
            next_step="State why the offence is not a political one, or limit the request to"
            " offences that are not.",
        ),
        refusal_pb2.REFUSAL_GROUND_DISCRIMINATION: Ground(
            source=f"{_MODEL} Art. 4(1)(c)",
            explanation="There are substantial grounds to believe that a person is prosecuted for"
            " race, sex, religion, nationality, ethnic origin or political opinions.",
            next_step="Answer those grounds in writing between the central authorities; the same"
            " request sent again will fare no better.",
        ),
        refusal_pb2.REFUSAL_GROUND_MILITARY_OFFENCE: Ground(
            source=f"{_MODEL} Art. 4(1)(f)",
            explanation="The act is an offence under military law and not under ordinary criminal"
            " law.",
            next_step="Limit the request to the offences under ordinary criminal law, and name"
            " their statutes.",
        ),
        refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE: Ground(
            source=f"{_EXCHANGE} Art. 6",
            explanation="The asked agency does not hold the information and cannot obtain it.",
            next_step="Ask who holds it, or give further identifiers or another period to search"
            " by.",
        ),
        refusal_pb2.REFUSAL_GROUND_REQUEST_DOES_NOT_CONFORM: Ground(
            source=f"{_EXCHANGE} Art. 6, with Art. 4",
            explanation="The request lacks what it must contain.",
            next_step="Supply what the reasons name and send a new request that refers to this one"
            " (section D).",
        ),
        refusal_pb2.REFUSAL_GROUND_JUDICIAL_AUTHORISATION_REFUSED: Ground(
            source=f"{_EXCHANGE} Art. 6, with Art. 9",
            explanation="The judicial authority of the asked State refused to authorise it.",
            next_step="Ask for the reasons of the decision. Supplement the facts and have a"
            " judicial authority of your own validate a new request.",
        ),
        refusal_pb2.REFUSAL_GROUND_OUTSIDE_PERMITTED_CATEGORIES: Ground(
            source=f"{_EXCHANGE} Art. 6, with Art. 10",
            explanation="The personal data asked for are outside the categories that may be given.",
            next_step="Ask without the categories that the reasons name.",
        ),
        refusal_pb2.REFUSAL_GROUND_INACCURATE: Ground(
            source=f"{_EXCHANGE} Art. 6; LED Art. 7(2)",
            explanation="The information was found to be inaccurate, incomplete or out of date.",
            next_step="Ask when it was checked last and whether corrected information can follow;"
            " correct what you hold of it yourself.",
        ),
        refusal_pb2.REFUSAL_GROUND_HARMS_INVESTIGATION: Ground(
            source=f"{_EXCHANGE} Art. 6",
            explanation="An answer would harm an investigation that is going on.",
            next_step="Ask for a date after which it can be answered, or whether a part can be"
            " answered now; offer to coordinate the investigations.",
        ),
        refusal_pb2.REFUSAL_GROUND_HARMS_PERSON: Ground(
            source=f"{_EXCHANGE} Art. 6",
            explanation="An answer would endanger a person, or unduly harm interests that deserve"
            " protection.",
            next_step="Offer protection and confidentiality (section I), or ask for it without"
            " what points to that person.",
        ),
        refusal_pb2.REFUSAL_GROUND_MINOR_OFFENCE: Ground(
            source=f"{_EXCHANGE} Art. 6",
            explanation="The offence carries at most a year in the asked State, or is none there.",
            next_step="State the graver offences that the facts amount to, where they do, or ask"
            " for what can be had without coercion.",
        ),
        refusal_pb2.REFUSAL_GROUND_POSTPONED: Ground(
            source=f"{_BUDAPEST} Art. 27(5); {_EIO} Art. 15",
            explanation="Not now: execution would prejudice proceedings that are under way.",
            next_step="Ask for the date from which it can be executed, and for preservation of the"
            " evidence until then; send the request again after that date.",
        ),
        refusal_pb2.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS: Ground(
            source=f"{_BUDAPEST} Art. 27(6) and 28(2)",
            explanation="It can be granted, but only under conditions.",
            next_step="Say whether the conditions can be observed (Budapest Convention Art. 28(3))"
            " and send the request again with that assurance.",
        ),
        refusal_pb2.REFUSAL_GROUND_NO_AGREEMENT_IN_FORCE: Ground(
            source="This exchange: no agreement between the two is in force",
            explanation="No agreement between the two agencies is in force that covers it.",
            next_step="See which agreements are in force (rogatory agreement list), ask through an"
            " agency that has one, or through the central authorities.",
        ),
        refusal_pb2.REFUSAL_GROUND_CLAUSE_WITHHELD: Ground(
            source="This exchange: the clause that the refusal names",
            explanation="A clause of the agreement withholds what is asked for.",
            next_step="Read the clause (rogatory agreement show) and ask within what it permits,"
            " or ask the other party to amend it.",
        ),
    }
)
"""Every ground but the unspecified one."""
