"""The walls of the house: who may import whom. Read from the source, so that nothing has to run."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "clients" / "python"
GATEWAY = ROOT / "gateway"

# The library's plain half: everything but the client, the commands and the generated stubs.
TALKS_TO_THE_WORLD = {"client", "cli", "connect"}
GENERATED = {"_vendor", "assistance", "audit", "exchange", "records"}
TRANSPORT = {"grpc", "grpc_status", "tenacity", "typer", "rich"}

# Verification and decisions get time, chance and bytes from their caller: equal input gives an
# equal answer to everyone.
DETERMINISTIC = {
    "agreements",
    "checkpoints",
    "clock",
    "decisions",
    "drafting",
    "dsse",
    "edwards",
    "errors",
    "facts",
    "implied",
    "keyring",
    "merkle",
    "notes",
    "particulars",
    "pastentries",
    "policy",
    "procedures",
    "receipts",
    "schemas",
    "simulation",
    "statements",
    "tiles",
    "tlogproof",
    "verification",
    "wire",
}
WORLD = {"asyncio", "logging", "os", "random", "secrets", "socket", "subprocess", "threading"}
WORLD |= {"tempfile", "time", "urllib", "uuid"}

# Data goes one way: wire, admission, ledger, delivery. A module of a row may import its own row's
# package (or itself) and the rows further down; never a row above it, never a neighbour in its row.
GATEWAY_LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"__main__"}),
    frozenset({"cli"}),
    frozenset({"demo"}),
    frozenset({"operator"}),
    frozenset({"server"}),
    frozenset({"services"}),
    frozenset({"admission", "delivery"}),
    frozenset({"ledger"}),
    frozenset({"storage"}),
    frozenset({"config", "errors", "pki", "telemetry"}),
)


def test_library_never_imports_the_gateway() -> None:
    """Whoever installs only the library can verify everything: nothing in it needs the gateway."""
    wrong = [
        f"{name} imports {imported}"
        for name, imported in _imports(LIBRARY)
        if imported.split(".")[0] == "rogatory_gateway"
    ]

    assert [] == wrong


def test_plain_half_knows_no_transport() -> None:
    """Envelopes, decisions, receipts and their verification import no gRPC, client or command."""
    wrong = [
        f"{name} imports {imported}"
        for name, imported in _imports(LIBRARY)
        if _part(name) not in TALKS_TO_THE_WORLD | GENERATED
        and (
            imported.split(".")[0] in TRANSPORT
            or (imported.startswith("rogatory.") and _part(imported) in TALKS_TO_THE_WORLD)
            or "_pb2_grpc" in imported
        )
    ]

    assert [] == wrong


def test_client_never_imports_the_commands() -> None:
    """The commands are one user of the client, and of the drop folder, among others."""
    wrong = [
        f"{name} imports {imported}"
        for name, imported in _imports(LIBRARY)
        if _part(name) in {"client", "connect"} and f"{imported}.".startswith("rogatory.cli.")
    ]

    assert [] == wrong


def test_decisions_and_verification_have_no_clock_and_no_chance() -> None:
    """What must give everyone the same answer imports no clock, randomness, threads or network."""
    wrong = [
        f"{name} imports {imported}"
        for name, imported in _imports(LIBRARY)
        if _part(name) in DETERMINISTIC and imported.split(".")[0] in WORLD
    ]

    assert [] == wrong


def test_every_gateway_module_has_its_place() -> None:
    """A new module of the gateway is given a layer, so that the next test judges it."""
    placed = frozenset[str]().union(*GATEWAY_LAYERS) | {""}
    present = {_part(_module(path, GATEWAY)) for path in GATEWAY.rglob("*.py")}

    assert set() == present - placed


def test_gateway_data_goes_one_way() -> None:
    """Nothing below imports what is above it, nor what stands beside it."""
    rank = {part: level for level, row in enumerate(GATEWAY_LAYERS) for part in row}
    wrong = []
    for name, imported in _imports(GATEWAY):
        above, below = _part(name), _part(imported)
        if not imported.startswith("rogatory_gateway.") or above == below:
            continue
        if rank.get(below, -1) <= rank.get(above, -1):
            wrong.append(f"{name} imports {imported}")

    assert [] == wrong


def test_the_reader_sees_every_form_of_import(tmp_path: Path) -> None:
    """Plain, from, relative and nested imports all count; else the tests above prove nothing."""
    package = tmp_path / "rogatory" / "decisions"
    package.mkdir(parents=True)
    (package / "decide.py").write_text(
        "import os.path\n"
        "from rogatory import client\n"
        "from . import explain\n"
        "from ..cli import main\n"
        "def f():\n    import time as clock\n"
    )

    seen = {imported for _, imported in _imports(tmp_path)}

    assert {
        "os.path",
        "rogatory.client",
        "rogatory.decisions.explain",
        "rogatory.cli.main",
        "time",
    } == seen


def _imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Every (module, imported name) below a folder of packages, with relative imports resolved."""
    for path in sorted(folder.rglob("*.py")):
        name = _module(path, folder)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parents = package.split(".")
                    root = ".".join(parents[: len(parents) - node.level + 1])
                    base = f"{root}.{base}".rstrip(".")
                yield from ((name, f"{base}.{alias.name}") for alias in node.names)


def _module(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _part(module: str) -> str:
    """The second step of a dotted name: `decisions` of rogatory.decisions.decide."""
    return [*module.split("."), ""][1]
