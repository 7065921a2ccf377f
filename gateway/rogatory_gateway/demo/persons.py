"""Suspects who never were: names in their own scripts, with romanisation and its scheme."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from rogatory.records.v1 import (
    common_pb2,
    contact_pb2,
    document_pb2,
    offence_pb2,
    person_pb2,
)
from rogatory_gateway.demo.content import record_id


class Name(NamedTuple):
    """A name as its bearer writes it, and in Latin letters.

    Attributes:
        text: As written.
        script: ISO 15924.
        language: BCP 47.
        roman: Romanised.
        scheme: A ``RomanisationScheme`` number.
        nationality: ISO 3166-1 alpha-2.
    """

    text: str
    script: str
    language: str
    roman: str
    scheme: common_pb2.RomanisationScheme.ValueType
    nationality: str


_PASSPORT = common_pb2.ROMANISATION_SCHEME_ICAO_9303


def _icao(text: str) -> str:
    """Return Latin letters without diacritics, as a passport's second line has them."""
    plain = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(c for c in plain if not unicodedata.combining(c)).upper()


def _vietnamese(*names: str) -> list[Name]:
    return [Name(name, "Latn", "vi", _icao(name), _PASSPORT, "VN") for name in names]


def _others(
    script: str,
    language: str,
    scheme: common_pb2.RomanisationScheme.ValueType,
    nationality: str,
    names: dict[str, str],
) -> list[Name]:
    return [
        Name(text, script, language, roman, scheme, nationality) for text, roman in names.items()
    ]


_VN = _vietnamese(
    "Nguyễn Văn Thử",
    "Trần Thị Mẫu",
    "Lê Hoàng Giả Định",
    "Phạm Đức Ví Dụ",
    "Huỳnh Ngọc Tượng Trưng",
    "Võ Thành Khuyết",
    "Đặng Thuỳ Hư Cấu",
    "Bùi Quốc Trống",
    "Đỗ Minh Nháp",
    "Hồ Bảo Thí Nghiệm",
    "Ngô Xuân Tạm",
    "Dương Hữu Phỏng",
    "Lý Kiều Minh Hoạ",
)
_CN = _others(
    "Hans",
    "zh",
    common_pb2.ROMANISATION_SCHEME_HANYU_PINYIN,
    "CN",
    {
        "张三": "Zhāng Sān",
        "李四": "Lǐ Sì",
        "王五": "Wáng Wǔ",
        "赵六": "Zhào Liù",
        "陈样本": "Chén Yàngběn",
        "周虚构": "Zhōu Xūgòu",
        "吴示例": "Wú Shìlì",
    },
)
_LK = _others(
    "Sinh",
    "si",
    common_pb2.ROMANISATION_SCHEME_ISO_15919,
    "LK",
    {
        "නිමල් පෙරේරා": "Nimal Pērērā",
        "සුනිල් සිල්වා": "Sunil Silvā",
        "කමල් බණ්ඩාර": "Kamal Baṇḍāra",
        "රුවන් ජයසිංහ": "Ruvan Jayasiṁha",
        "අමල් පෙරේරා": "Amal Pērērā",
        "කමල් සිල්වා": "Kamal Silvā",
        "නිමල් බණ්ඩාර": "Nimal Baṇḍāra",
        "සුනිල් ජයසිංහ": "Sunil Jayasiṁha",
        "රුවන් පෙරේරා": "Ruvan Pērērā",
    },
)
_TH = _others(
    "Thai",
    "th",
    common_pb2.ROMANISATION_SCHEME_RTGS,
    "TH",
    {"สมชาย ตัวอย่าง": "Somchai Tuayang", "สมหญิง ทดสอบ": "Somying Thotsop"},
)

ARRESTED: dict[str, Sequence[Name]] = {
    "vn.police": [*_VN, *_CN[:5]],
    "lk.police": [*_LK, *_CN[5:], _TH[0]],
    "th.police": [_TH[1], *_vietnamese("Mai Anh Thử Lại")],
}
"""Who was arrested, by the agency that did: 32 in three countries."""
TOGETHER = ("vn.police", "th.police")
"""The first arrested those whom the second told of together with it: both report them."""
SOUGHT = 269
"""Persons whom one border guard asks another to hand over."""
_GIVEN = (
    *("Bounmy", "Chanthala", "Douangchay", "Kham", "Keo", "Lamphone", "Manivanh", "Noy"),
    *("Oudone", "Phet", "Sengdao", "Somphone", "Thongsay", "Vanna", "Vilay", "Xay", "Bounthan"),
)
_FAMILY = (
    *("Tuayang", "Thodsop", "Nammot", "Samout", "Baebphaen", "Longchay", "Somkhit", "Patdit"),
    *("Hinhae", "Pomsang", "Khongvang", "Voangpao", "Boran", "Khadkhong", "Bothae", "Kepngen"),
)
"""Words for example, test, assumed and the like, as no family is called."""


