"""`rogatory request render`: a request or answer as a page that a magistrate can sign."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from google.protobuf.message import Message

from rogatory import forms, locales, messagefiles
from rogatory.assistance.v1 import answer_pb2, request_form_pb2
from rogatory.cli import held, options
from rogatory.cli.earlier import Earlier
from rogatory.cli.request.formoptions import (
    CatalogueOption,
    LanguageOption,
    OutOption,
    catalogue_of,
    put,
)
from rogatory.errors import ConfigurationError
from rogatory.home import Home
from rogatory.messagefiles import Complete
from rogatory.recordfiles import read_records
from rogatory.references import completer

_FORMS = (request_form_pb2.AssistanceRequest, answer_pb2.Answer)
_JSON = ".json"


def render(
    message: Annotated[
        str,
        typer.Argument(
            metavar="MESSAGE",
            help="SENDER/MESSAGE_ID, an inbox position, a .delivery or .envelope file; or a file of"
            " records that is not sent yet (YAML, JSON, text-proto).",
            show_default=False,
        ),
    ] = "",
    *,
    language: LanguageOption = "en",
    catalogue: CatalogueOption = None,
    time_zone: Annotated[
        str,
        typer.Option(
            "--time-zone", metavar="ZONE", help="Time zone of instants (IANA), as Asia/Bangkok."
        ),
    ] = "UTC",
    out: OutOption = None,
    write_catalogue: Annotated[
        Path | None,
        typer.Option(
            "--write-catalogue",
            metavar="FILE.po",
            help="Write a catalogue to translate, for a language of your own; nothing else.",
        ),
    ] = None,
    schema: options.SchemaOption = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no gateway for a message that is not here.")
    ] = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Print a request or answer as a page of HTML, to be read, printed and signed.

    The page is laid out section by section as the European Investigation Order, and has all it
    needs in itself. Its labels come from a message catalogue; what a catalogue lacks is English.
    """
    if write_catalogue is not None:
        own = "" if language == "en" else language
        text = forms.empty_catalogue(own).decode()
        put(text, write_catalogue, as_json=as_json, replace=False)
        return
    if not message:
        raise typer.BadParameter("name a message or a file", param_hint="MESSAGE")
    words = catalogue_of(language, catalogue)
    locales.check_time_zone(time_zone)
    place = Home.find(home)
    if _is_records(message):
        document = _draft(place, Path(message), schema=schema)
    else:
        found = held.find(place, message, exercise=exercise, offline=offline)
        document = _document(found)
    page = forms.render_page(document, catalogue=words, zone=ZoneInfo(time_zone))
    put(page, out, as_json=as_json, replace=True)


def _is_records(word: str) -> bool:
    path = Path(word)
    return messagefiles.is_yaml(path) or messagefiles.is_textproto(path) or path.suffix == _JSON


def _draft(place: Home, path: Path, *, schema: str) -> forms.Document:
    found = read_records(path, schema=schema, complete=_references(place))
    form, beside = _form(found.contents, str(path))
    return forms.Document(form=form, beside=beside)


def _references(place: Home) -> Complete | None:
    """Return what completes references from the folder, where there is one."""
    try:
        return completer(Earlier(place, client=None, exercise=False).reference)
    except ConfigurationError:
        return None


def _document(found: held.Held) -> forms.Document:
    header = found.opened.header
    form, beside = _form(found.contents, f"{header.sender}/{header.message_id}")
    return forms.Document(
        form=form,
        beside=beside,
        absent=list(found.absent()),
        provenance=forms.Provenance(
            header=header,
            header_digest=found.opened.header_digest,
            verified=found.verified,
            entry_time=found.entry_time,
            index=found.index,
            origin=header.audience,
            inbox_position=found.inbox_position,
            receipt="" if found.receipt is None else found.receipt.name,
        ),
    )


def _form(contents: Sequence[Message], name: str) -> tuple[forms.Form, list[Message]]:
    """Return the request or answer among contents, and the others."""
    for position, content in enumerate(contents):
        if isinstance(content, _FORMS):
            return content, [*contents[:position], *contents[position + 1 :]]
    raise ConfigurationError(
        f"{name} holds no request or answer that can be read here",
        hint="Name a message with a REQUEST or ANSWER part, as rogatory message show tells; what"
        " was sent and is not kept here is fetched without --offline.",
    )
