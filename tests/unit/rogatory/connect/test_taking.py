"""Which files are jobs, and how they are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rogatory.connect import taking
from rogatory.connect.taking import Form, entries, take
from rogatory.errors import RecordFileError

JOB = '{"to": ["de.bka:x:Art. 1"], "files": ["r.json"]}'


def folder_job(out: Path, name: str = "case", *, job: str = JOB) -> Path:
    """Put a job that is a folder there."""
    folder = out / name
    folder.mkdir()
    (folder / "job.json").write_text(job)
    (folder / "r.json").write_text("{}")
    return folder


def test_complete_jobs_are_seen_in_order(tmp_path: Path) -> None:
    """Files, folders and envelopes, by name; what is unfinished or ours is passed over."""
    for name in ("b.json", "a.envelope", "c.json.tmp", "d.part", ".e.json", "b.status.json", "f~"):
        (tmp_path / name).write_text("{}")
    folder_job(tmp_path, "ab")
    folder_job(tmp_path, "g.tmp")
    (tmp_path / "done").mkdir()

    found, strange = entries(tmp_path)

    assert [("a", Form.ENVELOPE), ("ab", Form.FOLDER), ("b", Form.FILE)] == [
        (entry.name, entry.form) for entry in found
    ]
    assert [] == strange


def test_what_is_no_job_is_told(tmp_path: Path) -> None:
    """A link, a pipe, an empty folder, another suffix, an unusable name: each has its reason."""
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.txt").write_text("")
    (tmp_path / ("n" * 181 + ".json")).write_text("")
    (tmp_path / "a\nb.json").write_text("")

    found, strange = entries(tmp_path)

    assert [] == found
    reasons = {
        "a\nb.json": "characters nobody sees",
        "empty": "job.json",
        "link.json": "link",
        "n" * 181 + ".json": "longer than",
        "pipe.json": "regular file",
        "x.txt": ".json",
    }
    assert [*reasons] == [name for name, _ in strange]
    assert all(words in why for words, (_, why) in zip(reasons.values(), strange, strict=True))


def test_folder_is_read_with_its_files(tmp_path: Path) -> None:
    """A job's digest changes with any of its files, and not with others."""
    folder = folder_job(tmp_path)
    (entry,), _ = entries(tmp_path)

    taken = take(tmp_path, entry)
    (folder / "other.txt").write_text("x")
    same = take(tmp_path, entry)
    (folder / "r.json").write_text("[]")
    other = take(tmp_path, entry)

    assert {"r.json": b"{}"} == taken.files
    assert taken.digest == same.digest != other.digest


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_nothing_but_regular_files_is_read(tmp_path: Path, kind: str) -> None:
    """A link out of the folder, a pipe that nobody writes to or a folder is a fault."""
    folder = folder_job(tmp_path)
    record = folder / "r.json"
    record.unlink()
    match kind:
        case "link":
            record.symlink_to("/etc/passwd")
        case "pipe":
            os.mkfifo(record)
        case "folder":
            record.mkdir()
        case _:
            pass
    (entry,), _ = entries(tmp_path)

    with pytest.raises(RecordFileError) as raised:
        take(tmp_path, entry)

    assert "r.json" in str(raised.value)


def test_job_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    """What was a file when it was seen may be a link when it is read."""
    (tmp_path / "a.json").write_text(JOB)
    (entry,), _ = entries(tmp_path)
    (tmp_path / "a.json").unlink()
    (tmp_path / "a.json").symlink_to("/etc/passwd")

    with pytest.raises(RecordFileError, match="a link"):
        take(tmp_path, entry)


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, and all files of a job together, have a limit."""
    monkeypatch.setattr(taking, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(taking, "MAX_JOB_BYTES", 150)
    (tmp_path / "a.json").write_text(JOB + " " * 100)
    job = '{"to": ["x"], "files": ["r.json", "s.json"]}'
    folder = folder_job(tmp_path, "b", job=job)
    (folder / "r.json").write_text(" " * 90)
    (folder / "s.json").write_text(" " * 90)
    file, many = entries(tmp_path)[0]

    for entry, limit in ((file, 100), (many, 60)):
        with pytest.raises(RecordFileError, match=f"larger than {limit} bytes"):
            take(tmp_path, entry)


def test_a_file_is_named_once(tmp_path: Path) -> None:
    """The same records twice in a message are a mistake."""
    folder_job(tmp_path, job='{"to": ["x"], "files": ["r.json", "r.json"]}')
    (entry,), _ = entries(tmp_path)

    with pytest.raises(RecordFileError, match="named twice"):
        take(tmp_path, entry)
