"""The example that the README shows: what stands between the region marks, word for word."""

# region example
from pathlib import Path

from rogatory.client import Client, Draft, recipient
from rogatory.exchange.v1.codes_pb2 import KIND_TRANSFER, PURPOSE_INVESTIGATION
from rogatory.recordfiles import read_records

to = recipient("de.bka", "fr-de-cyber-2026", "Art. 4(1)")
draft = Draft(kind=KIND_TRANSFER, purpose=PURPOSE_INVESTIGATION, recipients=[to], offences=["0903"])
with Client.from_home("fr") as client:
    sent = client.send(draft, contents=read_records("hosts.json").contents)
Path("hosts.tlog-proof").write_bytes(sent.receipt.to_bytes())
# endregion
