"""A charge item made in a minute: what it becomes in the price book, when it ends, how a price is switched by date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from cloud.charges import announcing, making
from cloud.charges.making import DepositCall, Price, Switch, Words
from cloud.charges.rules import ChargeKind
from cloud.charges.values import Coverage, Group
from cloud.deposits import service as deposits
from cloud.deposits.rules import DepositKind
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.rating.service import rate_period
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis, FundClass, Nature
from common.civil import Period
from common.errors import FaultsError, RefusalError
from common.ids import ChargeItemId, PremisesId
from tests.cloud.charges.street import MARCH, Street

APRIL = Period(date(2026, 4, 1), date(2026, 5, 1))
LATE = {
    "format": "gatehouse-tariff/1",
    "code": "late",
    "name": {"zh": "违约金", "en": "late charge"},
    "late_charge": {"rate_per_day": "0.0005", "grace_days": 10, "cap_share": "1"},
}


async def rated(street: Street, period: Period) -> dict[PremisesId, int]:
    street.clock.advance(minutes=1)
    async with street.database.view(street.tenant) as session:
        outcome = await rate_period(session, community_id=street.community, period=period, known_at=street.clock.now())
    assert outcome.exceptions == ()
    return {item.premises_id: item.line.amount_fen for item in outcome.items}


async def test_an_amount_a_month_is_charged_from_its_first_day_to_its_last(street: Street) -> None:
    await street.make(
        street.charge(
            "waste",
            basis=ChargeBasis.FLAT,
            price=Price(amount_yuan="31.00"),
            starts=date(2026, 3, 1),
            ends=date(2026, 4, 11),
        )
    )
    assert set((await rated(street, MARCH)).values()) == {3_100}
    assert set((await rated(street, APRIL)).values()) == {1_033}
    assert await rated(street, Period(date(2026, 5, 1), date(2026, 6, 1))) == {}
    assert await rated(street, Period(date(2026, 2, 1), date(2026, 3, 1))) == {}


async def test_a_charge_is_for_its_building_and_the_members_of_its_group(street: Street) -> None:
    async with street.database.unit(street.tenant, street.actor) as unit:
        group = Group(code="lift", name="电梯", premises=frozenset({street.flats[4][0]}))
        await announcing.set_group(unit, street.community, group)
    house = Target(kind=TargetKind.BUILDING, key=str(street.houses[0]))
    await street.make(
        street.charge(
            "lift",
            basis=ChargeBasis.AREA,
            price=Price(amount_yuan="0.50"),
            coverage=Coverage(targets=(house,), groups=("lift",)),
        )
    )
    assert set(await rated(street, MARCH)) == {street.flats[n][0] for n in (0, 1, 2, 4)}


@pytest.mark.parametrize(
    ("kind", "nature", "fund", "late"),
    [
        (ChargeKind.SERVICE, Nature.REVENUE, FundClass.OPERATING, True),
        (ChargeKind.AGENCY, Nature.AGENCY, FundClass.OPERATING, False),
        (ChargeKind.MAINTENANCE, Nature.LIABILITY, FundClass.MAINTENANCE, False),
        (ChargeKind.COMMON_INCOME, Nature.REVENUE, FundClass.COMMON_INCOME, False),
        (ChargeKind.DEPOSIT, Nature.LIABILITY, FundClass.DEPOSIT, False),
    ],
)
async def test_the_kind_of_a_charge_says_whose_money_it_is(
    street: Street, kind: ChargeKind, nature: Nature, fund: FundClass, *, late: bool
) -> None:
    item = await street.make(street.charge(kind=kind))
    assert (item.nature, item.fund_class, item.bears_late_charge) == (nature, fund, late)


async def test_a_holiday_price_holds_on_its_days_and_the_former_one_after_them(street: Street) -> None:
    item = await street.monthly("hall", "31.00")
    wish = Switch(
        community_id=street.community,
        charge_item_id=item.charge_item_id,
        price=Price(amount_yuan="62.00"),
        days=Period(date(2026, 3, 11), date(2026, 3, 21)),
        name_zh="春节",
        name_en="festival",
        words=Words(text_zh="春节期间加倍", text_en="double during the festival"),
    )
    async with street.database.unit(street.tenant, street.actor) as unit:
        await making.switch(unit, wish)
    assert set((await rated(street, APRIL)).values()) == {3_100}
    street.clock.advance(minutes=1)
    async with street.database.view(street.tenant) as session:
        outcome = await rate_period(session, community_id=street.community, period=MARCH, known_at=street.clock.now())
        told = await announcing.announcements(session, [street.community])
    first = [item.line.amount_fen for item in outcome.items if item.premises_id == street.flats[0][0]]
    assert first == [1_000, 2_000, 1_100]
    assert [(one.title_en, one.holds_from) for one in told] == [("festival", date(2026, 3, 11))]
    with pytest.raises(ConflictError, match="begins inside"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await making.switch(unit, wish)


async def test_a_switch_where_nothing_held_before_ends_in_nothing(street: Street) -> None:
    item = await street.monthly("hall", "31.00")
    premises = street.flats[0][0]
    wish = Switch(
        community_id=street.community,
        charge_item_id=item.charge_item_id,
        price=Price(amount_yuan="62.00"),
        days=MARCH,
        coverage=Coverage(targets=(Target(kind=TargetKind.PREMISES, key=str(premises)),)),
        name_zh="活动",
        name_en="event",
    )
    async with street.database.unit(street.tenant, street.actor) as unit:
        await making.switch(unit, wish)
    assert (await rated(street, MARCH))[premises] == 6_200
    assert (await rated(street, APRIL))[premises] == 3_100


async def test_a_tariff_that_stands_prices_a_new_charge(street: Street) -> None:
    await street.monthly("fee", "31.00")
    await street.make(street.charge("second", basis=ChargeBasis.FLAT, price=Price(tariff_code="fee/2026-01-01")))
    async with street.database.view(street.tenant) as session:
        outcome = await rate_period(session, community_id=street.community, period=MARCH, known_at=street.clock.now())
    assert len(outcome.items) == 12
    with pytest.raises(NotFoundError, match="no tariff"):
        await street.make(street.charge("third", basis=ChargeBasis.FLAT, price=Price(tariff_code="nothing")))


async def test_a_late_charge_needs_a_tariff_of_lateness_and_nothing_else_takes_one(street: Street) -> None:
    late = street.charge("late", kind=ChargeKind.LATE, basis=ChargeBasis.LATE, price=Price(document=LATE))
    assert (await street.make(late)).basis is ChargeBasis.LATE
    wrong = [
        street.charge("b", basis=ChargeBasis.FLAT, price=Price(document=LATE)),
        replace(late, charge_item_id=ChargeItemId(UUID(int=7)), code="c", price=Price(amount_yuan="1.00")),
    ]
    for new in wrong:
        with pytest.raises(RefusalError):
            await street.make(new)


async def test_a_faulty_charge_leaves_nothing_behind(street: Street) -> None:
    broken = street.charge("fee", basis=ChargeBasis.FLAT, price=Price(document={**LATE, "late_charge": {"rate": "x"}}))
    with pytest.raises(FaultsError):
        await street.make(broken)
    await street.monthly("fee", "1.00")
    with pytest.raises(ConflictError, match="exists"):
        await street.monthly("fee", "1.00")
    async with street.database.view(street.tenant) as session:
        assert len(await tariffs.charge_items(session, street.community)) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"basis": ChargeBasis.FLAT}, "give a price"),
        ({"price": Price(amount_yuan="1.00")}, "give a price"),
        ({"basis": ChargeBasis.LATE, "price": Price(amount_yuan="1.00")}, "lateness"),
        ({"basis": ChargeBasis.METERED, "price": Price(amount_yuan="1.00")}, "what its meters count"),
        ({"ends": date(2026, 1, 1)}, "ends before it begins"),
    ],
)
def test_a_charge_that_cannot_be_is_refused_in_words(street: Street, changes: dict[str, object], says: str) -> None:
    with pytest.raises(RefusalError, match=says):
        street.charge(**changes)  # type: ignore[arg-type]


def test_a_price_is_said_in_one_way() -> None:
    with pytest.raises(RefusalError, match="one of them"):
        Price(amount_yuan="1.00", tariff_code="x")


async def test_a_deposit_is_called_from_each_household_once(street: Street) -> None:
    call = DepositCall(
        call_id=street.database.new_id(),
        community_id=street.community,
        legal_entity_id=street.entity,
        kind=DepositKind.CARD,
        amount_fen=5_000,
        purpose="门禁卡",
        coverage=Coverage(targets=(Target(kind=TargetKind.BUILDING, key=str(street.houses[1])),)),
    )
    for _ in range(2):
        async with street.database.unit(street.tenant, street.actor) as unit:
            assert await making.call_deposits(unit, call) == 3
    async with street.database.view(street.tenant) as session:
        opened = await deposits.deposits_in(session, street.community)
    assert [one.amount_fen for one in opened] == [5_000] * 3
    with pytest.raises(NotFoundError, match="no group"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await making.call_deposits(unit, replace(call, coverage=Coverage(groups=("x",))))
    nobody = Coverage(targets=(Target(kind=TargetKind.PREMISES_KIND, key="office"),))
    with pytest.raises(RefusalError, match="nobody is covered"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await making.call_deposits(unit, replace(call, coverage=nobody))