def sought() -> person_pb2.Persons:
    """Return the persons sought: identity, document, charge."""
    names = [f"{given} {family}" for family in _FAMILY for given in _GIVEN][:SOUGHT]
    return person_pb2.Persons(
        persons=[
            person_pb2.Person(
                record_id=record_id("sought", number),
                category=common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
                names=[
                    person_pb2.PersonName(
                        kind=person_pb2.PERSON_NAME_KIND_FULL,
                        texts=[common_pb2.NameText(text=name, script="Latn", language="lo")],
                    )
                ],
                birth_date=common_pb2.PartialDate(value=str(1970 + number % 35)),
                nationalities=["LA"],
                documents=[
                    document_pb2.IdentityDocument(
                        kind=document_pb2.DOCUMENT_KIND_PASSPORT,
                        number=f"LX{number:06d}",
                        issuing_country="LA",
                    )
                ],
                charges=[
                    offence_pb2.Charge(offence=offence_pb2.Offence(iccs_code="0701", country="LA"))
                ],
            )
            for number, name in enumerate(names, start=1)
        ]
    )


def suspects(agency: str) -> person_pb2.Persons:
    """Return the suspects of an agency: identity, document, contact, charge."""
    return person_pb2.Persons(
        persons=[_suspect(agency, number, name) for number, name in enumerate(ARRESTED[agency])]
    )


def _suspect(agency: str, number: int, name: Name) -> person_pb2.Person:
    person = person_pb2.Person(
        record_id=suspect_id(agency, number),
        category=common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
        names=[_name(name)],
        birth_date=common_pb2.PartialDate(value=str(1978 + number), circa=number % 2 == 0),
        nationalities=[name.nationality],
        sex=person_pb2.SEX_UNSPECIFIED,
        documents=[_passport(number, name)],
        contacts=[contact_pb2.Contact(email=f"suspect{number}.{agency[:2]}@mail.example")],
        grading=common_pb2.Grading(
            source=common_pb2.SOURCE_GRADE_A, information=common_pb2.INFORMATION_GRADE_1
        ),
    )
    person.charges.add(offence=offence_pb2.Offence(iccs_code="0701", country=agency[:2].upper()))
    return person


def _passport(number: int, name: Name) -> document_pb2.IdentityDocument:
    return document_pb2.IdentityDocument(
        kind=document_pb2.DOCUMENT_KIND_PASSPORT,
        number=f"X{number:07d}",
        issuing_country=name.nationality,
        expiry_date="2030-12-31",
    )


def wanted_passport() -> document_pb2.IdentityDocument:
    """Return the passport of one who is arrested later, as another agency knows it already."""
    number = len(_VN)
    return _passport(number, ARRESTED["vn.police"][number])


def shared() -> person_pb2.Persons:
    """Return a suspect of whom one agency tells others, and then has to take it back."""
    name = Name("Contoh Rekaan", "Latn", "ms", "CONTOH REKAAN", _PASSPORT, "MY")
    person = _suspect("my.police", 0, name)
    return person_pb2.Persons(persons=[person])


def _name(name: Name) -> person_pb2.PersonName:
    return person_pb2.PersonName(
        kind=person_pb2.PERSON_NAME_KIND_FULL,
        texts=[
            common_pb2.NameText(text=name.text, script=name.script, language=name.language),
            common_pb2.NameText(
                text=name.roman, script="Latn", language=name.language, romanisation=name.scheme
            ),
        ],
    )


def suspect_id(agency: str, number: int) -> str:
    """Return the record id of an agency's suspect."""
    return record_id("suspect", agency, number)


def fingerprints(agency: str, count: int) -> person_pb2.Persons:
    """Return that fingerprints of the first ``count`` suspects exist, and where they are held."""
    return person_pb2.Persons(
        persons=[
            person_pb2.Person(
                record_id=suspect_id(agency, number),
                category=common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
                names=[_name(name)],
                biometrics=[
                    person_pb2.Biometric(
                        kind=person_pb2.BIOMETRIC_KIND_FINGERPRINTS,
                        evidence=common_pb2.RecordReference(
                            record_id=record_id("prints", agency, number)
                        ),
                        capture_date="2026-02-03",
                    )
                ],
            )
            for number, name in enumerate(ARRESTED[agency][:count])
        ]
    )


def health_notes(agency: str) -> person_pb2.Persons:
    """Return what those who hold the first suspect must know of their health."""
    name = ARRESTED[agency][0]
    return person_pb2.Persons(
        persons=[
            person_pb2.Person(
                record_id=suspect_id(agency, 0),
                category=common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
                names=[_name(name)],
                health=[
                    person_pb2.HealthNote(
                        kind=person_pb2.HEALTH_NOTE_KIND_MEDICATION, text="Takes insulin."
                    )
                ],
            )
        ]
    )
