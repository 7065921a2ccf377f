"""Where an agency can be reached at any hour (Budapest Convention Art. 35)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory.exchange.v1 import exchange_service_pb2

if TYPE_CHECKING:
    from rogatory_gateway.ledger.registry import Registry


def duty_contact(registry: Registry, agency: str) -> exchange_service_pb2.DutyContact | None:
    """Return where an agency can be reached, as its key statement says; None: it is unknown."""
    stated = registry.ring.agency(agency)
    if stated is None:
        return None
    return exchange_service_pb2.DutyContact(
        agency=agency,
        duty_contact=stated.duty_contact,
        time_zone=stated.time_zone,
        languages=stated.languages,
    )
