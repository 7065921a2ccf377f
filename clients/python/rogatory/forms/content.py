"""What a message says, as rows of labels and values in a language.

Every field that is filled becomes a row, whatever it is, so that nobody signs what the page does
not show. Values are text; where a row holds a message, its rows stand inside.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal, localcontext

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, get_decimal_symbol
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from rogatory.forms.catalogue import Catalogue
from rogatory.jsonrecords import descriptor_of
from rogatory.records.v1 import common_pb2

_COUNTRIES = frozenset({"country", "issuing_country", "executing_country", "nationalities"})
_LANGUAGES = frozenset({"language", "languages", "answer_languages"})
_DIGITS = 64
"""More than an amount has."""
_SUBJECTS = frozenset({"subject_ids"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value.

    Attributes:
        text: The value; empty where it has rows.
        rows: What a message holds.
        language: BCP 47 tag of the text where it is not the page's; empty: it is.
        code: A text that is no prose: an identifier, a digest.
    """

    text: str = ""
    rows: tuple[Row, ...] = ()
    language: str = ""
    code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A label and the values that stand beside it."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Lays messages out.

    Attributes:
        catalogue: Has the labels.
        zone: Time zone of instants.
        language: BCP 47 tag of free text; empty: that of the page.
        records: What the records that a message refers to are, by record id.
    """

    catalogue: Catalogue
    zone: tzinfo
    language: str = ""
    records: Mapping[str, str] = field(default_factory=dict)

    def rows(self, message: Message, *, without: Collection[str] = ()) -> tuple[Row, ...]:
        """Return a row for every field that is filled, in the order of the schema.

        Args:
            message: The message.
            without: Names of fields that stand elsewhere.
        """
        return tuple(
            row
            for entry in descriptor_of(type(message)).fields
            if entry.name not in without and (row := self.row(message, entry.name)) is not None
        )

    def row(self, message: Message, name: str) -> Row | None:
        """Return the row of a field; None where it is not filled."""
        entry = descriptor_of(type(message)).fields_by_name[name]
        value = getattr(message, name)
        cells: tuple[Cell, ...]
        if name == "measure_ids":
            cells = (Cell(text=", ".join(value), code=True),) if value else ()
        elif entry.is_repeated:
            cells = tuple(self._cell(entry, item) for item in value)
        elif entry.message_type is not None:
            cells = (self._cell(entry, value),) if message.HasField(name) else ()
        else:
            cells = (self._cell(entry, value),) if value else ()
        return Row(label=self.catalogue.label(entry), cells=cells) if cells else None

    def record(self, record_id: str) -> Cell:
        """Return what a record is, with its id."""
        name = self.records.get(record_id, "")
        return Cell(text=f"{name} ({record_id})" if name else record_id, code=not name)

    def instant(self, moment: Timestamp) -> str:
        """Return an instant in the language, with its offset from UTC."""
        try:
            when = moment.ToDatetime(tzinfo=self.zone)
        except (OverflowError, ValueError):
            # At the ends of the calendar a zone leads out of it.
            return moment.ToJsonString()
        locale = self.catalogue.locale
        offset = when.strftime("%z")
        return (
            f"{format_date(when.date(), 'long', locale=locale)},"
            f" {format_datetime(when, 'HH:mm:ss', tzinfo=self.zone, locale=locale)}"
            f" UTC{offset[:3]}:{offset[3:5]}"
        )

    def day(self, text: str) -> str:
        """Return a day (ISO 8601) in the language; the text where it is none."""
        try:
            return format_date(date.fromisoformat(text), "long", locale=self.catalogue.locale)
        except ValueError:
            return text

    def country(self, code: str) -> str:
        """Return a country's name in the language, with its code."""
        name = self.catalogue.locale.territories.get(code, "")
        return f"{name} ({code})" if name else code

    def tongue(self, tag: str) -> str:
        """Return a language's name in the language, with its tag."""
        try:
            name = Locale.parse(tag, sep="-").get_display_name(self.catalogue.locale)
        except (UnknownLocaleError, ValueError):
            name = ""
        return f"{name} ({tag})" if name else tag

    def name(self, text: common_pb2.NameText) -> Cell:
        """Return a name in its own script, said to be in its own language."""
        marks = [text.script] if text.script else []
        if text.romanisation:
            marks.append(
                self.catalogue.value(common_pb2.RomanisationScheme.DESCRIPTOR, text.romanisation)
            )
        more = f" ({', '.join(marks)})" if marks else ""
        tag = text.language
        if text.script and text.script not in tag:
            tag = f"{tag or 'und'}-{text.script}"
        return Cell(text=f"{text.text}{more}", language=tag)

    def _cell(self, entry: FieldDescriptor, value: object) -> Cell:
        if isinstance(value, Message):
            return self._message(value)
        if entry.enum_type is not None:
            return Cell(text=self.catalogue.value(entry.enum_type, _number(value)))
        if isinstance(value, bool):
            return Cell(text=self.catalogue.text(f"page:{'yes' if value else 'no'}"))
        if isinstance(value, bytes):
            return _bytes(value)
        if isinstance(value, (int, float)):
            return Cell(text=str(value))
        return self._text(entry, str(value))

    def _text(self, entry: FieldDescriptor, value: str) -> Cell:
        name = entry.name
        known: tuple[tuple[bool, Callable[[str], str]], ...] = (
            (name in _COUNTRIES, self.country),
            (name in _LANGUAGES, self.tongue),
            (name.endswith("_date"), self.day),
        )
        for applies, say in known:
            if applies:
                return Cell(text=say(value))
        if name in _SUBJECTS:
            return self.record(value)
        code = name.endswith(("_id", "_ids")) or name in {"agency", "sender"}
        return Cell(text=value, code=code, language="" if code else self.language)

    def _message(self, value: Message) -> Cell:
        match value:
            case Timestamp():
                return Cell(text=self.instant(value))
            case common_pb2.NameText():
                return self.name(value)
            case common_pb2.PartialDate():
                circa = f" ({self._label(value, 'circa')})" if value.circa else ""
                return Cell(text=f"{self.day(value.value)}{circa}")
            case common_pb2.Amount():
                return Cell(text=self._amount(value))
            case common_pb2.RecordReference():
                known = self.record(value.record_id)
                if not value.HasField("message"):
                    return known
                elsewhere = self.row(value, "message")
                assert elsewhere is not None  # it is filled
                plain = Row(label=self._label(value, "record_id"), cells=(known,))
                return Cell(rows=(plain, elsewhere))
            case common_pb2.MessageReference():
                named = f"{value.sender}/{value.message_id}"
                return Cell(text=f"{named}\nSHA-256 {value.header_digest.hex()}", code=True)
            case _:
                return Cell(rows=self.rows(value))

    def _label(self, message: Message, name: str) -> str:
        return self.catalogue.label(descriptor_of(type(message)).fields_by_name[name])

    def _amount(self, amount: common_pb2.Amount) -> str:
        """Return an amount with every digit that it is stated with."""
        locale = self.catalogue.locale
        whole, point, fraction = amount.value.partition(".")
        with localcontext(prec=_DIGITS):
            grouped = format_decimal(Decimal(whole), locale=locale)
        after = f"{get_decimal_symbol(locale)}{fraction}" if point else ""
        return f"{grouped}{after} {amount.currency}"


def _number(value: object) -> int:
    assert isinstance(value, int)  # protobuf's enums are
    return value


def _bytes(value: bytes) -> Cell:
    """Return bytes as text where they are, else in base64."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and text:
        return Cell(text=text)
    return Cell(text=base64.b64encode(value).decode(), code=True)
