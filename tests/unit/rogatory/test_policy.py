"""A policy file says whom to trust; a fault in it names the setting and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from rogatory.agreements.document import to_armour
from rogatory.cli.trust import write_policy
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import directory_service_pb2
from rogatory.notes import Cosigner
from rogatory.policy import Policy, Witness, build_ring, verified_agreements
from tests.unit.rogatory.client.world import World, signer

WORLD = World()
LOG = WORLD.log_signer.key.text
WITNESS = Cosigner(name="witness.test/w", signer=signer("witness")).key


def load(folder: Path, text: str) -> Policy:
    """Read a policy file of this text."""
    path = folder / "policy.toml"
    path.write_text(text, "utf-8")
    return Policy.load(path)


def test_policy_survives_its_files(tmp_path: Path) -> None:
    """What is written with its files is read back."""
    policy = WORLD.policy(witnesses=[Witness(key=WITNESS, agency="ch.observer")], threshold=1)

    path = write_policy(policy, [WORLD.signed_agreement], tmp_path)

    found = Policy.load(path)
    assert (policy.log_keys, policy.witnesses, policy.roots, policy.directory) == (
        found.log_keys,
        found.witnesses,
        found.roots,
        found.directory,
    )
    assert policy.agreements.keys() == found.agreements.keys()
    assert 1 == found.threshold


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[log", "is not TOML"),
        ("[log]\nkeys = []", r"log\.keys names no key of the log"),
        ('[log]\nkeys = "x"', r"log\.keys is not a list of texts"),
        ('[log]\nkeys = ["x"]', r"log\.keys holds no verifier key"),
        (f'[log]\nkeys = ["{WITNESS.text}"]', r"log\.keys holds a key of type 0x04"),
        (f'[log]\nkey = ["{LOG}"]', r"log\.key is not a setting\. Did you mean keys"),
        (f'[log]\nkeys = ["{LOG}"]\noperator = 1', r"log\.operator is not a text"),
        (f'logs = 1\n[log]\nkeys = ["{LOG}"]', r"logs is not a setting\. Did you mean log"),
        (f'roots = 1\n[log]\nkeys = ["{LOG}"]', "roots is not a table"),
        (f'[log]\nkeys = ["{LOG}"]\n[roots]\n"fr.police" = "x"', 'roots."fr.police" is not a key'),
        (f'[log]\nkeys = ["{LOG}"]\n[files]\nagencies = ["gone"]', "files.agencies names .*gone"),
        (f'[log]\nkeys = ["{LOG}"]\n[witnesses]\nthreshold = 1', "names 0 witnesses"),
        (f'[log]\nkeys = ["{LOG}"]\n[witnesses]\nthreshold = "1"', "threshold is not a whole"),
        (f'[log]\nkeys = ["{LOG}"]\n[witnesses]\nkeys = ["x"]', "keys is not a list of tables"),
        (
            f'[log]\nkeys = ["{LOG}"]\n[[witnesses.keys]]\nkey = "{LOG}"',
            r"witnesses\.keys\[0\]\.key holds a key of type 0x01",
        ),
    ],
)
def test_fault_names_the_setting(tmp_path: Path, text: str, fault: str) -> None:
    """Every fault says in which file and setting it is."""
    with pytest.raises(ConfigurationError, match=fault):
        load(tmp_path, text)


def test_missing_policy_file_is_named(tmp_path: Path) -> None:
    """A wrong path is said, with what to give."""
    with pytest.raises(ConfigurationError, match=r"cannot be read.*--policy"):
        Policy.load(tmp_path / "none.toml")


@pytest.mark.parametrize("setting", ["agencies", "agreements"])
def test_file_of_another_kind_is_named(tmp_path: Path, setting: str) -> None:
    """A file that holds something else is not taken."""
    (tmp_path / "f").write_bytes(b"\xff\xff")

    with pytest.raises(ConfigurationError, match=f"files.{setting} names"):
        load(tmp_path, f'[log]\nkeys = ["{LOG}"]\n[files]\n{setting} = ["f"]')


def test_altered_agreement_file_is_refused(tmp_path: Path) -> None:
    """An agreement's file whose signature is gone is not relied on."""
    unsigned = type(WORLD.signed_agreement)()
    unsigned.CopyFrom(WORLD.signed_agreement)
    del unsigned.signatures[1:]
    (tmp_path / "x.txt").write_text(to_armour(unsigned), "utf-8")

    with pytest.raises(ConfigurationError, match="is not signed by"):
        load(tmp_path, f'[log]\nkeys = ["{LOG}"]\n[files]\nagreements = ["x.txt"]')


def test_agency_without_a_pinned_root_is_refused() -> None:
    """Key statements prove nothing where nobody knows the root."""
    with pytest.raises(ConfigurationError, match=r"root key of fr\.police is not pinned"):
        build_ring([WORLD.directory["fr.police"]], {})


def test_statements_of_another_root_are_refused() -> None:
    """An operator who adds an agency of his own under a partner's name gains nothing."""
    pinned = {"fr.police": signer("de.police root").public_key}

    with pytest.raises(ConfigurationError, match="not signed by the root that is pinned"):
        build_ring([WORLD.directory["fr.police"]], pinned)


def test_statement_without_its_entry_time_is_refused() -> None:
    """Validity is judged by entry times, so none may be missing."""
    entry = directory_service_pb2.DirectoryEntry()
    entry.CopyFrom(WORLD.directory["fr.police"])
    del entry.entry_times[:]

    with pytest.raises(ConfigurationError, match="1 key statements and 0 entry times"):
        build_ring([entry], {"fr.police": signer("fr.police root").public_key})


def test_false_statement_is_refused() -> None:
    """A statement that its root did not sign is not taken."""
    entry = directory_service_pb2.DirectoryEntry()
    entry.CopyFrom(WORLD.directory["fr.police"])
    entry.statements[0].signature.value = bytes(64)

    with pytest.raises(ConfigurationError, match=r"key statement of fr\.police does not verify"):
        build_ring([entry], {"fr.police": signer("fr.police root").public_key})


def test_agreement_that_names_another_root_is_refused() -> None:
    """Two documents that disagree about a root are for people to settle."""
    pinned = {"fr.police": signer("de.police root").public_key}

    with pytest.raises(ConfigurationError, match=r"another root for fr\.police"):
        verified_agreements([WORLD.signed_agreement], pinned)
