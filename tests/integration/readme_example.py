"""The example that the README shows: what stands between the region marks, word for word."""

# region example
from pathlib import Path

from rogatory.client import Client, Draft, TlsCredentials, recipient
from rogatory.exchange.v1.codes_pb2 import KEY_ROLE_SIGNING, KIND_TRANSFER, PURPOSE_INVESTIGATION
from rogatory.recordfiles import read_records
from rogatory.signers import FileSigner


def send_hosts(home: Path, gateway: str, origin: str) -> None:
    """Send a file of malicious hosts and keep the receipt."""
    tls = TlsCredentials.from_files(
        certificate=home / "tls/client.pem", key=home / "keys/tls.pem", ca=home / "tls/ca.pem"
    )
    signers = [(FileSigner(home / "keys/signing.pem"), KEY_ROLE_SIGNING)]
    draft = Draft(
        kind=KIND_TRANSFER,
        purpose=PURPOSE_INVESTIGATION,
        offences=["0903"],  # ICCS: acts against computer systems
        recipients=[recipient("de.bka", "fr-de-cyber-2026", "Art. 4(1)")],
    )
    with Client(
        target=gateway, agency="fr.police", audience=origin, tls=tls, signers=signers
    ) as client:
        sent = client.send(draft, contents=read_records(home / "hosts.json").contents)
        (home / "hosts.tlog-proof").write_bytes(sent.receipt.to_bytes())


# endregion
