"""Drafts: messages on their way from officer to officer, until all have signed who must."""

from rogatory.drafting.armoured import begins, from_armour, to_armour
from rogatory.drafting.draft import DraftEnvelope, make, merge, open_draft
from rogatory.drafting.officers import KeyInRole, Prefer, choose_key, choose_officers
from rogatory.drafting.signing import SignerState, complete, sign, signer_states

__all__ = [
    "DraftEnvelope",
    "KeyInRole",
    "Prefer",
    "SignerState",
    "begins",
    "choose_key",
    "choose_officers",
    "complete",
    "from_armour",
    "make",
    "merge",
    "open_draft",
    "sign",
    "signer_states",
    "to_armour",
]
