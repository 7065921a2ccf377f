"""On which legal basis agencies are written to: an agreement that both are party to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from rogatory.agreements import BASE_AGREEMENT_ID
from rogatory.cli.output import note
from rogatory.client import Client, recipient
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import agreement_pb2, envelope_pb2

MAX_RECIPIENTS = 64
"""Of one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """An article of an agreement."""

    agreement_id: str
    article: str

    @classmethod
    def parse(cls, text: str) -> Basis:
        """Return the basis that AGREEMENT:ARTICLE names.

        Raises:
            typer.BadParameter: It is not written so.
        """
        agreement, _, article = text.partition(":")
        if not (agreement and article.strip()):
            raise typer.BadParameter(
                f"{text!r} is not AGREEMENT:ARTICLE, as mekong:'Art. 10(1)'", param_hint="--under"
            )
        return cls(agreement_id=agreement, article=article.strip())

    @classmethod
    def of(cls, item: envelope_pb2.Recipient) -> Basis:
        """Return the basis on which a recipient is written to."""
        return cls(agreement_id=item.agreement_id, article=item.article)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom a message reaches.

    Attributes:
        recipients: Each on its basis, in the order asked for.
        unreachable: (agency, why) for the rest.
    """

    recipients: Sequence[envelope_pb2.Recipient]
    unreachable: Sequence[tuple[str, str]]

    def data(self) -> list[dict[str, Any]]:
        """Return who cannot be reached, for JSON."""
        return [{"agency": agency, "reason": why} for agency, why in self.unreachable]

    def need(
        self, *, stated: Sequence[envelope_pb2.Recipient] = ()
    ) -> list[envelope_pb2.Recipient]:
        """Return the recipients, behind those that are stated; say who cannot be reached.

        Args:
            stated: Recipients named one by one; they are not written to twice.

        Raises:
            ConfigurationError: There is none, or there are too many.
        """
        named = {item.agency for item in stated}
        for agency, why in self.unreachable:
            if agency not in named:
                note(f"not reached: {agency}: {why}")
        found = [*stated, *(item for item in self.recipients if item.agency not in named)]
        if not found:
            raise ConfigurationError(
                "There is nobody to send it to",
                hint="Name an agreement that the agencies are party to: --under AGREEMENT:ARTICLE;"
                " see rogatory agreement list.",
            )
        if len(found) > MAX_RECIPIENTS:
            raise ConfigurationError(
                f"It would go to {len(found)} agencies, and a message has {MAX_RECIPIENTS} at most",
                hint="Send it to some of them with --to, and then to the others.",
            )
        return found


class Bases:
    """Which agreement serves towards whom."""

    def __init__(self, client: Client, *, under: Sequence[str] = (), usual: Iterable[Basis] = ()):
        """Take the bases that may serve.

        Args:
            client: Tells who is party to what.
            under: As typed; where there are any, no other serves.
            usual: Those that serve otherwise, the best first.

        Raises:
            typer.BadParameter: One is not written as AGREEMENT:ARTICLE.
        """
        self._bases = [Basis.parse(text) for text in under] or list(dict.fromkeys(usual))
        self._stated = bool(under)
        self._parties: dict[str, frozenset[str]] | None = None
        self._client = client

    def reach(self, agencies: Iterable[str]) -> Reach:
        """Return how agencies are reached, each on the first basis that fits.

        Raises:
            CallError: The gateway did not answer.
        """
        recipients, unreachable = [], []
        for agency in agencies:
            basis = next((one for one in self._bases if self._serves(one, agency)), None)
            if basis is not None:
                recipients.append(recipient(agency, basis.agreement_id, basis.article))
            else:
                unreachable.append((agency, self._why(agency)))
        return Reach(recipients=recipients, unreachable=unreachable)

    def _serves(self, basis: Basis, agency: str) -> bool:
        if basis.agreement_id == BASE_AGREEMENT_ID:
            return True
        return agency in self._in_force().get(basis.agreement_id, ())

    def _why(self, agency: str) -> str:
        shared = ", ".join(name for name, parties in self._in_force().items() if agency in parties)
        if not shared:
            return "no agreement is in force that you are both party to"
        if not self._stated:
            return f"give --under AGREEMENT:ARTICLE for one of: {shared}"
        tried = ", ".join(one.agreement_id for one in self._bases)
        return f"it is not party to {tried}; in force with it: {shared}"

    def _in_force(self) -> dict[str, frozenset[str]]:
        if self._parties is None:
            self._parties = {}
            for record in self._client.agreements(in_force=True):
                agreement = agreement_pb2.Agreement.FromString(record.agreement.agreement)
                self._parties[agreement.agreement_id] = frozenset(
                    party.agency for party in agreement.parties
                )
        return self._parties
