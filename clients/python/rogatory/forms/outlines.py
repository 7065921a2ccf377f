"""Outlines: which fields a form has, in which order, which are needed, and what they look like.

Explanations are the catalogues' (`rogatory.forms.catalogue`); `rogatory.forms.writing` writes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rogatory.yamlrecords import BLANK

RECORD = "{record}"
"""Stands for the id of the record that travels beside the request."""
A_RECORD = "00000000-0000-4000-8000-000000000001"
"""Example of a record id."""
DAY = "2026-12-31"
"""Example of a day."""
TIME = "2026-12-31T08:00:00Z"
"""Example of an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A field of a template.

    Attributes:
        name: Name of the field.
        needed: It must be filled in; else it is written as a comment, with an example.
        value: What stands there: a text, or texts for a list of scalars.
        elements: Fields of each message that it holds, in place of a value.
    """

    name: str
    needed: bool
    value: str | Sequence[str] = BLANK
    elements: Sequence[Sequence[Item]] = ()


def need(name: str, value: str | Sequence[str] = BLANK) -> Item:
    """Return a field that must be filled in."""
    return Item(name=name, needed=True, value=value)


def may(name: str, value: str | Sequence[str] = BLANK) -> Item:
    """Return a field that may be filled in, with an example; of free text there is none."""
    return Item(name=name, needed=False, value=value)


def below(name: str, *items: Item, needed: bool = True) -> Item:
    """Return a field that holds a message, or a list of one."""
    return Item(name=name, needed=needed, elements=(items,))


MESSAGE = (
    need("sender", "de.police"),
    need("message_id", "00000000-0000-7000-8000-000000000001"),
)
"""A reference; the digest of the header is looked up."""

OFFICIAL = (need("name"), may("position"), may("unit"), may("agency", "fr.police"))
ADDRESS = (need("country", "FR"), may("locality"), may("lines", [BLANK]))
PERIOD = (need("start_time", "2026-01-01"), may("end_time", DAY))


def record(value: str = RECORD) -> Item:
    """Return a reference to the record that travels beside the request."""
    return need("record_id", value)


RECORD_ELSEWHERE = (
    record(A_RECORD),
    below("message", *MESSAGE, needed=False),
)


def authority(*, name: str = BLANK, agency: str = "") -> tuple[Item, ...]:
    """Return the fields of an authority, with what is known of it."""
    return (
        need("name", name),
        need("agency", agency) if agency else may("agency", "fr.police"),
        may("kind"),
        below("official", *OFFICIAL),
        may("file_reference"),
        below("address", *ADDRESS, needed=False),
        below("contacts", need("phone", "+33100000000"), needed=False),
        may("languages", ["en", "fr"]),
        below("contact_point", *OFFICIAL, needed=False),
    )
