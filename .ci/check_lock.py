"""Check that pyproject.toml, the locks and .venv agree (`make check`), without the network.

1. Every dependency in pyproject.toml and requirements/tools.in is locked, at a version it permits.
2. Every locked version carries a hash, and no line names an index, a link or a path.
3. What is installed in this environment is what dev.lock says.
4. The package's version has an entry in CHANGELOG.md.
"""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
DEV_LOCK = ROOT / "requirements" / "dev.lock"
TOOLS_LOCK = ROOT / "requirements" / "tools.lock"
TOOLS_INPUT = ROOT / "requirements" / "tools.in"


def main() -> int:
    """Print every disagreement with its remedy; 1 if there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    tools = [
        line.strip()
        for line in TOOLS_INPUT.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]

    # (1), (2)
    problems = [*_check_lock(DEV_LOCK, wanted=wanted), *_check_lock(TOOLS_LOCK, wanted=tools)]
    # (3)
    problems += _check_installed(_read_lock(DEV_LOCK))
    # (4)
    heading = re.compile(rf"^## \[?{re.escape(project['version'])}\]?", flags=re.MULTILINE)
    if not heading.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")):
        problems.append(f"CHANGELOG.md has no section for version {project['version']}: add one")

    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print("pyproject.toml, requirements/*.lock and the installed versions agree")
    return 1 if problems else 0


def _read_lock(path: Path) -> list[tuple[Requirement, bool]]:
    """Each locked requirement, and whether a hash follows it."""
    logical = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    lines = [line for line in logical if line.strip() and not line.lstrip().startswith("#")]
    return [(Requirement(line.split("--hash=")[0]), "--hash=sha256:" in line) for line in lines]


def _check_lock(path: Path, *, wanted: list[str]) -> list[str]:
    name = path.relative_to(ROOT)
    locked: dict[str, str] = {}
    problems: list[str] = []
    for requirement, hashed in _read_lock(path):
        pins = [specifier for specifier in requirement.specifier if specifier.operator == "=="]
        if requirement.url or len(pins) != 1 or not hashed:
            problems.append(
                f"{name}: {requirement} is not an exact version with hashes: run `make lock`"
            )
            continue
        locked[canonicalize_name(requirement.name)] = pins[0].version
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None:
            problems.append(f"{name}: {requirement} is not locked: run `make lock`")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(
                f"{name}: {version} is locked, which {requirement} forbids: run `make lock`"
            )
    return problems


def _check_installed(locked: list[tuple[Requirement, bool]]) -> list[str]:
    problems = []
    for requirement, _ in locked:
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            problems.append(f"{requirement} is locked but not installed: run `make install`")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            problems.append(
                f"{requirement.name} {version} is installed, not {requirement}: run `make install`"
            )
    return problems


if __name__ == "__main__":
    sys.exit(main())
