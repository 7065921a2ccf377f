"""Which keys a draft names: officers by pseudonym, with the right that each needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rogatory.errors import ConfigurationError, DraftError
from rogatory.exchange.v1 import codes_pb2
from rogatory.keyring import KeyRing, KnownKey
from rogatory.keys import PublicKey

KeyInRole = tuple[PublicKey, codes_pb2.KeyRole.ValueType]
"""A key that must sign, and the role in which it does: SIGNING or OFFICER."""

Prefer = Callable[[str], bytes | None]
"""Fingerprint of the key at work by an officer's pseudonym (the agency's own: empty); None: not
known. Asked only where the statements name several valid ones, as while a key is renewed."""


def choose_officers(
    ring: KeyRing,
    agency: str,
    *,
    author: str,
    approvers: Sequence[str],
    now: int,
    prefer: Prefer,
) -> list[KeyInRole]:
    """Return the keys of an author and of approvers, as a header names them.

    Args:
        ring: The agency's keys.
        agency: Its id.
        author: Pseudonym of an officer who may sign; empty: none, the agency's own key is author.
        approvers: Pseudonyms of officers who may approve.
        now: Nanoseconds since the Unix epoch.
        prefer: Which of several valid keys.

    Raises:
        DraftError: DRAFT_FOUR_EYES: an officer is named twice.
        ConfigurationError: An officer has no valid key with the right.
    """
    names = [*([author] if author else []), *approvers]
    if len({*names}) != len(names):
        raise DraftError(
            "an officer is named twice, and nobody approves what they sign themselves",
            hint="Four eyes are two officers: name another one as --approver.",
            reason="DRAFT_FOUR_EYES",
        )
    rights = [codes_pb2.OFFICER_RIGHT_SIGN] if author else []
    rights += [codes_pb2.OFFICER_RIGHT_APPROVE] * len(approvers)
    return [
        (
            choose_key(ring, agency, officer=name, rights={right}, now=now, prefer=prefer),
            codes_pb2.KEY_ROLE_OFFICER,
        )
        for name, right in zip(names, rights, strict=True)
    ]


def choose_key(
    ring: KeyRing,
    agency: str,
    *,
    officer: str = "",
    rights: set[codes_pb2.OfficerRight.ValueType] | None = None,
    now: int,
    prefer: Prefer,
) -> PublicKey:
    """Return a key that is valid at ``now`` (nanoseconds since the Unix epoch).

    Args:
        ring: The agency's keys.
        agency: Its id.
        officer: Whose; empty: the agency's own signing key.
        rights: Any of these the officer must have.
        now: When.
        prefer: Which of several; otherwise the one that was stated last.

    Raises:
        ConfigurationError: There is none.
    """
    role = codes_pb2.KEY_ROLE_OFFICER if officer else codes_pb2.KEY_ROLE_SIGNING
    own = [key for key in ring.keys_of(agency, role) if key.officer == officer]
    found = [
        key
        for key in own
        if not key.fault_at(now) and (not rights or rights.intersection(key.rights))
    ]
    if not found:
        raise _none(own, agency, officer=officer, rights=rights or set(), now=now)
    chosen = found[-1]
    if len(found) > 1:
        preferred = prefer(officer)
        chosen = next((key for key in found if key.fingerprint == preferred), chosen)
    assert chosen.public_key is not None
    return chosen.public_key


def _none(
    own: Sequence[KnownKey],
    agency: str,
    *,
    officer: str,
    rights: set[codes_pb2.OfficerRight.ValueType],
    now: int,
) -> ConfigurationError:
    whose = f"the officer {officer}" if officer else "its own"
    words = " or ".join(
        sorted(
            codes_pb2.OfficerRight.Name(r).removeprefix("OFFICER_RIGHT_").lower() for r in rights
        )
    )
    faults = {key.fault_at(now).removeprefix("KEY_").lower().replace("_", " ") for key in own}
    if not own:
        why = "its key statements name none"
    elif "" in faults:
        why = f"what there is has not the right to {words}"
    else:
        why = f"what there is is {' or '.join(sorted(faults))}"
    return ConfigurationError(
        f"{agency} has no valid key of {whose}" + (f" to {words}" if words else "") + f": {why}",
        hint="See which there are: rogatory agency keys. Add one: rogatory agency statement.",
    )
