"""Whom the agency trusts: its own root, and through agreements it signed its partners' roots."""

from __future__ import annotations

from pathlib import Path

from rogatory.agreements.document import open_agreement, roots_of, to_armour
from rogatory.client import Client
from rogatory.errors import AgreementError, ConfigurationError
from rogatory.exchange.v1 import agreement_pb2, directory_service_pb2
from rogatory.home import Home, make_folder, toml_text, write_atomically
from rogatory.keys import PublicKey
from rogatory.policy import Policy, verified_agreements


class Trust:
    """A policy that can be brought up to date from the gateway, which need not be believed.

    An agreement that bears the agency's own root signature pins its partners' roots. Key statements
    that a pinned root did not sign are refused. What the gateway says beyond that is not used.

    Attributes:
        policy: The policy as of the last `refresh`.
        signed: The agreements in it, as signed.
        unpinned: Agencies of the directory whose roots nothing pins.
    """

    def __init__(self, home: Home) -> None:
        """Read the agency's own policy file.

        Raises:
            ConfigurationError: It cannot be used.
        """
        self._home = home
        self._agency = home.enrolled().agency
        self.policy = Policy.load(home.policy_file)
        self.signed: list[agreement_pb2.SignedAgreement] = []
        self.unpinned: list[str] = []

    def refresh(self, client: Client) -> Policy:
        """Fetch agreements and key statements, verify them, and return the policy with them.

        Raises:
            ConfigurationError: Something the gateway gave contradicts what is pinned.
            CallError: The gateway did not answer.
        """
        roots = dict(self.policy.roots)
        own = roots.get(self._agency)
        self.signed = []
        for record in client.agreements():
            signed = record.agreement
            try:
                parties = roots_of(open_agreement(signed).message())
            except AgreementError:
                # Not signed by all: it governs nothing yet, and pins nothing.
                continue
            if own is None or parties.get(self._agency) != own:
                continue
            self.signed.append(signed)
            for agency, root in parties.items():
                self._pin(roots, agency, root)
        directory = []
        self.unpinned = []
        for entry in client.agencies():
            if entry.agency.agency_id in roots:
                directory.append(entry)
            else:
                self.unpinned.append(entry.agency.agency_id)
        self.policy = Policy(
            log_keys=self.policy.log_keys,
            operator=self.policy.operator,
            witnesses=self.policy.witnesses,
            threshold=self.policy.threshold,
            roots=roots,
            directory=directory,
            agreements=verified_agreements(self.signed, roots),
        )
        return self.policy

    @staticmethod
    def _pin(roots: dict[str, PublicKey], agency: str, root: PublicKey) -> None:
        if roots.setdefault(agency, root) != root:
            raise ConfigurationError(
                f"An agreement you signed names another root for {agency} than the policy pins",
                hint="Find out from the agency which is right, and correct [roots] in policy.toml.",
            )

    def save(self, folder: Path | None = None) -> Path:
        """Write the policy with the files it needs, so that it works without a network.

        Args:
            folder: Where; by default the agency's own.

        Returns:
            The policy file.
        """
        folder = folder if folder is not None else self._home.path
        return write_policy(self.policy, self.signed, folder)


def write_policy(policy: Policy, signed: list[agreement_pb2.SignedAgreement], folder: Path) -> Path:
    """Write a policy file and the files that it names.

    Raises:
        ConfigurationError: They cannot be written.
    """
    agencies = [
        (f"agencies/{entry.agency.agency_id}.binpb", _serialised(entry))
        for entry in policy.directory
    ]
    agreements = []
    for item in signed:
        compiled = open_agreement(item)
        name = f"agreements/{compiled.agreement_id}-{compiled.version}.txt"
        agreements.append((name, to_armour(item).encode()))
    make_folder(folder)
    for name, data in [*agencies, *agreements]:
        path = folder / name
        make_folder(path.parent)
        write_atomically(path, data)
    lines = ["[log]", _list("keys", [key.text for key in policy.log_keys])]
    if policy.operator:
        lines.append(f"operator = {toml_text(policy.operator)}")
    lines += ["", "[roots]"]
    lines += [
        f"{toml_text(agency)} = {toml_text(root.text)}" for agency, root in policy.roots.items()
    ]
    lines += ["", "[files]"]
    lines += [_list("agencies", [name for name, _ in agencies])]
    lines += [_list("agreements", [name for name, _ in agreements])]
    if policy.witnesses:
        lines += ["", "[witnesses]", f"threshold = {policy.threshold}"]
        for witness in policy.witnesses:
            lines += ["", "[[witnesses.keys]]", f"key = {toml_text(witness.key.text)}"]
            lines += [f"agency = {toml_text(witness.agency)}"] if witness.agency else []
    path = folder / "policy.toml"
    write_atomically(path, ("\n".join(lines) + "\n").encode())
    return path


def _serialised(entry: directory_service_pb2.DirectoryEntry) -> bytes:
    return entry.SerializeToString(deterministic=True)


def _list(key: str, values: list[str]) -> str:
    inner = "".join(f"\n  {toml_text(value)}," for value in values)
    return f"{key} = [{inner}\n]" if values else f"{key} = []"
