"""docs/protocol.md tells the truth: its bytes are recomputed, its tables compared with the code.

Where it is simple, the recomputation uses hashlib and the cryptography package alone, so that the
document and not the library is what is believed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rogatory import clock, envelopes, schemas, statements, tiles
from rogatory._vendor.buf.validate import validate_pb2
from rogatory.agreements import (
    BASE_DIGEST,
    open_agreement,
    read_agreement,
    render,
)
from rogatory.agreements.articles import article_and_above
from rogatory.agreements.base import base_bytes
from rogatory.audit.v1 import audit_service_pb2, entry_pb2
from rogatory.decisions import changes, recheck
from rogatory.exchange.v1 import (
    agreement_pb2,
    agreement_service_pb2,
    codes_pb2,
    decision_pb2,
    directory_service_pb2,
    envelope_pb2,
    errors_pb2,
    exchange_service_pb2,
    key_statement_pb2,
    procedure_service_pb2,
)
from rogatory.keyring import KeyRing
from rogatory.keys import ALGORITHMS, PublicKey
from rogatory.notes import VerifierKey
from rogatory.policy import Policy
from rogatory.receipts import Receipt
from rogatory.records.v1 import common_pb2
from rogatory_gateway.errors import code_of
from tests.support import documents

TEXT = documents.read("docs/protocol.md")
WORKED = documents.worked_values(TEXT)
WORKED_TEXTS = documents.worked_texts(TEXT)
ORIGIN = "gateway.example/exchange"


def value(example: str, name: str) -> bytes:
    """Return a hexadecimal value of a worked example."""
    return bytes.fromhex(WORKED[example][name])


def public_key(owner: str) -> Ed25519PublicKey:
    """Return the public half of one of the document's keys."""
    return Ed25519PrivateKey.from_private_bytes(value("keys", f"seed of {owner}")).public_key()


def fingerprint(owner: str) -> bytes:
    """Return a key's fingerprint, by the document's words."""
    raw = public_key(owner).public_bytes_raw()
    return hashlib.sha256(b"rogatory.key.v1\0" + b"Ed25519\0" + raw).digest()


