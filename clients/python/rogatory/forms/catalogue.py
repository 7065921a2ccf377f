"""Message catalogues: labels, explanations and words of forms, one gettext file for a language.

A message is looked up by a key, such as ``label:Offence.statute`` or ``enum:DATA_CLASS_TRAFFIC``;
what a catalogue does not translate stays English. So a language is a file that anyone can write,
with any editor of ``.po`` files, and no program has to be built.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from rogatory.assistance.v1 import refusal_pb2
from rogatory.errors import ConfigurationError
from rogatory.locales import check_language
from rogatory.procedures.grounds import GROUNDS

MAX_FILE_BYTES = 4 << 20
"""A catalogue has some 900 short messages."""

ENGLISH = "en"
_BRITISH = "en-GB"

_LANGUAGE = re.compile(rb'^"Language:([^"\\]*)\\n"\r?\n', re.MULTILINE)
_PACKAGE = "rogatory.forms"
_FOLDER = "catalogues"


class Catalogue:
    """The messages of one language, with English behind them.

    Attributes:
        language: BCP 47 tag.
        unknown: Keys of the file that no form uses, in its order: misspelt, or of another version.
    """

    def __init__(self, language: str, messages: Mapping[str, str]) -> None:
        """Take messages by key; empty ones count as missing."""
        known = _english()
        self.language = language
        self.unknown = tuple(key for key in messages if key not in known)
        self._messages = {**known, **{key: text for key, text in messages.items() if text}}

    @property
    def locale(self) -> Locale:
        """How dates and numbers are written: that of the language, else British English."""
        try:
            tag = _BRITISH if self.language == ENGLISH else self.language
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            return Locale.parse(_BRITISH, sep="-")

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return self.locale.text_direction

    def __contains__(self, key: str) -> bool:
        """Say whether there is such a message, in any language."""
        return key in self._messages

    def text(self, key: str, **values: str) -> str:
        """Return a message, with ``{name}`` replaced by the value of that name.

        Raises:
            KeyError: There is no such message.
        """
        text = self._messages[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def label(self, field: FieldDescriptor) -> str:
        """Return what a field is called; its name in words where no form has it."""
        return self._messages.get(label_key(field)) or _words(field.name)

    def explanation(self, field: FieldDescriptor) -> str:
        """Return what is to be said of a field, with its source; empty where its label says all."""
        return self._messages.get(help_key(field), "")

    def value(self, enum: EnumDescriptor, number: int) -> str:
        """Return what an enum value means; its name in words where no form has it."""
        named = enum.values_by_number.get(number)
        if named is None:
            return str(number)
        return self._messages.get(value_key(named.name)) or _words(short_name(enum, number))

    def ground(self, number: refusal_pb2.RefusalGround.ValueType, what: str) -> str:
        """Return ``source``, ``explanation`` or ``next`` of a ground for refusal."""
        return self._messages[ground_key(number, what)]


def languages() -> list[str]:
    """Return the languages that come with the library."""
    files = (item.name for item in resources.files(_PACKAGE).joinpath(_FOLDER).iterdir())
    return sorted(name.removesuffix(".po") for name in files if name.endswith(".po"))


def load_catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language that comes with the library: ``en``, ``zh``, ``zh-CN``.

    Raises:
        ConfigurationError: There is none.
    """
    check_language(language)
    for name in (language, language.partition("-")[0]):
        if name in languages():
            return Catalogue(language, {} if name == ENGLISH else _shipped(name))
    raise ConfigurationError(
        f"There is no catalogue for the language {language!r}",
        hint=f"Use one of {', '.join(languages())}, or write your own: rogatory request render"
        " --write-catalogue FILE.po makes the file to translate, --catalogue FILE.po uses it.",
    )


