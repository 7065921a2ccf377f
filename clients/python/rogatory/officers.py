"""Officers: what their signatures are worth together."""

from __future__ import annotations

from collections.abc import Iterable

from rogatory.exchange.v1 import codes_pb2, decision_pb2


def four_eyes(signers: Iterable[decision_pb2.SignerStanding]) -> bool:
    """Say whether two officers signed: one who may sign as author, another who may approve.

    Two keys and two pseudonyms. The agency's own signature is made by its system, with nobody
    looking, and never counts; nor does a name in the CONTEXT part.
    """
    officers = [signer for signer in signers if signer.role == codes_pb2.KEY_ROLE_OFFICER]
    authors = [o for o in officers if codes_pb2.OFFICER_RIGHT_SIGN in o.rights]
    approvers = [o for o in officers if codes_pb2.OFFICER_RIGHT_APPROVE in o.rights]
    return any(
        author.key != approver.key and author.officer != approver.officer
        for author in authors
        for approver in approvers
    )
