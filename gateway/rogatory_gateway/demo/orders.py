"""What an agency's process can be told to do."""

from __future__ import annotations

import base64
import secrets
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rogatory import clock, statements
from rogatory.agreements import compile_agreement, roots_of, sign_agreement
from rogatory.enrolment import make_csr, read_answer, write_request
from rogatory.errors import RogatoryError
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.home import AgencySettings, Home, toml_text, write_atomically
from rogatory.keyfiles import write_key_file, write_private_file
from rogatory.keys import SEED_SIZE, PrivateKey, PublicKey
from rogatory.signers import FileSigner
from rogatory_gateway.demo import acts, cast, refusals
from rogatory_gateway.demo.desk import Desk

_VALID_DAYS = 365
_RIGHTS = {
    "duty": [codes_pb2.OFFICER_RIGHT_DRAFT, codes_pb2.OFFICER_RIGHT_SIGN],
    "head": [codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE],
}

Answer = dict[str, Any]


def _describe(error: BaseException) -> str:
    """Return an error in words: ours as they are, others with where they happened."""
    if isinstance(error, RogatoryError):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error))


class Orders:
    """An agency, from the making of its keys to its last check."""

    def __init__(self, folder: Path, *, confined: bool, say: Callable[[Answer], None]) -> None:
        """Stand in an empty folder.

        Args:
            folder: The agency's own.
            confined: Whether this process could shut itself in.
            say: Writes an object to whoever gives the orders.
        """
        self._home = Home(folder)
        self._confined = confined
        self._say = say
        self._roots: list[dict[str, PublicKey]] = []
        self._desk: Desk | None = None

    async def answer(self, order: Answer) -> Answer:
        """Do one thing; return ``ok`` with what came of it, or ``error`` with what went wrong."""
        try:
            return {"ok": await self._obey(order)}
        except Exception as error:  # noqa: BLE001 - told to whoever gave the order, who stops
            return {"error": _describe(error)}

    async def _obey(self, order: Answer) -> Answer:
        name = order["do"]
        if name in acts.ACTS:
            return await acts.ACTS[name](self._open_desk, order)
        if name == "try_it":
            return await refusals.try_it(self._open_desk, order)
        answer: Answer = await getattr(self, f"do_{name}")(order)
        return answer

    @property
    def _open_desk(self) -> Desk:
        assert self._desk is not None
        return self._desk

    async def close(self) -> None:
        """Hang up."""
        if self._desk is not None:
            await self._desk.close()

    async def do_request(self, order: Answer) -> Answer:
        """Make keys, and the enrolment request for the gateway's operator."""
        member = next(item for item in cast.MEMBERS if item.agency_id == order["agency"])
        home = self._home
        home.create()
        for name in ("root", "signing", *(f"officer-{officer}" for officer in cast.OFFICERS)):
            write_key_file(home.key(name), PrivateKey.from_seed(secrets.token_bytes(SEED_SIZE)))
        tls = ec.generate_private_key(ec.SECP256R1())
        pem = tls.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private_file(home.key("tls"), pem)
        root = FileSigner(home.key("root"))
        now = time.time_ns()
        statement = statements.build(
            agency=key_statement_pb2.Agency(
                agency_id=member.agency_id,
                names=[
                    key_statement_pb2.AgencyName(language=language, name=name)
                    for language, name in member.names.items()
                ],
                kind=member.kind,
                duty_contact=member.duty_contact,
                languages=sorted(member.names),
                time_zone=member.time_zone,
            ),
            root=root.public_key,
            create_time=now,
            keys=self._enrolled(tls, now=now),
        )
        request = write_request(
            csr=make_csr(member.agency_id, tls), statement=statements.sign(statement, root)
        )
        write_atomically(home.request_file, request)
        home.write_settings(AgencySettings(agency=member.agency_id, names=member.names))
        return {"request": request.decode(), "confined": self._confined}

    def _enrolled(
        self, tls: ec.EllipticCurvePrivateKey, *, now: int
    ) -> list[key_statement_pb2.EnrolledKey]:
        until = now + _VALID_DAYS * clock.NANOSECONDS_PER_DAY
        spki = tls.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        found = [
            statements.enrol(
                algorithm=statements.TLS_ALGORITHM,
                public_key=spki,
                role=codes_pb2.KEY_ROLE_TLS,
                valid_from=now,
                valid_until=until,
            )
        ]
        for officer in ("", *cast.OFFICERS):
            name = f"officer-{officer}" if officer else "signing"
            public = FileSigner(self._home.key(name)).public_key
            found.append(
                statements.enrol(
                    algorithm=public.algorithm,
                    public_key=public.raw,
                    role=codes_pb2.KEY_ROLE_OFFICER if officer else codes_pb2.KEY_ROLE_SIGNING,
                    valid_from=now,
                    valid_until=until,
                    officer=officer,
                    rights=_RIGHTS.get(officer, ()),
                )
            )
        return found

    async def do_accept(self, order: Answer) -> Answer:
        """Install the operator's answer."""
        home = self._home
        answer = read_answer(order["answer"].encode())
        write_atomically(home.client_certificate, answer.certificate)
        write_atomically(home.ca_certificate, answer.ca)
        settings = home.settings()
        home.write_settings(
            AgencySettings(
                agency=settings.agency,
                gateway=answer.gateway,
                origin=answer.origin,
                log=answer.log_key.text,
                names=settings.names,
            )
        )
        root = FileSigner(home.key("root")).public_key
        policy = (
            f"[log]\nkeys = [{toml_text(answer.log_key.text)}]\n\n"
            f"[roots]\n{toml_text(settings.agency)} = {toml_text(root.text)}\n"
        )
        write_atomically(home.policy_file, policy.encode())
        return {}

    async def do_sign(self, order: Answer) -> Answer:
        """Sign an agreement's bytes with the root key; give away the signature alone.

        The partners' roots that stand in it are trusted from here on.
        """
        data = base64.b64decode(order["agreement"])
        signature = sign_agreement(data, signer=FileSigner(self._home.key("root")))
        self._roots.append(roots_of(compile_agreement(data).message()))
        return {"signature": base64.b64encode(signature.SerializeToString()).decode()}

    async def do_trespass(self, order: Answer) -> Answer:
        """Really try to read what is none of its business; say how often that was denied."""
        read = [path for path in order["paths"] if _can_read(Path(path))]
        return {"denied": len(order["paths"]) - len(read), "read": read}

    async def do_open(self, order: Answer) -> Answer:  # noqa: ARG002 - as every order
        """Connect, verify directory and agreements, and start reading the inbox."""
        self._desk = Desk(self._home, progress=lambda counts: self._say({"progress": counts}))
        for roots in self._roots:
            self._desk.pin(roots)
        await self._desk.open()
        return {}

    async def do_settle(self, order: Answer) -> Answer:
        """Wait until everything up to a position is read, verified and acknowledged."""
        return {"positions": await self._open_desk.settle(order["position"])}

    async def do_advance(self, order: Answer) -> Answer:
        """Tell the gateway up to where the inbox is held."""
        position: int = order["position"]
        if position:
            await self._open_desk.client.advance_cursor(position)
        return {}

    async def do_finish(self, order: Answer) -> Answer:  # noqa: ARG002 - as every order
        """Make the last checks; return totals, what was verified, and the log as seen from here."""
        desk = self._open_desk
        signed = await desk.finish()
        checks = desk.checks
        return {
            "totals": desk.memory.totals(),
            "verified": {
                "signatures": checks.signatures,
                "receipts": checks.receipts,
                "proofs": checks.proofs,
                "decisions": checks.decisions,
            },
            "log": {
                "origin": signed.checkpoint.origin,
                "size": signed.checkpoint.size,
                "root": base64.b64encode(signed.checkpoint.root).decode(),
                "vkey": desk.policy.log_keys[0].text,
            },
        }


def _can_read(path: Path) -> bool:
    """Open a file that exists and read a byte; tell whether that was allowed."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except PermissionError:
        return False
    return True
