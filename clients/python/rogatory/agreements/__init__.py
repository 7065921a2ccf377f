"""Agreements: the rules as documents, from readable text to the bytes that every party signs.

The base agreement is in `rogatory.agreements.base`, the examples in `rogatory.agreements.examples`.
"""

from rogatory.agreements.checks import BASE_AGREEMENT_ID, check_agreement
from rogatory.agreements.compiled import CompiledAgreement, QuotaClause, compile_agreement
from rogatory.agreements.display import show_agreement
from rogatory.agreements.document import (
    BASE_DIGEST,
    agreement_digest,
    from_armour,
    missing_parties,
    open_agreement,
    parse_agreement,
    render,
    roots_of,
    sign_agreement,
    to_armour,
    with_signature,
)
from rogatory.agreements.suspension import (
    is_suspension,
    open_suspension,
    parse_suspension,
    sign_suspension,
    suspension_from_armour,
    suspension_to_armour,
)
from rogatory.agreements.text import read_agreement, read_agreement_file

__all__ = [
    "BASE_AGREEMENT_ID",
    "BASE_DIGEST",
    "CompiledAgreement",
    "QuotaClause",
    "agreement_digest",
    "check_agreement",
    "compile_agreement",
    "from_armour",
    "is_suspension",
    "missing_parties",
    "open_agreement",
    "open_suspension",
    "parse_agreement",
    "parse_suspension",
    "read_agreement",
    "read_agreement_file",
    "render",
    "roots_of",
    "show_agreement",
    "sign_agreement",
    "sign_suspension",
    "suspension_from_armour",
    "suspension_to_armour",
    "to_armour",
    "with_signature",
]
