"""Envelopes: a signed header that says what happens, and parts committed to by it.

Making one (`build`) and reading one, in steps that a gateway and a recipient share:

1. `open_envelope`: parse envelope and header strictly, check the schema's rules;
2. `verify_signatures`: every signature that the header names, over the received bytes;
3. `check_parts`: every clear part against its commitment, schema and facts, and the header's
   particulars against what the parts say.
"""

from rogatory.envelopes.building import (
    build,
    unsigned,
)
from rogatory.envelopes.commitments import (
    ACCESS_DOMAIN,
    OUTCOME_DOMAIN,
    PART_DOMAIN,
    REJECTION_DOMAIN,
    SALT_BYTES,
    access_commitment,
    commitment,
    matches,
    new_message_id,
    outcome_commitment,
    rejection_commitment,
)
from rogatory.envelopes.opening import (
    ED25519_SIGNATURE_BYTES,
    MAX_BATCH_BYTES,
    MAX_BATCH_MESSAGES,
    MAX_ENVELOPE_BYTES,
    MAX_FORWARDS_DEEP,
    MAX_HEADER_BYTES,
    MAX_PARTS,
    MAX_SIGNATURES,
    OpenedEnvelope,
    check_batch,
    check_header,
    is_plain,
    open_envelope,
    parse_checked,
    too_large,
)
from rogatory.envelopes.parts import (
    check_parts,
)
from rogatory.envelopes.signing import (
    check_expiry,
    check_key,
    check_rights,
    check_signature,
    key_unknown,
    named_key,
    verify_signatures,
)

__all__ = [
    "ACCESS_DOMAIN",
    "ED25519_SIGNATURE_BYTES",
    "MAX_BATCH_BYTES",
    "MAX_BATCH_MESSAGES",
    "MAX_ENVELOPE_BYTES",
    "MAX_FORWARDS_DEEP",
    "MAX_HEADER_BYTES",
    "MAX_PARTS",
    "MAX_SIGNATURES",
    "OUTCOME_DOMAIN",
    "PART_DOMAIN",
    "REJECTION_DOMAIN",
    "SALT_BYTES",
    "OpenedEnvelope",
    "access_commitment",
    "build",
    "check_batch",
    "check_expiry",
    "check_header",
    "check_key",
    "check_parts",
    "check_rights",
    "check_signature",
    "commitment",
    "is_plain",
    "key_unknown",
    "matches",
    "named_key",
    "new_message_id",
    "open_envelope",
    "outcome_commitment",
    "parse_checked",
    "rejection_commitment",
    "too_large",
    "unsigned",
    "verify_signatures",
]
