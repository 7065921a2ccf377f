"""What a verifier needs, fetched as a partner fetches it, but for the roots and the log's key."""

from __future__ import annotations

from rogatory.agreements import open_agreement
from rogatory.agreements.base import base_agreement
from rogatory.audit.v1 import audit_service_pb2
from rogatory.checkpoints import SignedCheckpoint, open_checkpoint
from rogatory.exchange.v1 import agreement_service_pb2, directory_service_pb2
from rogatory.logreplay import LogReplay
from rogatory.merkle import verify_consistency
from rogatory.notes import VerifierKey
from rogatory.policy import Policy
from tests.support.house import House
from tests.support.wire import Wire


async def policy_of(house: House, *wires: Wire) -> Policy:
    """Return a policy with the roots known beforehand and what the gateway says of the rest.

    Agreements are those that any of the agencies may see.
    """
    directory = await wires[0].directory.ListAgencies(directory_service_pb2.ListAgenciesRequest())
    agreements = {base_agreement().digest: base_agreement()}
    for wire in wires:
        listed = await wire.agreements.ListAgreements(agreement_service_pb2.ListAgreementsRequest())
        for record in listed.agreements:
            compiled = open_agreement(record.agreement)
            agreements[compiled.digest] = compiled
    return Policy(
        log_keys=[house.log_key],
        roots={name: agency.root.public_key for name, agency in house.world.agencies.items()},
        directory=list(directory.agencies),
        agreements=agreements,
    )


async def replay_log(supervisor: Wire, key: VerifierKey) -> LogReplay:
    """Read the whole log as a supervisory authority and check all of it with the library alone."""
    checkpoint = await supervisor.audit.GetCheckpoint(audit_service_pb2.GetCheckpointRequest())
    size = open_checkpoint(checkpoint.checkpoint.encode(), log_keys=[key]).checkpoint.size
    replay = LogReplay()
    token = ""
    while replay.counts.entries < size:
        page = await supervisor.audit.ListEntries(
            audit_service_pb2.ListEntriesRequest(page_token=token)
        )
        token = page.next_page_token
        for item in page.entries[: size - replay.counts.entries]:
            replay.take(index=item.index, entry=item.entry, outcomes=item.outcomes)
    replay.finish(checkpoint.checkpoint.encode(), log_keys=[key])
    return replay


class Watcher:
    """Remembers the latest checkpoint and wants each later one to be consistent with it."""

    def __init__(self, wire: Wire, key: VerifierKey) -> None:
        self._wire = wire
        self._key = key
        self.latest: SignedCheckpoint | None = None

    async def look(self) -> SignedCheckpoint:
        """Fetch the checkpoint and prove that it extends the latest one seen."""
        old = 0 if self.latest is None else self.latest.checkpoint.size
        answer = await self._wire.audit.GetCheckpoint(
            audit_service_pb2.GetCheckpointRequest(consistent_from=old)
        )
        signed = open_checkpoint(answer.checkpoint.encode(), log_keys=[self._key])
        if self.latest is not None:
            check_extends(self.latest, signed, list(answer.consistency_proof))
        self.latest = signed
        return signed


def check_extends(old: SignedCheckpoint, new: SignedCheckpoint, proof: list[bytes]) -> None:
    """Verify a consistency proof between two checkpoints."""
    verify_consistency(
        old_size=old.checkpoint.size,
        new_size=new.checkpoint.size,
        proof=proof,
        old_root=old.checkpoint.root,
        new_root=new.checkpoint.root,
    )
