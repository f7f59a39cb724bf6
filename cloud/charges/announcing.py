"""Groups of premises, and what residents are told before it holds."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.charges import repository
from cloud.charges.events import Announced
from cloud.charges.tables import AnnouncementRow, PremisesGroupMemberRow, PremisesGroupRow
from cloud.charges.values import Announcement, Group
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import CommunityId, PremisesId

TEXT_LENGTH_MAX = 2_000
MEMBERS_MAX = 5_000
ANNOUNCEMENTS_MAX = 200


async def set_group(unit: Unit, community_id: CommunityId, group: Group) -> None:
    """Make a group, or replace its name and members.

    Raises:
        RefusalError: it has too many members, or none.
        NotFoundError: some are no premises of the community.
    """
    if not 0 < len(group.premises) <= MEMBERS_MAX:
        raise RefusalError(f"a group has 1 to {MEMBERS_MAX} premises")
    community = await estate.community(unit.session, community_id)
    places = await estate.premises_in(unit.session, community_id, day=civil_day(unit.now, community.zone))
    if not group.premises <= {one.id for one in places}:
        raise NotFoundError("some of these are no premises of the community")
    known = await repository.group(unit.session, community_id, group.code)
    key = {"tenant_id": unit.tenant, "community_id": community_id, "code": group.code}
    if known is None:
        unit.session.add(PremisesGroupRow(**key, name=group.name, recorded_at=unit.now))
    else:
        known.name = group.name
        await repository.forget_members(unit.session, community_id, group.code)
    await unit.session.flush()
    unit.session.add_all(PremisesGroupMemberRow(**key, premises_id=one) for one in sorted(group.premises))
    unit.record("set", "premises_group", community_id, after={"code": group.code, "premises": len(group.premises)})


async def groups(session: AsyncSession, community_id: CommunityId) -> tuple[Group, ...]:
    """Return the groups of a community by code."""
    members: dict[str, set[PremisesId]] = {}
    for code, premises_id in await repository.members(session, community_id):
        members.setdefault(code, set()).add(PremisesId(premises_id))
    return tuple(
        Group(code=row.code, name=row.name, premises=frozenset(members.get(row.code, ())))
        for row in await repository.groups(session, community_id)
    )


async def announce(unit: Unit, announcement: Announcement) -> None:
    """Publish an announcement; the same id again changes nothing.

    Raises:
        RefusalError: it says nothing, or too much.
    """
    for text in (announcement.text_zh, announcement.text_en):
        if not 0 < len(text.strip()) <= TEXT_LENGTH_MAX:
            raise RefusalError(
                f"an announcement says something in both languages, in at most {TEXT_LENGTH_MAX} letters"
            )
    premises = None if announcement.premises is None else sorted(announcement.premises)
    unit.session.add(
        AnnouncementRow(
            tenant_id=unit.tenant,
            community_id=announcement.community_id,
            announcement_id=announcement.announcement_id,
            title_zh=announcement.title_zh,
            title_en=announcement.title_en,
            text_zh=announcement.text_zh,
            text_en=announcement.text_en,
            holds_from=announcement.holds_from,
            premises=None if premises is None else [str(one) for one in premises],
            published_at=unit.now,
            published_by=unit.actor.id,
        )
    )
    await unit.session.flush()
    after = {"holds_from": announcement.holds_from.isoformat(), "title": announcement.title_en}
    unit.record("announced", "announcement", announcement.announcement_id, after=after)
    unit.publish(
        Announced(
            announcement_id=announcement.announcement_id,
            community_id=announcement.community_id,
            holds_from=announcement.holds_from,
            premises=None if premises is None else tuple(premises),
        )
    )


async def announcements(
    session: AsyncSession, community_ids: Collection[CommunityId], premises: Collection[PremisesId] | None = None
) -> tuple[Announcement, ...]:
    """Return what was announced in some communities, the newest first; with premises, only what concerns them."""
    found = [_announcement(row) for row in await repository.announcements(session, community_ids, ANNOUNCEMENTS_MAX)]
    if premises is None:
        return tuple(found)
    return tuple(one for one in found if one.premises is None or one.premises.intersection(premises))


def _announcement(row: AnnouncementRow) -> Announcement:
    return Announcement(
        announcement_id=row.announcement_id,
        community_id=row.community_id,
        title_zh=row.title_zh,
        title_en=row.title_en,
        text_zh=row.text_zh,
        text_en=row.text_en,
        holds_from=row.holds_from,
        premises=None if row.premises is None else frozenset(PremisesId(UUID(one)) for one in row.premises),
        published_at=row.published_at,
    )
