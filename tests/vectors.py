"""Published test vectors, where somebody has put them beside the repository.

They lie in ``../shared/vectors`` relative to the repository's root and are not part of it. A test
that asks for them is skipped, with the reason, where that folder is absent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "vectors"


def vectors_folder(*names: str) -> Path:
    """The folder of these names below the vectors; skips the calling test if there is none."""
    folder = FOLDER.joinpath(*names)
    if not folder.is_dir():
        pytest.skip(f"published vectors are not here: {folder} is not a folder")
    return folder


def vectors_json(*names: str) -> Any:  # noqa: ANN401 - each set of vectors has a shape of its own
    """The parsed JSON file of these names below the vectors; skips the test if it is absent."""
    return json.loads((vectors_folder(*names[:-1]) / names[-1]).read_text(encoding="utf-8"))
