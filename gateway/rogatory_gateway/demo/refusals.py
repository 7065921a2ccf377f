"""Messages that an agreement does not permit: each fails on another article or ground.

Where the decision says what would have been permitted, the sender changes just that and sends it
again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from google.protobuf.message import Message

from rogatory.client import Draft, handling, recipient
from rogatory.client.settings import SignerInRole
from rogatory.exchange.v1 import codes_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.demo import answers, cases, cast, content, persons
from rogatory_gateway.demo.acting import Result, now, result
from rogatory_gateway.demo.desk import Desk
from rogatory_gateway.demo.hosts import made_up
from rogatory_gateway.demo.outbox import Sent

Attempt = tuple[Draft, list[Message], list[SignerInRole]]
"""What to send: header, parts, signers."""

_QUOTA_TRIES = (400, 250)
"""Records in two parts: more than the payment provider's six hundred a day in any case."""


def _transfer(
    to: str, agreement: str, article: str, offences: tuple[str, ...] = ("0701",)
) -> Draft:
    return Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(to, agreement, article)],
        offences=offences,
        handling=handling(tlp=common_pb2.TLP_GREEN),
    )


def _because(desk: Desk, case: str = "DEMO-2026/001") -> Message:
    return content.context(
        desk.agency, "duty", case=case, justification="Links to a case of yours are likely."
    )


def partner_sends_suspects(desk: Desk) -> list[Attempt]:
    """A payment provider sends a suspect: persons are excluded from the partnership."""
    draft = _transfer(cast.COORDINATOR, cast.PARTNERSHIPS[cast.PAYLINE], "1.1")
    return [(draft, [_because(desk), persons.suspects("th.police")], desk.signers())]


def quota(desk: Desk) -> list[Attempt]:
    """A payment provider reports more hosts than a day's quota."""
    draft = _transfer(cast.COORDINATOR, cast.PARTNERSHIPS[cast.PAYLINE], "1.1")
    found = made_up(sum(_QUOTA_TRIES))
    first, second = found[: _QUOTA_TRIES[0]], found[_QUOTA_TRIES[0] :]
    parts: list[Message] = [content.indicators(part, now=now()) for part in (first, second)]
    return [(draft, parts, desk.signers())]


def biometrics_without_approval(desk: Desk) -> list[Attempt]:
    """Fingerprints under one officer's signature; then with the head's approval."""
    draft = _transfer("vn.police", cast.NEIGHBOURS, "Art. 4(2)")
    parts = [_because(desk), persons.fingerprints(desk.agency, 2)]
    return [(draft, parts, desk.signers("duty")), (draft, parts, desk.signers("duty", "head"))]


def no_case_reference(desk: Desk) -> list[Attempt]:
    """Suspects without the reference of a case; then with it."""
    draft = _transfer("kh.border", cast.NEIGHBOURS, "Art. 4(1)")
    suspects = persons.suspects(desk.agency)
    return [
        (draft, [_because(desk, case=""), suspects], desk.signers()),
        (draft, [_because(desk), suspects], desk.signers()),
    ]


def offence_outside(desk: Desk) -> list[Attempt]:
    """Suspects of burglary, which the agreement is not about."""
    draft = _transfer("vn.police", cast.BILATERAL, "II.1", offences=("0501",))
    return [(draft, [_because(desk), persons.suspects(desk.agency)], desk.signers())]


def no_dual_criminality(desk: Desk) -> list[Attempt]:
    """Suspects of corruption, for which the other side named no provision."""
    draft = _transfer("vn.police", cast.BILATERAL, "II.1", offences=("0703",))
    return [(draft, [_because(desk), persons.suspects(desk.agency)], desk.signers())]


def no_agreement(desk: Desk) -> list[Attempt]:
    """Indicators under an agreement that has ended."""
    draft = _transfer("kr.police", cast.ENDED, "Art. 1")
    return [(draft, [content.indicators(made_up(20), now=now())], desk.signers())]


def no_such_article(desk: Desk) -> list[Attempt]:
    """Indicators under an article that the agreement does not have."""
    draft = _transfer(cast.COORDINATOR, cast.JOINT, "Art. 12")
    return [(draft, [content.indicators(made_up(20), now=now())], desk.signers())]


def evidence_for_court(desk: Desk) -> list[Attempt]:
    """Evidence with leave to use it in court at will; then only with consent."""
    draft = _transfer(cast.COORDINATOR, cast.JOINT, "Art. 6")
    free = handling(tlp=common_pb2.TLP_GREEN, evidential_use=codes_pb2.EVIDENTIAL_USE_ALLOWED)
    parts = [_because(desk), content.servers(desk.agency, now=now())]
    return [
        (replace(draft, handling=free), parts, desk.signers()),
        (draft, parts, desk.signers()),
    ]


def outside_its_terms(desk: Desk) -> list[Attempt]:
    """A security firm sends accounts within the operation: it joined with indicators alone."""
    draft = _transfer(cast.COORDINATOR, cast.PARTNERSHIPS[cast.NORTHWALL], "1.1")
    draft = replace(draft, operation=desk.operation)
    return [(draft, [content.accounts(1)], desk.signers())]


def answer_after_withdrawal(desk: Desk) -> list[Attempt]:
    """An agency answers a request that was withdrawn."""
    name = next(name for name, case in cases.CASES.items() if "withdraw" in case.script)
    request, form = desk.memory.casework.forms[cases.form_id(name)]
    said, answer = answers.step(name, "execute", request, form)
    draft = answers.draft(
        request,
        said,
        to=cases.CASES[name].asking,
        basis=(cast.JOINT, "Art. 8(4)"),
        operation=desk.operation,
    )
    return [(draft, [answer], desk.signers("duty"))]


_TRIES: dict[str, tuple[str, Callable[[Desk], list[Attempt]]]] = {
    maker.__name__: (agency, maker)
    for agency, maker in (
        (cast.PAYLINE, partner_sends_suspects),
        (cast.PAYLINE, quota),
        ("th.police", biometrics_without_approval),
        ("th.police", no_case_reference),
        ("lk.police", offence_outside),
        ("lk.police", no_dual_criminality),
        ("jp.police", no_agreement),
        ("my.police", no_such_article),
        ("sg.police", evidence_for_court),
        (cast.NORTHWALL, outside_its_terms),
        ("id.police", answer_after_withdrawal),
    )
}

WHO_TRIES = {name: agency for name, (agency, _) in _TRIES.items()}
"""Which agency tries what."""


async def try_it(desk: Desk, order: Result) -> Result:
    """Send what is not permitted, and once more, changed, where the decision says how."""
    first, *again = _TRIES[order["what"]][1](desk)
    refused = await _send(desk, first)
    later = [await _send(desk, attempt) for attempt in again]
    told = result(refused, *later)
    for row in told["refusals"]:
        row["permitted_then"] = bool(later) and not later[-1].refusals
    return told


async def _send(desk: Desk, attempt: Attempt) -> Sent:
    draft, parts, signers = attempt
    return await desk.send(desk.build(draft, *parts, signers=signers))
