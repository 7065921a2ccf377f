"""TLS certificates: the sandbox authority that `init` makes, and checks on what others issued.

Certificates only let a connection through the door. Who is at it is decided by the public key,
which the agency's root has named in a key statement: an authority that is taken over can lock
agencies out, but never speak for one. Keys are ECDSA P-256: gRPC's TLS library takes no Ed25519.
"""

from rogatory_gateway.pki.authority import (
    BACKDATED,
    CLIENT_DAYS,
    SERVER_DAYS,
    Authority,
    make_authority,
    read_authority,
)
from rogatory_gateway.pki.certificates import (
    check_client_certificate,
    check_pair,
    check_server_files,
    check_validity,
    issuer_of,
    read_certificates,
    to_pem,
)
from rogatory_gateway.pki.keys import (
    load_tls_key,
    make_key,
    public_bytes,
    read_private_key,
    spki_of,
    write_key,
)

__all__ = [
    "BACKDATED",
    "CLIENT_DAYS",
    "SERVER_DAYS",
    "Authority",
    "check_client_certificate",
    "check_pair",
    "check_server_files",
    "check_validity",
    "issuer_of",
    "load_tls_key",
    "make_authority",
    "make_key",
    "public_bytes",
    "read_authority",
    "read_certificates",
    "read_private_key",
    "spki_of",
    "to_pem",
    "write_key",
]
