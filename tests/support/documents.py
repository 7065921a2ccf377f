"""Reading the project's documents as tests do: code blocks by name, tables by heading, links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(r"^```(\w+)\n# worked: ([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def read(name: str) -> str:
    """Return the text of a document, by its path from the repository's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def worked_texts(text: str) -> dict[str, str]:
    """Return the worked examples of a document: blocks that begin with ``# worked: NAME``."""
    return {name: body for _, name, body in _BLOCK.findall(text)}


def worked_values(text: str) -> dict[str, dict[str, str]]:
    """Return the worked examples written as ``name = value``; long values go on, indented."""
    found = {}
    for example, body in worked_texts(text).items():
        values: dict[str, str] = {}
        name = ""
        for line in body.splitlines():
            label, equals, value = line.partition(" = ")
            if equals:
                name = label.strip()
                values[name] = value.strip()
            elif name and line.startswith(" "):
                values[name] += line.strip()
        found[example] = values
    return found


def table(text: str, header: str) -> list[list[str]]:
    """Return the rows of the table whose first line is ``header``, cells stripped."""
    lines = text.splitlines()
    start = lines.index(header) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def quoted(cell: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def links(text: str) -> list[str]:
    """Return the targets of a document's links."""
    return _LINK.findall(text)


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as code hosts make them."""
    made = set()
    for heading in _HEADING.findall(text):
        plain = re.sub(r"[`*]", "", heading).strip().lower()
        made.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return made


def fenced(text: str, language: str) -> list[str]:
    """Return the code blocks of a language, without their fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