def read_catalogue(path: Path) -> Catalogue:
    """Read a catalogue of one's own.

    Raises:
        ConfigurationError: It cannot be read, is not a gettext catalogue, or names no language.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"The catalogue {path} cannot be read: {error.strerror}", hint="Check its name."
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigurationError(
            f"The catalogue {path} is larger than {MAX_FILE_BYTES} bytes",
            hint="Name a file made with rogatory request render --write-catalogue.",
        )
    # The header's language is read here: Babel wants it to be one that it knows.
    found = _LANGUAGE.search(data)
    try:
        catalog = read_po(
            io.BytesIO(_LANGUAGE.sub(b"", data, count=1)), charset="utf-8", abort_invalid=True
        )
    except (PoFileError, UnicodeDecodeError, ValueError) as error:
        raise ConfigurationError(
            f"The catalogue {path} is not a gettext catalogue in UTF-8: {error}",
            hint="Mend it there, or make a new one: rogatory request render --write-catalogue.",
        ) from error
    language = found[1].decode("ascii", "replace").strip().replace("_", "-") if found else ""
    if not language:
        raise ConfigurationError(
            f"The catalogue {path} does not say its language",
            hint='Write its tag into the header: "Language: fr\\n".',
        )
    check_language(language)
    return Catalogue(language, _messages(catalog))


def empty_catalogue(language: str = "") -> bytes:
    """Return a catalogue to translate: every key, with the English text as a comment.

    Args:
        language: BCP 47 tag for its header; empty: to be filled in there.

    Raises:
        ConfigurationError: The tag is not one.
    """
    if language:
        check_language(language)
    lines = [
        "# Labels, explanations and words of forms. Translate each English text (the line that",
        "# begins with #.) into the msgstr below it; leave {...}, ??? and commands as they are.",
        "# What is left empty stays English. Say behind Language which it is, as fr.",
        'msgid ""',
        'msgstr ""',
        f'"Language: {language}\\n"',
        '"MIME-Version: 1.0\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        '"Content-Transfer-Encoding: 8bit\\n"',
    ]
    for key, text in _english().items():
        lines += ["", f"#. {text}", f'msgid "{key}"', 'msgstr ""']
    return ("\n".join(lines) + "\n").encode()


def keys() -> list[str]:
    """Return the key of every message, in the order of the English catalogue."""
    return list(_english())


def label_key(field: FieldDescriptor) -> str:
    """Return the key of a field's label."""
    assert field.containing_type is not None  # only an extension may have none
    return f"label:{field.containing_type.name}.{field.name}"


def help_key(field: FieldDescriptor) -> str:
    """Return the key of a field's explanation."""
    assert field.containing_type is not None  # as above
    return f"help:{field.containing_type.name}.{field.name}"


def value_key(name: str) -> str:
    """Return the key of an enum value, by its full name."""
    return f"enum:{name}"


def ground_key(number: refusal_pb2.RefusalGround.ValueType, what: str) -> str:
    """Return the key of what is said of a ground: ``source``, ``explanation`` or ``next``."""
    return f"ground:{refusal_pb2.RefusalGround.Name(number)}:{what}"


def short_name(enum: EnumDescriptor, number: int) -> str:
    """Return an enum value's name as people write it: ``evidence_at_risk``."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return enum.values_by_number[number].name.removeprefix(prefix).lower()


@cache
def _english() -> Mapping[str, str]:
    """Return the English messages; those of grounds are the library's own."""
    found = dict(_shipped(ENGLISH))
    for number, ground in GROUNDS.items():
        found[ground_key(number, "source")] = ground.source
        found[ground_key(number, "explanation")] = ground.explanation
        found[ground_key(number, "next")] = ground.next_step
    return MappingProxyType(found)


@cache
def _shipped(language: str) -> Mapping[str, str]:
    data = resources.files(_PACKAGE).joinpath(_FOLDER, f"{language}.po").read_bytes()
    return MappingProxyType(_messages(read_po(io.BytesIO(data), charset="utf-8")))


def _messages(catalog: Catalog) -> dict[str, str]:
    """Return what is translated; a fuzzy message is a guess that nobody has confirmed."""
    return {
        str(message.id): str(message.string)
        for message in catalog
        if message.id and isinstance(message.string, str) and not message.fuzzy
    }


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
