"""What stands behind the suspects: a front company, a compound, accounts, and how they are linked.

Everything here is synthetic and the same in every run.
"""

from __future__ import annotations

from google.protobuf.message import Message

from rogatory.records.v1 import (
    account_pb2,
    common_pb2,
    contact_pb2,
    correction_pb2,
    link_pb2,
    organisation_pb2,
    place_pb2,
)
from rogatory_gateway.demo.content import record_id
from rogatory_gateway.demo.persons import ARRESTED, suspect_id

INVESTIGATOR = "vn.police"
"""The agency that found out."""
RECIPIENTS = 3
"""To whom it tells of suspects, and each of them hears of the correction."""

_COMPANY, _COMPOUND = record_id("front company"), record_id("compound")
_ACCOUNTS = tuple(record_id("account of the ring", number) for number in range(3))
_GRADING = common_pb2.Grading(
    source=common_pb2.SOURCE_GRADE_B, information=common_pb2.INFORMATION_GRADE_2
)


def parts(agency: str) -> list[Message]:
    """Return the parts that an agency sends beside its suspects."""
    return [organisations(), places(), accounts(), links()] if agency == INVESTIGATOR else []


def organisations() -> organisation_pb2.Organisations:
    """Return the company that rented the servers."""
    return organisation_pb2.Organisations(
        organisations=[
            organisation_pb2.Organisation(
                record_id=_COMPANY,
                kind=organisation_pb2.ORGANISATION_KIND_FRONT_COMPANY,
                names=[
                    common_pb2.NameText(
                        text="Công ty Cổ phần Hư Cấu", script="Latn", language="vi"
                    ),
                    common_pb2.NameText(
                        text="Hu Cau Example Joint Stock Company", script="Latn", language="en"
                    ),
                ],
                role=organisation_pb2.ORGANISATION_ROLE_FACILITATOR,
                registrations=[
                    organisation_pb2.Registration(
                        register="Business register (demonstration)",
                        number="0000000001",
                        country="VN",
                    )
                ],
                activity="Says that it sells software; rents servers and pays for them",
                grading=_GRADING,
            )
        ]
    )


def places() -> place_pb2.Places:
    """Return the closed site from which they worked."""
    return place_pb2.Places(
        places=[
            place_pb2.Place(
                record_id=_COMPOUND,
                kind=place_pb2.PLACE_KIND_COMPOUND,
                names=[common_pb2.NameText(text="Khu Ví Dụ", script="Latn", language="vi")],
                address=common_pb2.Address(
                    lines=["1 Example Road"], locality="Example City", country="VN"
                ),
                used_from=common_pb2.PartialDate(value="2025-06"),
                grading=_GRADING,
                remark="Four buildings behind one gate; searched, nobody is held there now",
            )
        ]
    )


def accounts() -> account_pb2.Accounts:
    """Return where the money went: a bank account, a wallet, an account on a messenger."""
    bank, wallet, handle = _ACCOUNTS
    return account_pb2.Accounts(
        accounts=[
            account_pb2.Account(
                record_id=bank,
                kind=account_pb2.ACCOUNT_KIND_BANK,
                number=contact_pb2.AccountNumber(institution="Example Bank", number="000-0001"),
                provider="Example Bank",
                country="VN",
                state=account_pb2.ACCOUNT_STATE_FROZEN,
                grading=_GRADING,
            ),
            account_pb2.Account(
                record_id=wallet,
                kind=account_pb2.ACCOUNT_KIND_WALLET,
                crypto_address=contact_pb2.CryptoAddress(
                    network="example-chain", address="EXAMPLE0000000000000000000000000001"
                ),
                state=account_pb2.ACCOUNT_STATE_OPEN,
                grading=_GRADING,
            ),
            account_pb2.Account(
                record_id=handle,
                kind=account_pb2.ACCOUNT_KIND_PLATFORM,
                handle=contact_pb2.PlatformHandle(
                    platform="messenger.example", handle="@lamplight"
                ),
                provider="messenger.example",
                state=account_pb2.ACCOUNT_STATE_CLOSED,
                grading=_GRADING,
            ),
        ]
    )


def links() -> link_pb2.Links:
    """Return who is what to whom."""
    bank, wallet, handle = _ACCOUNTS
    suspects = [suspect_id(INVESTIGATOR, number) for number in range(len(ARRESTED[INVESTIGATOR]))]
    found = [
        (suspects[0], link_pb2.LINK_ROLE_CONTROLS, _COMPANY),
        (suspects[1], link_pb2.LINK_ROLE_ORGANISER, _COMPANY),
        (suspects[2], link_pb2.LINK_ROLE_RECRUITER, _COMPANY),
        (suspects[3], link_pb2.LINK_ROLE_LAUNDERER, wallet),
        (suspects[4], link_pb2.LINK_ROLE_MONEY_MULE, bank),
        (suspects[5], link_pb2.LINK_ROLE_USES, handle),
        *((suspect, link_pb2.LINK_ROLE_MEMBER, _COMPANY) for suspect in suspects[6:]),
        (_COMPANY, link_pb2.LINK_ROLE_OWNS, bank),
        (_COMPANY, link_pb2.LINK_ROLE_OWNS, wallet),
        (_COMPANY, link_pb2.LINK_ROLE_LOCATED_AT, _COMPOUND),
        (bank, link_pb2.LINK_ROLE_PAID_TO, wallet),
    ]
    return link_pb2.Links(
        links=[
            link_pb2.Link(
                record_id=record_id("link", number),
                from_record=common_pb2.RecordReference(record_id=start),
                to_record=common_pb2.RecordReference(record_id=end),
                role=role,
                grading=_GRADING,
            )
            for number, (start, role, end) in enumerate(found)
        ]
    )


def correction(message: common_pb2.MessageReference) -> correction_pb2.Corrections:
    """Return the correction of the first suspect, as a message carried it.

    Args:
        message: Where the suspect was sent.
    """
    return correction_pb2.Corrections(
        corrections=[
            correction_pb2.Correction(
                record=common_pb2.RecordReference(
                    message=message, record_id=suspect_id(INVESTIGATOR, 0)
                ),
                reason=correction_pb2.CORRECTION_REASON_INACCURATE,
                field_paths=["birth_date.value"],
                explanation="Born in 1979, as the identity card has it, not in 1978.",
            )
        ]
    )
