"""Reminders of open bills: three days before the due day, on it, a week and a month after.

Each morning every community is looked through in chunks of accounts. A bill that is paid gets no reminder, nor one
about which a dispute is open, nor one that is paid by instalments while that agreement is kept; when it is broken,
the reminders of an overdue bill begin anew. A reminder is words alone: no door, no supply, no permit ever asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import covering
from cloud.billing import service as billing
from cloud.billing.documents import Account, OpenLine
from cloud.cases import service as cases
from cloud.cases.case import CaseKind
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.notices import repository, service
from cloud.notices.kinds import NoticeKind
from cloud.notices.rules import STEPS, step_on
from cloud.notices.service import Draft
from common.civil import civil_day
from common.ids import BillId
from common.money.amount import format_minor

CHUNK_ACCOUNTS = 500
_OVERDUE = timedelta(days=next(days for days, kind in STEPS.items() if kind is NoticeKind.OVERDUE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A bill of which its payer is to be reminded."""

    kind: NoticeKind
    account: Account
    bill_id: BillId
    number: str
    due: date
    open_fen: int
    agreement_id: UUID | None = None

    @property
    def key(self) -> str:
        """Return what makes this step of this bill be told once."""
        again = "" if self.agreement_id is None else f":{self.agreement_id}"
        return f"dunning:{self.bill_id}:{self.kind}{again}"


async def reminders(session: AsyncSession, accounts: Sequence[Account], today: date) -> tuple[Reminder, ...]:
    """Return of which bills the payers of some accounts are to be reminded today and have not been yet."""
    by_id = {account.account_id: account for account in accounts}
    agreed = await covering.covered(session, list(by_id))
    restarts = await _restarts(session, accounts)
    bills: dict[BillId, list[OpenLine]] = {}
    for line in await billing.open_lines_of(session, list(by_id)):
        if line.ref not in agreed and step_on(_counted_from(line, restarts), today) is not None:
            bills.setdefault(line.bill_id, []).append(line)
    open_cases = await cases.open_about(session, list(bills)) if bills else ()
    disputed = {case.object_id for case in open_cases if case.kind is CaseKind.DISPUTE}
    found = [
        Reminder(
            kind=kind,
            account=by_id[lines[0].account_id],
            bill_id=bill_id,
            number=lines[0].number,
            due=lines[0].due,
            open_fen=sum(line.open_fen for line in lines),
            agreement_id=restarts[bill_id][0] if bill_id in restarts else None,
        )
        for bill_id, lines in sorted(bills.items())
        if bill_id not in disputed and (kind := step_on(_counted_from(lines[0], restarts), today)) is not None
    ]
    taken = await repository.keys_taken(session, [one.key for one in found]) if found else set()
    return tuple(one for one in found if one.key not in taken)


def _counted_from(line: OpenLine, restarts: Mapping[BillId, tuple[UUID, date]]) -> date:
    return max(line.due, restarts[line.bill_id][1]) if line.bill_id in restarts else line.due


async def _restarts(session: AsyncSession, accounts: Sequence[Account]) -> dict[BillId, tuple[UUID, date]]:
    """Return the bills whose agreement was broken, with the day their steps count from: overdue on the day it broke."""
    broken = await covering.broken(session, [account.account_id for account in accounts])
    if not broken:
        return {}
    zone = (await estate.community(session, accounts[0].community_id)).zone
    return {bill_id: (agreement_id, civil_day(at, zone) - _OVERDUE) for bill_id, (agreement_id, at) in broken.items()}


async def remind(unit: Unit, reminder: Reminder) -> None:
    """Write a reminder."""
    facts = {
        "number": reminder.number,
        "amount": format_minor(reminder.open_fen),
        "due": reminder.due.isoformat(),
    }
    await service.write(
        unit,
        Draft(
            kind=reminder.kind,
            account=reminder.account,
            subject_id=reminder.bill_id,
            key=reminder.key,
            facts=facts,
        ),
    )
