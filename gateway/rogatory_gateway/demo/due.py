"""What the operation is due to bring: from its numbers, and from what its agreement permits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rogatory.agreements import read_agreement
from rogatory.exchange.v1 import codes_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.demo import cast, content
from rogatory_gateway.demo.hosts import Host


def copies(hosts: Iterable[Host]) -> int:
    """Return how many hosts all agencies together receive when each gets what it may."""
    types = Counter(host.type for host in hosts)
    return sum(
        len(audience(tlp)) * sum(types[kind] for kind in kinds)
        for tlp, kinds in content.TIERS.items()
    )


def audience(tlp: common_pb2.Tlp.ValueType) -> frozenset[str]:
    """Return whom the operation's agreement lets have indicators with a label from the desk."""
    agreement = read_agreement(cast.agreement_text(cast.JOINT))
    parties = {party.agency for party in agreement.parties} - {cast.COORDINATOR}
    found: set[str] = set()
    for clause in agreement.clauses:
        scope = clause.scope
        if (
            codes_pb2.PART_CATEGORY_INDICATOR in scope.categories
            and cast.COORDINATOR in scope.senders
            and tlp in scope.tlp
        ):
            found |= set(scope.recipients) or parties
    return frozenset(found)
