"""What a client has seen of the log, so that a rewritten one is noticed."""

from __future__ import annotations

from collections.abc import Iterable

from rogatory.audit.v1 import audit_service_pb2
from rogatory.checkpoints import SignedCheckpoint, open_checkpoint
from rogatory.errors import ConfigurationError, ProofError
from rogatory.merkle import verify_consistency
from rogatory.notes import VerifierKey


class LogView:
    """The last checkpoint that verified, and the keys to verify the next one with."""

    def __init__(self, log_keys: Iterable[VerifierKey], last: SignedCheckpoint | None) -> None:
        self._keys = tuple(log_keys)
        self.last = last

    def need_keys(self) -> None:
        """Do nothing where there are keys.

        Raises:
            ConfigurationError: There are none, so that nothing could be verified.
        """
        if not self._keys:
            raise ConfigurationError(
                "There is no key of the log to verify its checkpoint with",
                hint="Make the client with log_keys=[VerifierKey.parse(...)], the line that the"
                " operator publishes.",
            )

    def take(
        self,
        response: audit_service_pb2.GetCheckpointResponse,
        *,
        since: SignedCheckpoint | None,
    ) -> SignedCheckpoint:
        """Verify a checkpoint and that it continues an earlier one; remember it.

        Args:
            response: With the consistency proof from ``since``.
            since: The checkpoint that was the last one seen when the call was made.

        Raises:
            NoteError: No known key of the log signed it.
            ProofError: It does not continue the earlier one.
        """
        signed = open_checkpoint(response.checkpoint.encode(), log_keys=self._keys)
        new = signed.checkpoint
        if since is not None:
            old = since.checkpoint
            if new.origin != old.origin:
                raise ProofError(
                    f"This is the log {new.origin}, and the last one seen was {old.origin}",
                    hint="Check the gateway's address.",
                )
            if new.size < old.size:
                raise ProofError(
                    f"The log has {new.size} entries and had {old.size} before",
                    hint="Keep both signed checkpoints: together they show that the log was cut or"
                    " restored from an old backup.",
                )
            verify_consistency(
                old_size=old.size,
                new_size=new.size,
                proof=tuple(response.consistency_proof),
                old_root=old.root,
                new_root=new.root,
            )
        if self.last is None or new.size >= self.last.checkpoint.size:
            self.last = signed
        return signed
