"""Groups of premises and announcements."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from cloud.charges import announcing
from cloud.charges.events import Announced
from cloud.charges.values import Announcement, Group
from cloud.kit.errors import NotFoundError
from cloud.kit.events import Event
from common.errors import RefusalError
from common.ids import PremisesId
from tests.cloud.charges.street import Street


def notice(street: Street, **changes: object) -> Announcement:
    fields: dict[str, object] = {
        "announcement_id": street.database.new_id(),
        "community_id": street.community,
        "title_zh": "电价调整",
        "title_en": "new price",
        "text_zh": "四月起执行",
        "text_en": "from April",
        "holds_from": date(2026, 4, 1),
        "premises": None,
        "published_at": street.clock.now(),
    }
    return Announcement(**(fields | changes))  # type: ignore[arg-type]


async def test_a_resident_reads_what_concerns_his_premises_and_nothing_else(
    street: Street, published: list[Event]
) -> None:
    mine, other = street.flats[0][0], street.flats[1][0]
    async with street.database.unit(street.tenant, street.actor) as unit:
        await announcing.announce(unit, notice(street))
        await announcing.announce(unit, notice(street, title_en="mine", premises=frozenset({mine})))
        await announcing.announce(unit, notice(street, title_en="other", premises=frozenset({other})))
    async with street.database.view(street.tenant) as session:
        seen = await announcing.announcements(session, [street.community], {mine})
        everything = await announcing.announcements(session, [street.community])
    assert {one.title_en for one in seen} == {"new price", "mine"}
    assert len(everything) == 3
    assert [event.premises for event in published if isinstance(event, Announced)] == [None, (mine,), (other,)]


@pytest.mark.parametrize("changes", [{"text_zh": " "}, {"text_en": "x" * 2_001}])
async def test_an_announcement_says_something_in_both_languages(street: Street, changes: dict[str, object]) -> None:
    with pytest.raises(RefusalError, match="both languages"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await announcing.announce(unit, notice(street, **changes))


async def test_a_group_is_made_and_replaced_whole(street: Street) -> None:
    for flats in ((0, 1, 2), (2, 3)):
        members = frozenset(street.flats[n][0] for n in flats)
        async with street.database.unit(street.tenant, street.actor) as unit:
            await announcing.set_group(unit, street.community, Group(code="g", name=f"{len(flats)}", premises=members))
    async with street.database.view(street.tenant) as session:
        (group,) = await announcing.groups(session, street.community)
    assert (group.name, group.premises) == ("2", frozenset({street.flats[2][0], street.flats[3][0]}))


@pytest.mark.parametrize(
    ("members", "error"), [(frozenset(), RefusalError), (frozenset({PremisesId(UUID(int=9))}), NotFoundError)]
)
async def test_a_group_of_nobody_or_of_strangers_is_refused(
    street: Street, members: frozenset[PremisesId], error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await announcing.set_group(unit, street.community, Group(code="g", name="g", premises=members))
