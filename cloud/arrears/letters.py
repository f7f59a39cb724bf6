"""Letters of arrears: what an account owes past its due day to one legal person, as it stood on the day of the letter.

A letter is made once a day for an account and legal person and never changed; what is disputed or agreed to be paid by
instalments stays out of it. It names the address at which its oldest bill is paid, and it threatens nothing: no supply
and no way home hang on a debt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import covering, repository
from cloud.arrears.tables import ArrearsLetterRow
from cloud.billing import service as billing
from cloud.billing.documents import OpenLine
from cloud.cases import service as cases
from cloud.cases.case import CaseKind
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.payments import links
from common.civil import Period, civil_day
from common.ids import AccountId, BillId, LegalEntityId


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedLine:
    """A bill line that was open past its due day."""

    bill_id: BillId
    n: int
    number: str
    name_zh: str
    name_en: str
    period: Period
    due: date
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrearsLetter:
    """A letter as it was made; `pay_token` ends the address at which its oldest bill is paid."""

    letter_id: UUID
    account_id: AccountId
    legal_entity_id: LegalEntityId
    made_on: date
    pay_token: str = field(repr=False)
    total_fen: int
    lines: tuple[OwedLine, ...]


async def make(unit: Unit, account_id: AccountId, random_bytes: Callable[[int], bytes]) -> tuple[ArrearsLetter, ...]:
    """Make today's letters of an account, one for each legal person it owes; those made today before are the same.

    Raises:
        NotFoundError: there is no such account.
        ConflictError: nothing is overdue, or all of it is disputed.
    """
    account = await billing.account(unit.session, account_id)
    community = await estate.community(unit.session, account.community_id)
    today = civil_day(unit.now, community.zone)
    made = {row.legal_entity_id: row for row in await repository.letters_on(unit.session, account_id, today)}
    for entity, lines in (await overdue(unit.session, account_id, today)).items():
        if entity in made:
            continue
        row = ArrearsLetterRow(
            tenant_id=unit.tenant,
            community_id=account.community_id,
            letter_id=unit.new_id(),
            account_id=account_id,
            legal_entity_id=entity,
            made_on=today,
            made_at=unit.now,
            pay_token=await links.link_for(unit, lines[0].bill_id, random_bytes),
            total_fen=sum(line.open_fen for line in lines),
            lines=[_plain(line) for line in lines],
        )
        unit.session.add(row)
        unit.record("made", "arrears_letter", row.letter_id, after={"total_fen": row.total_fen})
        made[entity] = row
    if not made:
        raise ConflictError("nothing of this account is overdue and undisputed; there is nothing to write about")
    return tuple(_letter(made[entity]) for entity in sorted(made))


async def letter(session: AsyncSession, letter_id: UUID) -> ArrearsLetter:
    """Return a letter.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.letter(session, letter_id)
    if row is None:
        raise NotFoundError("there is no such letter of arrears")
    return _letter(row)


async def overdue(session: AsyncSession, account_id: AccountId, today: date) -> dict[LegalEntityId, list[OpenLine]]:
    """Return what an account owes each legal person past its due day, undisputed and under no agreement."""
    lines = [line for line in await billing.open_lines(session, account_id) if line.due < today]
    bills = {line.bill_id for line in lines}
    open_cases = await cases.open_about(session, bills) if bills else ()
    disputed = {case.object_id for case in open_cases if case.kind is CaseKind.DISPUTE}
    agreed = await covering.covered(session, [account_id])
    found: dict[LegalEntityId, list[OpenLine]] = {}
    for line in sorted(lines, key=lambda one: (one.due, one.number, one.n)):
        if line.bill_id not in disputed and line.ref not in agreed:
            found.setdefault(line.legal_entity_id, []).append(line)
    return found


def _plain(line: OpenLine) -> list[str | int]:
    days = [line.period.start.isoformat(), line.period.end.isoformat(), line.due.isoformat()]
    return [str(line.bill_id), line.n, line.number, line.name_zh, line.name_en, *days, line.open_fen]


def _letter(row: ArrearsLetterRow) -> ArrearsLetter:
    lines = tuple(
        OwedLine(
            bill_id=BillId(UUID(bill_id)),
            n=n,
            number=number,
            name_zh=name_zh,
            name_en=name_en,
            period=Period(date.fromisoformat(start), date.fromisoformat(end)),
            due=date.fromisoformat(due),
            fen=fen,
        )
        for bill_id, n, number, name_zh, name_en, start, end, due, fen in row.lines
    )
    return ArrearsLetter(
        letter_id=row.letter_id,
        account_id=AccountId(row.account_id),
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        made_on=row.made_on,
        pay_token=row.pay_token,
        total_fen=row.total_fen,
        lines=lines,
    )
