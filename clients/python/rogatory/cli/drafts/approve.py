"""`rogatory approve`: an officer's signature under a draft."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from rogatory import drafting
from rogatory.cli import options, signers
from rogatory.cli.drafts import queue
from rogatory.cli.output import emit, note
from rogatory.cli.session import file_signer
from rogatory.drafting import DraftEnvelope
from rogatory.errors import DraftError
from rogatory.home import Home

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Sign a draft as an officer.")
def approve(
    drafts: options.DraftsArgument,
    *,
    officer: Annotated[
        str, typer.Option(metavar="PSEUDONYM", help="Who signs: as author, or as approver.")
    ],
    officer_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The officer's key file; by default keys/officer-PSEUDONYM.pem of the folder.",
        ),
    ] = None,
    digest: Annotated[
        str,
        typer.Option(
            metavar="SHA256", help="Of the header, as rogatory review showed it: sign nothing else."
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write the signed draft here; by default where it was.")
    ] = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Put an officer's signature under a draft that names the officer: author or approver.

    What was signed before is verified first. The key must be one that the agency's statements, as
    the folder has them, still list; the gateway judges again when the message is entered.
    """
    place = Home.find(home)
    found = queue.find(place, drafts)
    _check_digest(found.draft, digest)
    found.check_not_rejected()
    ring = queue.own_ring(place)
    signer = file_signer(
        officer_key if officer_key is not None else signers.officer_key(place, officer)
    )
    now = time.time_ns()
    signed = drafting.sign(found.draft, signer, ring=ring, now=now, officer=officer)
    targets = found.paths if out is None else (out,)
    for path in targets:
        signed = queue.add(path, signed) if path.exists() else queue.write(path, signed)
    states = drafting.signer_states(signed, ring, now=now)
    waiting = signers.waiting_for(states)
    if signers.readiness(states) != signers.WAITING:
        note(f"all officers have signed: rogatory send {targets[0]}")
    emit(
        {
            "message_id": signed.message_id,
            "officer": officer,
            "header_digest": signed.header_digest.hex(),
            "files": [str(path) for path in targets],
            "signed_by": signers.state_data(states),
            "waiting_for": waiting,
        },
        [
            f"signed by {officer}: draft {signed.message_id}",
            f"header: sha256:{signed.header_digest.hex()}",
            f"waiting for: {', '.join(waiting) or 'nobody'}",
            *(f"file: {path}" for path in targets),
        ],
        as_json=as_json,
    )


def _check_digest(draft: DraftEnvelope, stated: str) -> None:
    if stated and stated.removeprefix("sha256:").lower() != draft.header_digest.hex():
        raise DraftError(
            f"the header of draft {draft.message_id} has the digest"
            f" sha256:{draft.header_digest.hex()}, not the one you reviewed",
            hint="It is another draft than you saw: review it again.",
            reason="DRAFT_DIGEST",
        )
