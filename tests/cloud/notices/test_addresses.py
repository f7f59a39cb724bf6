"""Addresses of people: checked, sealed, shown only masked, and forgotten when nobody wants them any more."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from cloud.notices import addresses
from cloud.notices.kinds import Way
from common.errors import RefusalError
from tests.cloud.notices.conftest import Herald


@pytest.mark.parametrize(
    ("way", "said", "plain", "shown"),
    [
        (Way.SMS, "+86 138-0013-8000", "13800138000", "138****8000"),
        (Way.MAIL, " li.si@example.com ", "li.si@example.com", "l***@example.com"),
        (Way.WECHAT, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "oUp***"),
    ],
)
def test_an_address_has_one_plain_form_and_a_masked_one(way: Way, said: str, plain: str, shown: str) -> None:
    assert addresses.checked(way, said) == plain
    assert addresses.shown(way, plain) == shown


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (Way.SMS, "010-88886666"),
        (Way.SMS, "1380013800"),
        (Way.MAIL, "li@"),
        (Way.MAIL, "li@example.com\nBcc: all@example.com"),
        (Way.WECHAT, "李四"),
        (Way.SMS, ""),
    ],
)
def test_what_is_no_address_of_the_way_is_refused(way: Way, said: str) -> None:
    with pytest.raises(RefusalError):
        addresses.checked(way, said)


async def test_an_address_is_sealed_at_rest_and_forgotten_on_wish(herald: Herald) -> None:
    counter = herald.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await addresses.set_address(unit, herald.box, herald.party, Way.MAIL, "li@example.com")
        await addresses.set_address(unit, herald.box, herald.party, Way.SMS, "13800138000")
    async with counter.database.view(counter.tenant) as session:
        found = await addresses.address_of(session, herald.party)
        kept = await session.scalar(text("select address_sealed from notice_address"))
    assert found is not None
    assert (found.way, found.shown) == (Way.SMS, "138****8000")
    assert b"13800138000" not in kept
    assert addresses.opened(herald.box, counter.tenant, herald.party, found.sealed) == "13800138000"
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await addresses.set_address(unit, herald.box, herald.party, None, "")
        assert await addresses.address_of(unit.session, herald.party) is None
