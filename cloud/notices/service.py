"""Writing notices and telling them: once each, in the party's language, outside its quiet hours.

A notice is written in the unit that decided it and told by a job at its time. A reminder whose reason is gone by
then, because the bill was paid or is disputed, is dropped and not told. What is told goes through the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import covering
from cloud.billing import service as billing
from cloud.billing.documents import Account
from cloud.cases import service as cases
from cloud.cases.case import CaseKind
from cloud.estate import service as estate
from cloud.kit import outbox
from cloud.kit.db import Unit
from cloud.kit.jobs import NewJob
from cloud.kit.outbox import Message
from cloud.notices import deliveries, repository
from cloud.notices.kinds import DUNNING, INBOX, Language, NoticeKind, NoticeState
from cloud.notices.rules import QUIET, QuietHours, told_at
from cloud.notices.tables import NoticeRow
from cloud.notices.words import text_of
from common.civil import civil_day
from common.ids import AccountId, CommunityId, PartyId

TELL = "notices.tell"
LIST_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How somebody wants to be told."""

    language: Language = Language.ZH
    quiet: QuietHours = QUIET


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as its reader sees it."""

    notice_id: UUID
    kind: NoticeKind
    subject_id: UUID
    title: str
    body: str
    language: Language
    channel: str
    state: NoticeState
    written_at: datetime
    tell_at: datetime
    told_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be told to the party of an account; `key` makes it be told once."""

    kind: NoticeKind
    account: Account
    subject_id: UUID
    key: str
    facts: Mapping[str, str]


async def write(unit: Unit, draft: Draft) -> bool:
    """Write a notice and plan its telling; return False when it was written before."""
    account = draft.account
    wish = await wish_of(unit.session, account.party_id)
    community = await estate.community(unit.session, account.community_id)
    premises = await estate.premises(unit.session, account.premises_id, day=civil_day(unit.now, community.zone))
    facts = {**draft.facts, "place": f"{community.name} {premises.label}"}
    title, body = text_of(draft.kind, wish.language, facts)
    notice_id, tell_at = unit.new_id(), told_at(unit.now, community.zone, wish.quiet)
    fresh = await repository.add_notice(
        unit.session,
        {
            "tenant_id": unit.tenant,
            "community_id": account.community_id,
            "notice_id": notice_id,
            "account_id": account.account_id,
            "party_id": account.party_id,
            "kind": draft.kind,
            "subject_id": draft.subject_id,
            "key": draft.key,
            "language": wish.language,
            "title": title,
            "body": body,
            "channel": INBOX,
            "state": NoticeState.WRITTEN,
            "written_at": unit.now,
            "tell_at": tell_at,
            "facts": facts,
        },
    )
    unit.record("wrote" if fresh else "had written", "notice", draft.subject_id, after={"kind": draft.kind.value})
    if fresh:
        job = NewJob(kind=TELL, key=f"{TELL}:{notice_id}", payload={"notice_id": str(notice_id)}, run_at=tell_at)
        unit.enqueue(job)
    return fresh


async def tell(unit: Unit, notice_id: UUID) -> NoticeState:
    """Tell a notice, or drop a reminder whose reason is gone; one that was told stays told."""
    row = await repository.notice(unit.session, notice_id, lock=True)
    if row is None or row.state is not NoticeState.WRITTEN:
        return NoticeState.DROPPED if row is None else row.state
    if not await still_due(unit.session, row):
        row.state = NoticeState.DROPPED
    else:
        row.state, row.told_at = NoticeState.TOLD, unit.now
        way = await deliveries.plan(unit, row)
        row.channel = INBOX if way is None else way.value
        payload = {"notice_id": str(notice_id), "tenant_id": str(unit.tenant)}
        await outbox.post(unit, Message(channel=row.channel, key=f"notice:{notice_id}", payload=payload))
    unit.record(row.state.value, "notice", notice_id)
    return row.state


async def notices_of(session: AsyncSession, party_id: PartyId) -> tuple[Notice, ...]:
    """Return what a party was told, the newest first."""
    rows = await repository.notices_of(session, party_id, LIST_MAX)
    return tuple(_notice(row) for row in rows if row.state is NoticeState.TOLD)


async def notices_in(
    session: AsyncSession, community_id: CommunityId, *, limit: int = LIST_MAX, offset: int = 0
) -> tuple[Notice, ...]:
    """Return the notices of a community, the newest first, with those that wait and those that were dropped."""
    return tuple(_notice(row) for row in await repository.notices_in(session, community_id, limit, offset))


async def wish_of(session: AsyncSession, party_id: PartyId) -> Wish:
    """Return how a party wants to be told; who said nothing is told in Chinese, not between 21:00 and 08:00."""
    row = await repository.wish_of(session, party_id)
    if row is None:
        return Wish()
    return Wish(language=row.language, quiet=QuietHours(starts=row.quiet_from, ends=row.quiet_to))


async def set_wish(unit: Unit, party_id: PartyId, wish: Wish) -> None:
    """Keep how a party wants to be told from now on."""
    values = {
        "tenant_id": unit.tenant,
        "party_id": party_id,
        "language": wish.language,
        "quiet_from": wish.quiet.starts,
        "quiet_to": wish.quiet.ends,
        "changed_at": unit.now,
    }
    await repository.set_wish(unit.session, values)
    unit.record("wished", "notice_wish", party_id, after={"language": wish.language.value})


async def still_due(session: AsyncSession, row: NoticeRow) -> bool:
    """Return whether there is still reason to tell it: a reminded bill is open, undisputed and under no agreement."""
    if row.kind not in DUNNING:
        return True
    lines = await billing.open_lines(session, AccountId(row.account_id))
    agreed = await covering.covered(session, [AccountId(row.account_id)])
    if not any(line.bill_id == row.subject_id and line.ref not in agreed for line in lines):
        return False
    return not any(case.kind is CaseKind.DISPUTE for case in await cases.open_about(session, [row.subject_id]))


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        notice_id=row.notice_id,
        kind=row.kind,
        subject_id=row.subject_id,
        title=row.title,
        body=row.body,
        language=row.language,
        channel=row.channel,
        state=row.state,
        written_at=row.written_at,
        tell_at=row.tell_at,
        told_at=row.told_at,
    )