def pae(kind: str, body: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding, by the document's words."""
    payload_type = f"application/vnd.rogatory.{kind}.v1+protobuf".encode()
    return b" ".join(
        [b"DSSEv1", str(len(payload_type)).encode(), payload_type, str(len(body)).encode(), body]
    )


def signed_statement() -> key_statement_pb2.SignedKeyStatement:
    """Return the key statement of the worked example."""
    return key_statement_pb2.SignedKeyStatement(
        statement=value("key-statement", "statement"),
        signature=envelope_pb2.Signature(
            key=value("key-statement", "signed by"), value=value("key-statement", "signature")
        ),
    )


def signed_agreement() -> agreement_pb2.SignedAgreement:
    """Return the agreement of the worked example."""
    signatures = {
        fingerprint("the sender's root"): value("agreement", "fr.police"),
        fingerprint("the recipient's root"): value("agreement", "de.police"),
    }
    return agreement_pb2.SignedAgreement(
        agreement=value("agreement", "agreement"),
        signatures=[
            envelope_pb2.Signature(key=key, value=signatures[key]) for key in sorted(signatures)
        ],
    )


def policy() -> Policy:
    """Return a policy that pins what the worked example rests on."""
    agreement = open_agreement(signed_agreement())
    statement = statements.verify(signed_statement())
    return Policy(
        log_keys=[VerifierKey.parse(WORKED["verifier-key"]["verifier key"])],
        roots={"fr.police": PublicKey("Ed25519", statement.root.public_key)},
        directory=[
            directory_service_pb2.DirectoryEntry(
                agency=statement.agency,
                statements=[signed_statement()],
                entry_times=[statement.create_time],
            )
        ],
        agreements={agreement.digest: agreement},
    )


# -- worked bytes --------------------------------------------------------------------------------


def test_every_example_is_there() -> None:
    """A renamed example would silently drop out of the tests below."""
    expected = {
        "agreement",
        "agreement-text",
        "articles",
        "base-agreement",
        "checkpoint",
        "entry",
        "envelope",
        "fingerprint",
        "header",
        "header-text",
        "key-statement",
        "keys",
        "outcome",
        "part",
        "receipt",
        "tree",
        "verifier-key",
    }

    assert expected == WORKED_TEXTS.keys()


def test_fingerprint() -> None:
    """A fingerprint is SHA-256 over domain, algorithm name and raw public key."""
    raw = public_key("the signing key").public_bytes_raw()

    assert raw == value("fingerprint", "public key")
    assert b"rogatory.key.v1\0Ed25519\0" + raw == value("fingerprint", "hashed")
    assert hashlib.sha256(value("fingerprint", "hashed")).digest() == value(
        "fingerprint", "fingerprint"
    )


@pytest.mark.parametrize(
    ("example", "body", "kind", "signatures"),
    [
        ("header", "header", "header", {"signature": "the signing key"}),
        ("key-statement", "statement", "key-statement", {"signature": "the sender's root"}),
        (
            "agreement",
            "agreement",
            "agreement",
            {"fr.police": "the sender's root", "de.police": "the recipient's root"},
        ),
    ],
)
def test_signatures(example: str, body: str, kind: str, signatures: dict[str, str]) -> None:
    """Each signature verifies over the PAE of its type, which begins as the document shows."""
    encoded = pae(kind, value(example, body))

    assert encoded == value(example, "PAE begins") + value(example, body)
    for name, owner in signatures.items():
        public_key(owner).verify(value(example, name), encoded)


def test_pae_digest() -> None:
    """The digest of the whole PAE is for whoever gets a signature that does not verify."""
    encoded = pae("header", value("header", "header"))

    assert hashlib.sha256(encoded).digest() == value("header", "SHA256(PAE)")
    assert hashlib.sha256(value("header", "header")).digest() == value("header", "digest")


def test_part_commitment() -> None:
    """A part is bound by SHA-256 over domain, salt and content; the header holds the result."""
    salt, content = value("part", "salt"), value("part", "content")
    header = envelope_pb2.Header.FromString(value("header", "header"))

    found = hashlib.sha256(b"rogatory.part.v1\0" + salt + content).digest()

    assert value("part", "commitment") == found
    assert (found, len(content)) == (header.parts[0].commitment, header.parts[0].size)


def test_header_text() -> None:
    """The header in text format is the header in bytes."""
    header = text_format.Parse(WORKED_TEXTS["header-text"], envelope_pb2.Header())

    assert value("header", "header") == header.SerializeToString(deterministic=True)


def test_envelope() -> None:
    """The envelope passes everything that a gateway checks before it decides."""
    ring = KeyRing()
    ring.add(signed_statement(), entry_time=clock.to_nanoseconds(_entry().entry_time))

    opened = envelopes.open_envelope(value("envelope", "envelope"))
    signers = envelopes.verify_signatures(
        opened, ring, entry_time=clock.to_nanoseconds(_entry().entry_time)
    )
    contents = envelopes.check_parts(opened, allow_absent=False)

    assert value("header", "header") == opened.header_bytes
    assert [value("fingerprint", "fingerprint")] == [key.fingerprint for key in signers]
    assert [value("part", "content")] == [
        content.SerializeToString(deterministic=True) for content in contents if content
    ]


def test_key_statement() -> None:
    """The statement enrols the signing key under the sender's root."""
    statement = statements.verify(signed_statement())

    assert fingerprint("the sender's root") == value("key-statement", "signed by")
    assert [value("fingerprint", "public key")] == [
        key.public_key.public_key for key in statement.keys
    ]


def test_agreement() -> None:
    """The text, with the roots filled in, renders to the bytes that both parties signed."""
    roots = {
        agency: PublicKey("Ed25519", public_key(owner).public_bytes_raw())
        for agency, owner in (
            ("fr.police", "the sender's root"),
            ("de.police", "the recipient's root"),
        )
    }

    data = render(read_agreement(WORKED_TEXTS["agreement-text"]), roots=roots)

    assert value("agreement", "agreement") == data
    assert hashlib.sha256(data).digest() == value("agreement", "digest")
    assert value("agreement", "digest") == open_agreement(signed_agreement()).digest


def test_base_agreement() -> None:
    """The base agreement's digest is that of the published text."""
    assert value("base-agreement", "digest") == hashlib.sha256(base_bytes()).digest()
    assert value("base-agreement", "digest") == BASE_DIGEST


def test_outcome() -> None:
    """The outcome's commitment is in the entry, and its decision comes out the same again."""
    salt, outcome = value("outcome", "salt"), value("outcome", "outcome")

    replay = recheck(
        outcome=outcome,
        header=value("header", "header"),
        agreement=value("agreement", "agreement"),
    )
    found = hashlib.sha256(b"rogatory.outcome.v1\0" + salt + outcome).digest()

    assert value("outcome", "commitment") == found
    assert [found] == list(_entry().outcome_commitments)
    assert replay.agrees
    assert decision_pb2.DISPOSITION_PERMITTED == replay.computed.disposition


def test_tree() -> None:
    """Leaf hashes, node and roots follow RFC 6962, computed with SHA-256 alone."""
    leaf = [hashlib.sha256(b"\0" + data).digest() for data in (b"a", b"b", value("entry", "entry"))]
    node = hashlib.sha256(b"\1" + leaf[0] + leaf[1]).digest()
    root = hashlib.sha256(b"\1" + node + leaf[2]).digest()

    expected = {
        "leaf 0, data 61": leaf[0],
        "leaf 1, data 62": leaf[1],
        "leaf 2, the entry": leaf[2],
        "node over 0 and 1": node,
        "root of size 3": root,
        "root of size 2": node,
        "root of size 0": hashlib.sha256(b"").digest(),
    }
    assert {name: data.hex() for name, data in expected.items()} == WORKED["tree"]
    assert leaf[2] == value("entry", "leaf hash")


def test_checkpoint() -> None:
    """The note names the tree, and the log's key signed it under the key id that is shown."""
    text, signature = WORKED_TEXTS["checkpoint"].split("\n\n")
    name, encoded = signature.removeprefix("\N{EM DASH} ").strip().split(" ")
    material = base64.b64decode(encoded, validate=True)
    origin, size, root = text.split("\n")

    public_key("the log key").verify(material[4:], f"{text}\n".encode())

    assert (ORIGIN, ORIGIN, "3") == (name, origin, size)
    assert base64.b64decode(root) == value("tree", "root of size 3")
    assert material[:4] == value("verifier-key", "key id")


def test_verifier_key() -> None:
    """Key id and verifier key line follow from name, type and public key."""
    raw = public_key("the log key").public_bytes_raw()
    hashed = ORIGIN.encode() + b"\n\x01" + raw
    key_id = hashlib.sha256(hashed).digest()[:4]

    line = f"{ORIGIN}+{key_id.hex()}+{base64.b64encode(bytes([1]) + raw).decode()}"

    assert hashed == value("verifier-key", "hashed")
    assert key_id == value("verifier-key", "key id")
    assert line == WORKED["verifier-key"]["verifier key"]


def test_receipt() -> None:
    """The receipt file verifies under a policy that pins the document's own keys and agreement."""
    receipt = Receipt.parse(WORKED_TEXTS["receipt"].encode())

    verified = receipt.verify(policy())

    assert receipt.entry == value("entry", "entry")
    assert receipt.checkpoint.decode() == WORKED_TEXTS["checkpoint"]
    assert [("de.police", True)] == [(item.agency, item.rechecked) for item in verified.recipients]
    assert not verified.witnessed


def _entry() -> entry_pb2.AuditEntry:
    return entry_pb2.AuditEntry.FromString(value("entry", "entry"))


# -- tables --------------------------------------------------------------------------------------


def test_errors_are_those_of_the_contract() -> None:
    """Every ErrorReason has its row, in order, with the status that the gateway answers with."""
    rows = documents.table(TEXT, "| no. | reason | status | meaning | what to do |")

    expected = [
        (str(number), name.removeprefix("ERROR_REASON_"))
        for name, number in errors_pb2.ErrorReason.items()
        if number
    ]
    assert expected == [(row[0], documents.quoted(row[1])[0]) for row in rows]
    assert [code_of(name).name for _, name in expected] == [row[2] for row in rows]
    assert all(row[3] and row[4] for row in rows)


def test_error_statuses_are_those_of_the_proto() -> None:
    """The proto's comments, which partners generate their documentation from, say the same."""
    proto = documents.read("protos/rogatory/exchange/v1/errors.proto")
    rows = documents.table(TEXT, "| no. | reason | status | meaning | what to do |")

    stated = [
        line.strip().removeprefix("// ").partition(":")[0]
        for line, following in zip(proto.splitlines(), proto.splitlines()[1:], strict=False)
        if following.strip().startswith("ERROR_REASON_") and "UNSPECIFIED" not in following
    ]

    assert stated == [row[2] for row in rows]


def test_services_are_complete() -> None:
    """Every call of every service is in the table of section 1."""
    rows = documents.table(TEXT, "| service | calls |")
    described = {documents.quoted(row[0])[0]: documents.quoted(row[1]) for row in rows}

    services = [
        service
        for module in (
            exchange_service_pb2,
            directory_service_pb2,
            agreement_service_pb2,
            procedure_service_pb2,
            audit_service_pb2,
        )
        for service in module.DESCRIPTOR.services_by_name.values()
    ]

    assert all(
        sorted(described[service.full_name]) == sorted(method.name for method in service.methods)
        for service in services
    )


def test_limits() -> None:
    """The limits are those of the code and of the protos."""
    header = envelope_pb2.Header.DESCRIPTOR.fields_by_name
    envelope = envelope_pb2.Envelope.DESCRIPTOR.fields_by_name
    document = agreement_pb2.SignedAgreement.DESCRIPTOR.fields_by_name["agreement"]
    statement = key_statement_pb2.SignedKeyStatement.DESCRIPTOR.fields_by_name["statement"]
    rows = documents.table(TEXT, "| limit | value |")

    expected = {
        "envelope": f"{envelopes.MAX_ENVELOPE_BYTES} bytes",
        "header": f"{_rules(envelope['header']).bytes.max_len} bytes",
        "parts in a message": f"{_rules(header['parts']).repeated.max_items}",
        "recipients of a message": f"{_rules(header['recipients']).repeated.max_items}",
        "signatures on a message": f"{_rules(envelope['signatures']).repeated.max_items}",
        "messages in a batch": f"{envelopes.MAX_BATCH_MESSAGES}",
        "envelopes of a batch together": f"{envelopes.MAX_BATCH_BYTES} bytes",
        "agreement, key statement": f"{_rules(document).bytes.max_len} bytes each",
        "log entry": f"{tiles.MAX_ENTRY_SIZE} bytes",
    }

    assert expected == {row[0]: row[1] for row in rows}
    assert _rules(document).bytes.max_len == _rules(statement).bytes.max_len


def _rules(field: FieldDescriptor) -> Any:  # noqa: ANN401 - a oneof of rules, by type
    return field.GetOptions().Extensions[validate_pb2.field]


def test_algorithms() -> None:
    """Names and sizes of the signature algorithms are those of the library."""
    rows = documents.table(TEXT, "| algorithm name | raw public key | signature | source |")

    expected = [
        (item.name, f"{item.public_key_size} bytes", f"{item.signature_size} bytes")
        for item in ALGORITHMS.values()
    ]

    assert expected == [
        (documents.quoted(row[0])[0], row[1], row[2]) for row in rows if "SPKI" not in row[0]
    ]


def test_categories_and_schemas() -> None:
    """Each category has the schemas that the library admits under it."""
    rows = documents.table(TEXT, "| category | schemas |")

    described = {
        f"rogatory.{schema}": row[0] for row in rows for schema in documents.quoted(row[1])
    }

    assert described == {
        name: codes_pb2.PartCategory.Name(schemas.by_name(name).category).removeprefix(
            "PART_CATEGORY_"
        )
        for name in schemas.names()
    }


def test_kinds_and_particulars() -> None:
    """Each kind has the particulars that an envelope may carry, and every kind is there."""
    rows = documents.table(TEXT, "| kind | particulars |")

    described = {row[0]: set(documents.quoted(row[1])) for row in rows}

    assert described == {
        name.removeprefix("KIND_"): envelopes.opening.PARTICULARS_OF_KIND[kind] - {None}
        for name, kind in codes_pb2.Kind.items()
        if kind
    }


def test_articles() -> None:
    """What an article lies under is what the library matches citations with."""
    described = {article: set(above.split(" | ")) for article, above in WORKED["articles"].items()}

    assert {article: set(article_and_above(article)) for article in described} == described


def test_conditions_are_complete() -> None:
    """Every condition that an agreement can state is described."""
    rows = documents.table(TEXT, "| condition | met when |")

    described = {name for row in rows for name in documents.quoted(row[0])}

    assert {field.name for field in agreement_pb2.Conditions.DESCRIPTOR.fields} == described


def test_order_of_changes() -> None:
    """The order of preference is the library's, and marks what can be asked for twice."""
    lines = [line for line in TEXT.splitlines() if line.startswith("    ")]
    start = next(i for i, line in enumerate(lines) if line.startswith("    cite_article"))
    described = [name.strip() for name in "".join(lines[start : start + 2]).split(",")]

    assert [
        f"{name}*" if name in changes.REPEATABLE else name for name in changes.PREFERENCE
    ] == described


def test_option_number() -> None:
    """The option that marks a field's group has the number that the document names."""
    assert f"field number {common_pb2.field_group.number} of" in " ".join(TEXT.split())


def test_no_extensions_maps_or_late_oneofs_but_those_named() -> None:
    """In what travels, members of a oneof come last but in the three types that the text names."""
    late = set()
    for descriptor in _travelling():
        assert not descriptor.is_extendable, descriptor.full_name
        assert not any(
            field.message_type is not None and field.message_type.GetOptions().map_entry
            for field in descriptor.fields
        ), descriptor.full_name
        for oneof in descriptor.oneofs:
            members = [field.number for field in oneof.fields]
            others = {field.number for field in descriptor.fields} - set(members)
            real = not (len(members) == 1 and oneof.name.startswith("_"))
            if real and others and max(others) > min(members):
                late.add(descriptor.name)

    assert {"Contact", "Account", "Alert"} == late
    assert "`records.v1.Contact`, `Account` and `Alert` only" in " ".join(TEXT.split())


def _travelling() -> Iterable[Any]:
    """Return the type of every message that is signed, committed to, or inside one that is."""
    types: list[type[Message]] = [
        envelope_pb2.Envelope,
        envelope_pb2.Header,
        agreement_pb2.Agreement,
        key_statement_pb2.KeyStatement,
        *(schemas.by_name(name).message_type for name in schemas.names()),
    ]
    todo = [message_type.DESCRIPTOR for message_type in types]
    seen = {}
    while todo:
        descriptor = todo.pop()
        if descriptor.full_name not in seen:
            seen[descriptor.full_name] = descriptor
            todo += [field.message_type for field in descriptor.fields if field.message_type]
    return seen.values()
