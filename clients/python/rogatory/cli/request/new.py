"""`rogatory request new`: the template of a request."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from rogatory.assistance.v1 import request_pb2
from rogatory.cli import options
from rogatory.cli.request.formoptions import (
    CatalogueOption,
    LanguageOption,
    OutOption,
    catalogue_of,
    put,
)
from rogatory.errors import ConfigurationError
from rogatory.forms import Known, request_template
from rogatory.home import Home


def new(
    *,
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="Assistance to ask for: information, preservation, takedown, hearing, ...",
        ),
    ],
    language: LanguageOption = "en",
    catalogue: CatalogueOption = None,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="AGENCY:AGREEMENT:ARTICLE",
            help="Whom to ask on which legal basis, filled in where it is given.",
        ),
    ] = "",
    out: OutOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write the template of a request: YAML, every field explained, with its source.

    What says ??? is to be filled in; rogatory send takes the file when nothing says so any more.
    """
    wanted = request_pb2.AssistanceKind.ValueType(
        options.choice(request_pb2.AssistanceKind, kind, "--kind")
    )
    text = request_template(
        wanted,
        catalogue=catalogue_of(language, catalogue),
        known=_known(Home.find(home), to, out),
        new_id=lambda: str(uuid.uuid4()),
    )
    put(text, out, as_json=as_json, replace=False)


def _known(place: Home, to: str, out: Path | None) -> Known:
    recipient, _, rest = to.partition(":")
    agreement, _, article = rest.partition(":")
    if to and not (recipient and agreement and article):
        raise typer.BadParameter(
            f"{to!r} is not AGENCY:AGREEMENT:ARTICLE, as de.bka:eu-fraud:'Art. 4'",
            param_hint="--to",
        )
    known = Known(recipient=recipient, agreement=agreement, article=article.strip())
    if out is not None:
        known = replace(known, file=str(out))
    try:
        settings = place.settings()
    except ConfigurationError:
        # A template can be written anywhere, by whoever has no agency's folder too.
        return known
    name = next(iter(settings.names.values()), "")
    return replace(known, agency=settings.agency, name=name)
