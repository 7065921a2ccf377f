"""Templates filled in, as a person would: every blank by what stands before it."""

from __future__ import annotations

import re

from rogatory.yamlrecords import BLANK

_VALUES = {
    "action": "sinkhole",
    "appearance_date": "2026-12-31",
    "capacity": "suspect",
    "category": "suspect",
    "channel": "email",
    "country": "FR",
    "data_classes": "subscriber",
    "expected_time": "2026-12-31T08:00:00+08:00",
    "ground": "no_dual_criminality",
    "iccs_code": "0701",
    "issuing_country": "FR",
    "executing_country": "DE",
    "language": "fr",
    "measure_id": "M1",
    "mode": "video",
    "outcome": "executed",
    "phone": "+33100000000",
    "proceedings": "criminal",
    "request_time": "2026-12-01",
    "start_time": "2026-12-01",
    "end_time": "2026-12-31",
    "type": "domain",
    "until_time": "2026-12-31",
}
_KINDS = {"accounts": "bank", "places": "office"}
_REASONS = {"postponement": "in_use", "closing": "satisfied"}
_FIELD = re.compile(r"\s*(?:#?- )?#?(?:- )?(\w+):")


def fill(template: str, *, text: str = "Text of the case.") -> str:
    """Return a template with every blank filled in.

    Args:
        template: The template.
        text: Stands wherever words are wanted.
    """
    filled, name, top, block = [], "", "", ""
    for line in template.splitlines():
        stripped = line.lstrip()
        is_field = not re.match(r"#( |$)", stripped)
        found = _FIELD.match(line) if is_field else None
        if found is not None:
            name = found[1]
            if not line.startswith((" ", "#")):
                top = name
            if line.rstrip().endswith(":"):
                block = name
        if is_field and BLANK in line:
            value = {"kind": _KINDS.get(top), "reason": _REASONS.get(block)}.get(name)
            line = line.replace(BLANK, value or _VALUES.get(name) or f'"{text}"')  # noqa: PLW2901
        filled.append(line)
    return "\n".join(filled) + "\n"


def use_all(template: str) -> str:
    """Return a template with every optional field in use."""
    return re.sub(r"^(\s*)#(?![ #\n])", r"\1", template, flags=re.MULTILINE)
