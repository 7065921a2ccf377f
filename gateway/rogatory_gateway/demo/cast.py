"""The cast: who takes part in the joint operation, and under which agreements."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources

from rogatory.exchange.v1 import codes_pb2

COORDINATOR = "int.coordination"
ANALYST = "hk.police"
"""The agency that is asked to analyse, and answers with what it confirmed."""

NORTHWALL = "sg.northwall-security"
KITANAMI = "jp.kitanami-hosting"
PAYLINE = "in.payline-payments"
PARTNERS = (NORTHWALL, KITANAMI, PAYLINE)

OFFICERS = ("duty", "head")
"""Each agency's officers: `duty` sends and acknowledges, `head` approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One who takes part.

    Attributes:
        agency_id: Its id.
        names: Its names by language.
        kind: An ``AgencyKind`` number.
        country: ISO 3166-1 alpha-2; empty for an international body.
    """

    agency_id: str
    names: dict[str, str] = field(default_factory=dict)
    kind: codes_pb2.AgencyKind.ValueType = codes_pb2.AGENCY_KIND_POLICE

    @property
    def country(self) -> str:
        """Country of the agency."""
        prefix = self.agency_id.partition(".")[0]
        return "" if prefix == "int" else prefix.upper()


_POLICE = {
    "bn": "Brunei Darussalam",
    "fj": "Fiji",
    "hk": "Hong Kong, China",
    "id": "Indonesia",
    "in": "India",
    "jp": "Japan",
    "kh": "Cambodia",
    "kr": "Republic of Korea",
    "kz": "Kazakhstan",
    "la": "Lao People's Democratic Republic",
    "lk": "Sri Lanka",
    "mn": "Mongolia",
    "mo": "Macao, China",
    "mv": "Maldives",
    "my": "Malaysia",
    "np": "Nepal",
    "pg": "Papua New Guinea",
    "ph": "Philippines",
    "sb": "Solomon Islands",
    "sg": "Singapore",
    "th": "Thailand",
    "tl": "Timor-Leste",
    "to": "Tonga",
    "vn": "Viet Nam",
    "vu": "Vanuatu",
    "ws": "Samoa",
}
_OWN_NAMES = {
    "hk": {"zh-Hant": "警察網絡罪案組"},
    "jp": {"ja": "警察サイバー犯罪対策課"},
    "kr": {"ko": "경찰 사이버범죄수사과"},
    "lk": {"si": "පොලිස් පරිගණක අපරාධ අංශය"},
    "th": {"th": "ตำรวจอาชญากรรมไซเบอร์"},
    "vn": {"vi": "Cảnh sát phòng chống tội phạm mạng"},
}

NATIONAL = tuple(
    Member(
        agency_id=f"{code}.police",
        names={"en": f"Police cybercrime unit, {country} (demonstration)"}
        | _OWN_NAMES.get(code, {}),
    )
    for code, country in _POLICE.items()
)
"""The 26 national agencies."""

MEMBERS = (
    Member(
        agency_id=COORDINATOR,
        names={"en": "Coordination desk of the operation (demonstration)"},
        kind=codes_pb2.AGENCY_KIND_INTERNATIONAL_ORGANISATION,
    ),
    *NATIONAL,
    Member(
        agency_id=NORTHWALL,
        names={"en": "Northwall Security (demonstration)"},
        kind=codes_pb2.AGENCY_KIND_SECURITY_FIRM,
    ),
    Member(
        agency_id=KITANAMI,
        names={"en": "Kitanami Hosting (demonstration)"},
        kind=codes_pb2.AGENCY_KIND_PLATFORM,
    ),
    Member(
        agency_id=PAYLINE,
        names={"en": "Payline Payments (demonstration)"},
        kind=codes_pb2.AGENCY_KIND_PAYMENT_PROVIDER,
    ),
)
"""All thirty: the coordinating organisation, the national agencies, the private partners."""

JOINT = "joint-operation-2026"
ANALYSIS = "hk-analysis-2026"
NEIGHBOURS = "four-neighbours-2026"
BILATERAL = "lk-vn-2026"
ENDED = "jp-kr-2023"
PARTNERSHIPS = {
    NORTHWALL: "partner-northwall-2026",
    KITANAMI: "partner-kitanami-2026",
    PAYLINE: "partner-payline-2026",
}
AGREEMENTS = (JOINT, ANALYSIS, NEIGHBOURS, BILATERAL, ENDED, *PARTNERSHIPS.values())


def agreement_text(agreement_id: str) -> str:
    """Return the text form of an agreement of the cast."""
    folder = resources.files("rogatory_gateway.demo") / "agreements"
    return (folder / f"{agreement_id}.yaml").read_text(encoding="utf-8")
