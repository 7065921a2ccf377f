"""`rogatory directory`: who takes part."""

from __future__ import annotations

import typer

from rogatory.cli import options
from rogatory.cli.output import aligned, emit, plain
from rogatory.cli.session import connect
from rogatory.cli.trust import Trust
from rogatory.exchange.v1 import codes_pb2, directory_service_pb2
from rogatory.home import Home

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="See who takes part."
)


@app.callback()
def group() -> None:
    """See who takes part."""


@app.command("list")
def list_agencies(*, home: options.HomeOption = None, as_json: options.JsonOption = False) -> None:
    """List enrolled agencies, and whether an agreement you signed pins their root."""
    place = Home.find(home)
    trust = Trust(place)
    with connect(place) as client:
        trust.refresh(client)
        entries = list(client.agencies())
    rows = [["AGENCY", "KIND", "NAME", "ROOT", "DUTY CONTACT"]]
    data = []
    for entry in entries:
        agency = entry.agency
        root = trust.policy.ring.root(agency.agency_id)
        state = "revoked" if entry.revoked else "pinned" if root is not None else "not pinned"
        rows.append([agency.agency_id, _kind(entry), _name(entry), state, agency.duty_contact])
        data.append(
            {
                **plain(agency),
                "revoked": entry.revoked,
                "root": root.text if root is not None else "",
                "statements": len(entry.statements),
            }
        )
    emit(data, aligned(rows), as_json=as_json)


def _kind(entry: directory_service_pb2.DirectoryEntry) -> str:
    name = codes_pb2.AgencyKind.Name(entry.agency.kind)
    return name.removeprefix("AGENCY_KIND_").lower().replace("_", "-")


def _name(entry: directory_service_pb2.DirectoryEntry) -> str:
    names = {item.language: item.name for item in entry.agency.names}
    return names.get("en") or next(iter(names.values()), "")
