"""The README and its fellows: what they show is what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rogatory.agreements import read_agreement
from rogatory.exchange.v1 import agreement_pb2
from tests.support import documents

README = documents.read("README.md")
DOCUMENTS = (
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/protocol.md",
    "docs/architecture.md",
)
NAMES_END = 42
"""Column at which the tree in docs/architecture.md begins to explain."""
SUSPECT = """\
{"persons": [{"category": "DATA_SUBJECT_CATEGORY_SUSPECT",
  "names": [{"kind": "PERSON_NAME_KIND_FULL",
             "texts": [{"text": "Jan Novák", "script": "Latn"}]}]}]}
"""


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


def test_evaluation_prints_what_the_readme_shows(tmp_path: Path) -> None:
    """Asking beforehand gives the article, what is missing and the smallest change, as shown."""
    shown = next(block for block in documents.fenced(README, "console") if "evaluate" in block)
    command, _, expected = shown.partition("\n")
    (tmp_path / "agreement.yaml").write_text(documents.fenced(README, "yaml")[0])
    (tmp_path / "suspect.json").write_text(SUSPECT)

    result = subprocess.run(
        ["sh", "-c", f"rogatory keygen fr.police >keys.txt && {command.removeprefix('$ ')}"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ROGATORY_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (expected, 1) == (result.stdout, result.returncode), result.stderr


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
