"""The README and its fellows: what they show is what there is."""

from __future__ import annotations

import re

import pytest

from rogatory.agreements import read_agreement
from rogatory.exchange.v1 import agreement_pb2
from rogatory.recordfiles import parse_json
from rogatory.records.v1 import common_pb2
from rogatory.references import completer
from tests.support import documents

README = documents.read("README.md")
CASEWORK = documents.read("docs/casework.md")
DOCUMENTS = (
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/protocol.md",
    "docs/architecture.md",
    "docs/casework.md",
    "docs/connect.md",
)
EARLIER = common_pb2.MessageReference(
    sender="fr.police", message_id="01a20232-142b-76cd-8a39-1a0990e0954a", header_digest=bytes(32)
)
"""What an example of a message about an earlier one is about."""
NAMES_END = 42
"""Column at which the tree in docs/architecture.md begins to explain."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Every link within the repository leads to a file, and to a heading of it where it says so."""
    broken = []
    for target in documents.links(documents.read(name)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (documents.ROOT / name).parent / path if path else documents.ROOT / name
        if not file.exists() or (
            anchor and anchor not in documents.anchors(file.read_text(encoding="utf-8"))
        ):
            broken.append(target)

    assert [] == broken


def test_example_is_the_tested_one() -> None:
    """The Python example is, word for word, the region of the file that the tests run."""
    source = documents.read("tests/integration/readme_example.py")
    region = source.split("# region example\n")[1].split("# endregion")[0].strip()

    shown = README.split("<!-- example:begin -->\n")[1].split("<!-- example:end -->")[0]

    assert f"```python\n{region}\n```\n" == shown


def test_agreement_says_what_the_readme_reads_in_it() -> None:
    """The agreement parses, and its clauses have the effects that the text explains."""
    agreement = read_agreement(documents.fenced(README, "yaml")[0])

    assert [
        ("Art. 4(1)", agreement_pb2.CLAUSE_EFFECT_PERMIT),
        ("Art. 4(2)", agreement_pb2.CLAUSE_EFFECT_PERMIT),
        ("Art. 5", agreement_pb2.CLAUSE_EFFECT_REFUSE),
    ] == [(clause.article, clause.effect) for clause in agreement.clauses]
    assert agreement_pb2.UNPERMITTED_PARTS_WITHHOLD == agreement.unpermitted_parts
    assert 90 == agreement.clauses[0].obligations.retention_days
    assert agreement.clauses[1].conditions.four_eyes
    assert agreement.clauses[1].conditions.case_reference
    assert agreement_pb2.REFUSAL_REACH_PART == agreement.clauses[2].reach


def test_records_are_what_the_readme_calls_them() -> None:
    """Every file of records that is shown can be sent as it stands there."""
    kinds = []
    texts = documents.fenced(README, "json") + documents.fenced(CASEWORK, "json")
    for text in texts:
        records = parse_json(text, complete=completer(lambda _sender, _id: None, about=EARLIER))
        kinds += [message.DESCRIPTOR.name for message in records.contents]

    assert ["Indicators", "Persons", "Corrections"] == kinds


def test_make_targets_exist() -> None:
    """Every `make` that the documents tell a reader to type is a target."""
    targets = set(re.findall(r"^([a-z-]+):", documents.read("Makefile"), re.MULTILINE))
    named = set()
    for name in DOCUMENTS:
        for words in re.findall(r"(?:`|\$ )make ([a-z -]+)[`\n]", documents.read(name)):
            named |= set(words.split())

    assert {"demo", "test", "bench"} <= named
    assert set() == named - targets


def test_tree_is_complete() -> None:
    """The tree in docs/architecture.md names what exists, and every package and module there is."""
    tree = next(
        block
        for block in documents.fenced(documents.read("docs/architecture.md"), "text")
        if block.startswith("protos/")
    )
    named = set()
    folder = ""
    for line in tree.splitlines():
        paths = line[:NAMES_END].split()
        if not line.startswith(" "):
            folder = "".join(paths)
            named |= set(paths)
        else:
            named |= {folder + path for path in paths}

    missing = {path for path in named if not (documents.ROOT / path).exists()}
    present = {
        f"{base}{item.name}{'/' if item.is_dir() else ''}"
        for base in ("clients/python/rogatory/", "gateway/rogatory_gateway/")
        for item in (documents.ROOT / base).iterdir()
        if not item.name.startswith(("_", "."))
        and (item.suffix == ".py" or (item.is_dir() and any(item.glob("*.py"))))
    }

    assert set() == missing
    assert set() == present - named
