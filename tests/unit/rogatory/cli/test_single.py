"""Files that hold one message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rogatory.assistance.v1 import operation_pb2
from rogatory.cli import single
from rogatory.errors import RecordFileError

REPORT = {"results": [{"kind": "RESULT_KIND_ARREST", "item_ids": ["a"]}]}
TEXT_PROTO = 'results { kind: RESULT_KIND_ARREST item_ids: "a" }'
YAML = "operation_update:\n  results:\n    - {kind: RESULT_KIND_ARREST, item_ids: [a]}\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bare.json", json.dumps(REPORT)),
        ("named.json", json.dumps({"operation_update": REPORT})),
        ("camel.json", json.dumps({"operationUpdate": REPORT})),
        ("named.yaml", YAML),
        ("bare.txtpb", TEXT_PROTO),
    ],
)
def test_name_around_it_may_be_left_out(tmp_path: Path, name: str, text: str) -> None:
    """The command knows what it reads, so the file need not say it."""
    path = tmp_path / name
    path.write_text(text)

    found = single.read(path, operation_pb2.OperationUpdate, complete=lambda _: ())

    assert ["a"] == list(found.results[0].item_ids)


def test_something_beside_it_is_told(tmp_path: Path) -> None:
    """Nothing that was written is left out in silence."""
    path = tmp_path / "two.json"
    path.write_text(
        json.dumps({"operation_update": REPORT, "operation_leaving": {"reason": "Done."}})
    )

    with pytest.raises(RecordFileError, match="one OperationUpdate is wanted"):
        single.read(path, operation_pb2.OperationUpdate, complete=lambda _: ())
