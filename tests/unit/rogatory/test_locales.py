"""Language tags and time zones: what passes, and what is said of the rest."""

from __future__ import annotations

import zoneinfo

import pytest

from rogatory import locales
from rogatory.errors import ConfigurationError


@pytest.mark.parametrize("tag", ["fr", "pt-BR", "zh-Hant", "sr-Latn-RS", "de-CH-1996", "gsw"])
def test_language_tags_pass(tag: str) -> None:
    """Well-formed is enough; which subtags are registered is not asked."""
    locales.check_language(tag)


@pytest.mark.parametrize(
    "tag", ["", "!!", "f", "FR", "fr_FR", "fr-", "français", "a" * 9, "fr" * 20]
)
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    """The error shows the tag and the form."""
    with pytest.raises(ConfigurationError, match="is not a language tag"):
        locales.check_language(tag)


@pytest.mark.parametrize("name", ["", "UTC", "Europe/Paris", "America/Argentina/Ushuaia"])
def test_time_zones_pass(name: str) -> None:
    """None is as good as one that exists."""
    locales.check_time_zone(name)


@pytest.mark.parametrize("name", ["No Zone!", "Europe", "Europe/Atlantis", "../UTC", "/etc/passwd"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    """Neither a misspelt zone nor a path gets into a key statement."""
    with pytest.raises(ConfigurationError, match="is not a time zone"):
        locales.check_time_zone(name)


def test_system_without_zones_lets_all_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has no database of zones can't say that one is missing."""

    def missing(name: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", missing)

    locales.check_time_zone("Europe/Paris")


@pytest.mark.parametrize("day", ["2026-12-25", "2028-02-29"])
def test_days_pass(day: str) -> None:
    """A day that the calendar has, in ISO 8601's long form."""
    locales.check_day(day)


@pytest.mark.parametrize("day", ["", "2027-02-29", "20261225", "2026-W52-5", "25.12.2026"])
def test_what_is_no_day_is_refused(day: str) -> None:
    """Neither another form nor a day that no calendar has gets into a key statement."""
    with pytest.raises(ConfigurationError, match="is not a day of the calendar"):
        locales.check_day(day)
