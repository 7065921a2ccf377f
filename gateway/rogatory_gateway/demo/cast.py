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
        time_zone: IANA time zone of its working days.
        country: ISO 3166-1 alpha-2; empty for an international body.
        duty_contact: Where it can be reached at any hour.
    """

    agency_id: str
    names: dict[str, str] = field(default_factory=dict)
    kind: codes_pb2.AgencyKind.ValueType = codes_pb2.AGENCY_KIND_POLICE
    time_zone: str = "UTC"

    @property
    def country(self) -> str:
        """Country of the agency."""
        prefix = self.agency_id.partition(".")[0]
        return "" if prefix == "int" else prefix.upper()

    @property
    def duty_contact(self) -> str:
        """Where the agency can be reached at any hour."""
        prefix, _, name = self.agency_id.partition(".")
        return f"duty@{name}.{prefix}.example"


_COUNTRIES = {
    "bn": ("Brunei Darussalam", "Asia/Brunei"),
    "fj": ("Fiji", "Pacific/Fiji"),
    "hk": ("Hong Kong, China", "Asia/Hong_Kong"),
    "id": ("Indonesia", "Asia/Jakarta"),
    "in": ("India", "Asia/Kolkata"),
    "jp": ("Japan", "Asia/Tokyo"),
    "kh": ("Cambodia", "Asia/Phnom_Penh"),
    "kr": ("Republic of Korea", "Asia/Seoul"),
    "kz": ("Kazakhstan", "Asia/Almaty"),
    "la": ("Lao People's Democratic Republic", "Asia/Vientiane"),
    "lk": ("Sri Lanka", "Asia/Colombo"),
    "mn": ("Mongolia", "Asia/Ulaanbaatar"),
    "mo": ("Macao, China", "Asia/Macau"),
    "mv": ("Maldives", "Indian/Maldives"),
    "my": ("Malaysia", "Asia/Kuala_Lumpur"),
    "np": ("Nepal", "Asia/Kathmandu"),
    "pg": ("Papua New Guinea", "Pacific/Port_Moresby"),
    "ph": ("Philippines", "Asia/Manila"),
    "sb": ("Solomon Islands", "Pacific/Guadalcanal"),
    "sg": ("Singapore", "Asia/Singapore"),
    "th": ("Thailand", "Asia/Bangkok"),
    "tl": ("Timor-Leste", "Asia/Dili"),
    "to": ("Tonga", "Pacific/Tongatapu"),
    "vn": ("Viet Nam", "Asia/Ho_Chi_Minh"),
    "vu": ("Vanuatu", "Pacific/Efate"),
    "ws": ("Samoa", "Pacific/Apia"),
}
"""Name and time zone of each country that takes part."""
_BORDER = frozenset({"kh", "la"})
"""Two neighbours that take part with their border guards; the others with their police."""
_OWN_NAMES = {
    "hk": {"zh-Hant": "警察網絡罪案組"},
    "jp": {"ja": "警察サイバー犯罪対策課"},
    "kr": {"ko": "경찰 사이버범죄수사과"},
    "lk": {"si": "පොලිස් පරිගණක අපරාධ අංශය"},
    "th": {"th": "ตำรวจอาชญากรรมไซเบอร์"},
    "vn": {"vi": "Cảnh sát phòng chống tội phạm mạng"},
}


def _national(code: str, country: str, time_zone: str) -> Member:
    border = code in _BORDER
    unit = "Border guard" if border else "Police cybercrime unit"
    return Member(
        agency_id=f"{code}.{'border' if border else 'police'}",
        names={"en": f"{unit}, {country} (demonstration)"} | _OWN_NAMES.get(code, {}),
        kind=codes_pb2.AGENCY_KIND_BORDER_GUARD if border else codes_pb2.AGENCY_KIND_POLICE,
        time_zone=time_zone,
    )


NATIONAL = tuple(_national(code, *known) for code, known in _COUNTRIES.items())
"""The 26 national agencies, two of them border guards."""
RELEASING, RECEIVING = "kh.border", "la.border"
"""The border guards: one arrested whom the other asks for, and hands them over."""

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
        time_zone="Asia/Singapore",
    ),
    Member(
        agency_id=KITANAMI,
        names={"en": "Kitanami Hosting (demonstration)"},
        kind=codes_pb2.AGENCY_KIND_PLATFORM,
        time_zone="Asia/Tokyo",
    ),
    Member(
        agency_id=PAYLINE,
        names={"en": "Payline Payments (demonstration)"},
        kind=codes_pb2.AGENCY_KIND_PAYMENT_PROVIDER,
        time_zone="Asia/Kolkata",
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
