"""The steps on disk that the drop folder is made of, one method each.

Each step is whole and durable when it returns, or was not taken. A crash can only come between two
of them, so a test that ends the program before and after each step has seen every crash there is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from rogatory.errors import ConfigurationError
from rogatory.home import sync_folder

PRIVATE = 0o600
_GROUP = stat.S_IRGRP | stat.S_IWGRP
_OWNER = stat.S_IRUSR | stat.S_IWUSR


class Disk:
    """The file system. Whatever is written goes to a hidden name first and appears by a rename."""

    def create(self, path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
        """Write a file that is not there yet, to the platter. Its name is durable after `sync`.

        A link in its place is not followed: it is an error, as any other thing there is.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, mode)
        with os.fdopen(descriptor, "wb") as file:
            # The mode asked for, whatever the umask: who may read follows from the folder.
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)

    def mkdir(self, path: Path, *, mode: int = 0o700) -> None:
        """Make a folder that is not there yet."""
        path.mkdir(mode=mode)
        path.chmod(mode)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file or folder another name on the same file system; a file there is replaced."""
        source.replace(target)

    def sync(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        sync_folder(folder)

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder with all that is in it; nothing where it is not there."""
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    # What is made of these steps

    def put(self, path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
        """Write a file, in place of the one before: the new one is there whole, or the old one."""
        temporary = path.with_name(f".{path.name}.tmp")
        self.remove(temporary)
        self.create(temporary, data, mode=mode)
        self.rename(temporary, path)
        self.sync(path.parent)

    def fill(self, folder: Path, files: Mapping[str, bytes], *, mode: int = PRIVATE) -> None:
        """Make a folder of these files, in place of what a crash left there."""
        self.remove(folder)
        self.mkdir(folder, mode=folder_mode(mode))
        for name, data in files.items():
            self.create(folder / name, data, mode=mode)
        self.sync(folder)

    def move(self, source: Path, target: Path) -> None:
        """Move a file or folder to another folder of the same file system."""
        self.rename(source, target)
        self.sync(target.parent)
        if source.parent != target.parent:
            self.sync(source.parent)


def prepare_folder(path: Path, *, like: Path | None = None) -> Path:
    """Return a folder of ours; make it where it is missing.

    Args:
        path: The folder.
        like: Whose group may use it too; by default only the owner may.

    Raises:
        ConfigurationError: There is something else, such as a link, or it cannot be made.
    """
    mode = folder_mode(shared_mode(like)) if like is not None else 0o700
    try:
        if not path.exists() and not path.is_symlink():
            path.mkdir(mode=mode, parents=True)
            path.chmod(mode)
        status = path.lstat()
    except OSError as error:
        raise ConfigurationError(
            f"The folder {path} cannot be made: {error.strerror}",
            hint="Name another, or move away what is in its place.",
        ) from error
    if not stat.S_ISDIR(status.st_mode):
        raise ConfigurationError(
            f"{path} is not a folder", hint="Move it away: links are not followed."
        )
    return path


def shared_mode(folder: Path) -> int:
    """Return the mode of files in a folder: for its owner, and its group as far as the folder is.

    Nobody else may read them, whatever the folder allows: they hold case data.
    """
    return _OWNER | (stat.S_IMODE(folder.stat().st_mode) & _GROUP)


def folder_mode(mode: int) -> int:
    """Return the mode of a folder of files with a mode: who may read may enter."""
    return mode | ((mode & (stat.S_IRUSR | stat.S_IRGRP)) >> 2)


def free_name(folder: Path, name: str) -> Path:
    """Return a path in a folder that is not taken: the name, or name-2, name-3 and so on."""
    path = folder / name
    stem, dot, suffix = name.partition(".")
    number = 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{stem}-{number}{dot}{suffix}"
    return path
