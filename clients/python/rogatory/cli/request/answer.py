"""`rogatory request answer`: the template of an answer to a request."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from rogatory.assistance.v1 import request_form_pb2, request_pb2
from rogatory.cli import held, options
from rogatory.cli.request.formoptions import (
    CatalogueOption,
    LanguageOption,
    OutOption,
    catalogue_of,
    put,
)
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.forms import Asked, answer_template, names_of
from rogatory.home import Home


def answer(
    message: Annotated[
        str,
        typer.Argument(
            metavar="MESSAGE", help="The request: inbox position, SENDER/MESSAGE_ID, or a file."
        ),
    ],
    *,
    step: Annotated[
        str,
        typer.Option(
            "--step",
            metavar="STEP",
            help="Step to take: acknowledge, ask-clarification, accept, refuse, postpone, execute,"
            " execute-partly, report-delay, arrange; by the asking agency clarify, close, withdraw,"
            " confirm-in-writing.",
        ),
    ],
    language: LanguageOption = "en",
    catalogue: CatalogueOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no gateway for a request that is not here.")
    ] = False,
    out: OutOption = None,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write the template of an answer: the request, its measures and persons are filled in.

    A refusal lists every ground with its article, what it says, and what it leaves to do.
    """
    wanted = request_pb2.RequestStep.ValueType(
        options.choice(request_pb2.RequestStep, step, "--step")
    )
    words = catalogue_of(language, catalogue)
    place = Home.find(home)
    found = held.find(place, message, exercise=exercise, offline=offline)
    header = found.opened.header
    if header.kind != codes_pb2.KIND_REQUEST:
        kind = codes_pb2.Kind.Name(header.kind).removeprefix("KIND_").lower()
        raise ConfigurationError(
            f"{header.sender}/{header.message_id} is no request: its kind is {kind}",
            hint=_instead(header),
        )
    asked = _asked(found, place.settings().agency)
    if out is not None:
        asked = replace(asked, file=str(out))
    put(answer_template(wanted, catalogue=words, asked=asked), out, as_json=as_json, replace=False)


def _asked(found: held.Held, agency: str) -> Asked:
    header = found.opened.header
    form = next(
        (
            content
            for content in found.contents
            if isinstance(content, request_form_pb2.AssistanceRequest)
        ),
        None,
    )
    basis = _basis(header, agency)
    return Asked(
        reference=found.opened.reference,
        form=form,
        names=list(names_of(found.contents).items()),
        legal_basis=f"{basis.agreement_id}:{basis.article}",
        recipient=basis.agency if header.sender == agency else header.sender,
    )


def _instead(header: envelope_pb2.Header) -> str:
    if header.kind == codes_pb2.KIND_UPDATE:
        request = header.update.request
        return f"Name the request that it is about: {request.sender}/{request.message_id}"
    return "Name the request itself; rogatory inbox lists what arrived."


def _basis(header: envelope_pb2.Header, agency: str) -> envelope_pb2.Recipient:
    """Return the legal basis under which this agency was asked, or asked the first recipient."""
    return next((item for item in header.recipients if item.agency == agency), header.recipients[0])
