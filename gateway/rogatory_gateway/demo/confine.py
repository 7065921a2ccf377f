"""Shuts a process in: from then on it can open its own folder and what Python needs, no more.

Where Linux offers Landlock (kernel 5.13 and later; Documentation/userspace-api/landlock.rst), the
process restricts itself, for good and for all it will start. A process of another agency then has
the same user id and still cannot open this one's keys.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH, _RULE_PORT = 1, 2
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE, _READ, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_ON_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_READING = _EXECUTE | _READ | _READ_DIR
_RIGHTS_OF_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights on files each version of the interface knows; from 5 on 16."""
_NEWEST_RIGHTS = 16
_CONNECT_TCP, _BIND_TCP = 1 << 1, 1 << 0
_NETWORK_ABI = 4
_SCOPE_ABI = 6
_SCOPES = 0b11
"""Abstract Unix sockets and signals: nobody outside is reached by either."""

_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/etc",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
)
_PACKAGES = ("rogatory", "rogatory_gateway")


def landlock_version() -> int:
    """Return the version of Landlock's interface; 0 where the kernel offers none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _call(_CREATE_RULESET, None, 0, _VERSION_FLAG))


def shut_in(own: Path, *, port: int) -> bool:
    """Restrict this process to its own folder, Python's files and one TCP port to connect to.

    To be called before the process has a second thread: it binds the thread that calls and those
    that it starts.

    Args:
        own: Folder to read and write.
        port: TCP port that may be connected to, where the kernel can restrict that.

    Returns:
        False where the kernel cannot: nothing is restricted then.
    """
    version = landlock_version()
    if not version:
        return False
    everything = (1 << _RIGHTS_OF_ABI.get(version, _NEWEST_RIGHTS)) - 1
    network = _CONNECT_TCP | _BIND_TCP if version >= _NETWORK_ABI else 0
    scopes = _SCOPES if version >= _SCOPE_ABI else 0
    attributes = struct.pack("=Q", everything)
    if version >= _NETWORK_ABI:
        attributes += struct.pack("=Q", network)
    if version >= _SCOPE_ABI:
        attributes += struct.pack("=Q", scopes)
    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        _allow(ruleset, own, everything)
        _allow(ruleset, Path(os.devnull), everything & (_READ | _WRITE | _TRUNCATE))
        for path in _readable():
            _allow(ruleset, path, everything & _READING)
        for path in _searched():
            _allow(ruleset, path, everything & _READ_DIR)
        if network:
            rule = struct.pack("=QQ", _CONNECT_TCP, port)
            _call(_ADD_RULE, ruleset, _RULE_PORT, rule, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            return False
        return _call(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _call(number: int, *arguments: int | bytes | None) -> int:
    """Make a system call; return its result, -1 for any error."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(
        ctypes.c_long(number),
        *(ctypes.c_long(item) if isinstance(item, int) else item for item in arguments),
    )
    return int(result)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """Add a rule for a path; one that does not exist needs none."""
    with contextlib.suppress(OSError):
        # O_PATH opens without reading: what is meant, not what is in it.
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not path.is_dir():
                rights &= _ON_FILES
            rule = struct.pack("=Qi", rights, descriptor)
            _call(_ADD_RULE, ruleset, _RULE_PATH, rule, 0)
        finally:
            os.close(descriptor)


def _readable() -> Iterator[Path]:
    """Yield where interpreter, libraries and packages are."""
    yield from map(Path, _SYSTEM)
    yield from (Path(prefix) for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix})
    yield from map(Path, {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            yield from map(Path, spec.submodule_search_locations)
    yield from _mapped()


def _searched() -> Iterable[Path]:
    """Return the folders that imports search: their names may be listed, their files not read."""
    return [Path(entry) for entry in sys.path if entry]


def _mapped() -> set[Path]:
    """Return the folders of the shared libraries that this process has loaded."""
    found = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            _, slash, name = line.partition("/")
            if slash and ".so" in name:
                found.add(Path(f"/{name}").parent)
    return found
