"""Moving out in one step: the last bill, the deposit, the statement; all or nothing, once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.billing import service as billing
from cloud.billing.errors import PreviewChangedError
from cloud.billing.finals import UnratedError
from cloud.billing.lines import BillKind
from cloud.charges.making import Price
from cloud.charges.values import Sharing
from cloud.deposits import service as deposits
from cloud.deposits.rules import ConditionKind, DepositKind
from cloud.deposits.values import Condition, NewDeposit
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind, Role
from cloud.fleet import service as fleet
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger.accounts import Book
from cloud.ledger.auditing import audit
from cloud.metering.corrections import Correction, revise_reading
from cloud.payments import desk
from cloud.rating.service import rate_period
from cloud.settlement import service
from cloud.settlement.values import FinalReading, MoveOut, Statement
from cloud.tariffs.charge import ChargeBasis, FundClass
from common.civil import Period, midnight
from common.ids import AccountId, MeterId, PartyId, PaymentId, PremisesId, TenantId
from common.reading.reading import Quantity, Resource
from tests.cloud.charges.street import START, Street, build_street
from tests.support.clock import SettableClock

GONE = date(2026, 3, 11)
ELECTRICITY = {
    "format": "gatehouse-tariff/1",
    "code": "power",
    "name": {"zh": "电费", "en": "power"},
    "unit": "kWh",
    "charges": [{"key": "energy", "price": "0.50"}],
}


class House:
    """A let flat with a meter, an amount a month, and a lease deposit in words."""

    def __init__(self, street: Street, tenant_party: PartyId, meter: MeterId, account: AccountId) -> None:
        self.street = street
        self.lodger = tenant_party
        self.meter = meter
        self.account = account

    @property
    def premises(self) -> PremisesId:
        return self.street.flats[0][0]

    def wish(self, **changes: object) -> MoveOut:
        fields: dict[str, object] = {
            "settlement_id": UUID(int=0x5E7),
            "account_id": self.account,
            "gone_on": GONE,
            "readings": (FinalReading(meter_id=self.meter, value_milli=1_150_000),),
        }
        return MoveOut(**(fields | changes))  # type: ignore[arg-type]

    async def seen(self, wish: MoveOut) -> Statement:
        street = self.street
        return await service.preview(street.database, street.tenant, street.actor, rate_period, wish)

    async def settle(self, wish: MoveOut, sha: bytes) -> Statement:
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            return await service.settle(unit, rate_period, wish, preview_sha=sha)


@pytest_asyncio.fixture
async def house(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> House:
    street = await build_street(database, tenant, actor, clock)
    await street.monthly("fee", "310.00")
    power = street.charge(
        "power", basis=ChargeBasis.METERED, resource=Resource.ELECTRICITY, price=Price(document=ELECTRICITY)
    )
    await street.make(power)
    premises = street.flats[0][0]
    async with database.unit(tenant, actor) as unit:
        lodger = await estate.add_party(unit, kind=PartyKind.PERSON, name="租客")
        await estate.relate(unit, party_id=lodger, premises_id=premises, role=Role.PAYER, starts=date(2026, 2, 1))
        meter = await fleet.add_meter(unit, serial="E1", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(
            unit, meter_id=meter, community_id=street.community, premises_id=premises, start=START
        )
        first = Correction(
            community_id=street.community,
            meter_id=meter,
            quantity=Quantity.ENERGY_FORWARD,
            read_at=midnight(date(2026, 3, 1), (await estate.community(unit.session, street.community)).zone),
            value_milli=1_000_000,
            reason="hand",
        )
        await revise_reading(unit, first)
        period = Period(date(2026, 3, 1), date(2026, 4, 1))
        await billing.create_period(unit, street.community, period=period, due_on=date(2026, 4, 15))
        (account,) = await billing.open_accounts(unit, street.community, {(premises, lodger)})
    clock.set(datetime(2026, 3, 11, 4, tzinfo=UTC))
    return House(street, lodger, meter, account.account_id)


async def test_moving_out_bills_the_last_days_by_the_dial_and_ends_the_relation(house: House) -> None:
    seen = await house.seen(house.wish())
    assert (seen.final_fen, seen.owed_fen, seen.still_owed_fen) == (10_000 + 7_500, 17_500, 17_500)
    async with house.street.database.view(house.street.tenant) as session:
        assert await billing.bills_of(session, [house.account]) == ()
    done = await house.settle(house.wish(), seen.sha)
    assert done.final_number == "STREET-F2026-000001"
    async with house.street.database.view(house.street.tenant) as session:
        (bill,) = await billing.bills_of(session, [house.account])
        relations = await estate.relations_of(session, house.premises)
        assert (await audit(session, house.street.community)).breaches == ()
        assert (await service.settlement(session, UUID(int=0x5E7)))[1] == done
    assert (bill.kind, bill.total_fen) == (BillKind.FINAL, 17_500)
    assert [one.ends for one in relations if one.party_id == house.lodger] == [GONE]
    assert await house.settle(house.wish(), seen.sha) == done


async def test_the_deposit_pays_what_is_owed_and_the_rest_goes_back(house: House) -> None:
    deposit_id = house.street.database.new_id()
    await hold_deposit(house, deposit_id, 50_000)
    seen = await house.seen(house.wish())
    assert (seen.deposit_fen, seen.from_deposit_fen, seen.refund_fen, seen.still_owed_fen) == (
        50_000,
        17_500,
        32_500,
        0,
    )
    await house.settle(house.wish(), seen.sha)
    async with house.street.database.view(house.street.tenant) as session:
        held = await deposits.deposit(session, deposit_id)
    assert sorted(one.amount_fen for one in held.deductions) == [7_500, 10_000]
    assert [one.kind for one in held.conditions if one.met_at is not None] == [ConditionKind.LEASE_ENDED]


async def hold_deposit(house: House, deposit_id: UUID, fen: int) -> None:
    """Open a lease deposit and bring it in cash."""
    street = house.street
    async with street.database.unit(street.tenant, street.actor) as unit:
        new = NewDeposit(
            deposit_id=deposit_id,
            account_id=house.account,
            legal_entity_id=street.entity,
            kind=DepositKind.LEASE,
            amount_fen=fen,
            purpose="租赁押金",
            conditions=(Condition(kind=ConditionKind.LEASE_ENDED), Condition(kind=ConditionKind.INSPECTION_PASSED)),
        )
        await deposits.open_deposit(unit, new)
        book = Book(community_id=street.community, legal_entity_id=street.entity, fund_class=FundClass.DEPOSIT)
        box = await desk.add_cash_box(unit, book, "押金箱")
        shift = await desk.open_shift(unit, box, opening_fen=0)
        payment = PaymentId(unit.new_id())
        await deposits.take_cash(unit, deposit_id, shift.cash_shift_id, payment_id=payment, tendered_fen=fen)


async def test_what_was_seen_is_what_is_settled_or_nothing(house: House) -> None:
    seen = await house.seen(house.wish())
    other = house.wish(readings=(FinalReading(meter_id=house.meter, value_milli=1_200_000),))
    with pytest.raises(PreviewChangedError):
        await house.settle(other, seen.sha)
    async with house.street.database.view(house.street.tenant) as session:
        assert await billing.bills_of(session, [house.account]) == ()


async def test_a_missing_final_reading_stops_the_settlement_and_is_said(house: House) -> None:
    with pytest.raises(UnratedError, match="cannot be billed yet"):
        await house.seen(house.wish(readings=()))


async def test_older_debt_stands_on_the_statement(house: House) -> None:
    street = house.street
    item = await street.make(street.charge())
    bills = await street.issue(street.one_off(item, 600, Sharing.EACH))
    assert len(bills) == 6
    seen = await house.seen(house.wish())
    assert (seen.owed_fen, len(seen.owed)) == (17_500 + 600, 3)


async def test_an_owner_leaves_by_handing_over(house: House) -> None:
    account = await house.street.account(1)
    with pytest.raises(ConflictError, match="handing the premises over"):
        await house.seen(house.wish(account_id=account, readings=()))


async def test_a_period_that_was_never_run_is_run_first(house: House) -> None:
    with pytest.raises(ConflictError, match="still to be billed"):
        await house.seen(house.wish(gone_on=date(2026, 4, 11), readings=()))


async def test_a_meter_of_somebody_else_is_not_read(house: House) -> None:
    wish = house.wish(readings=(FinalReading(meter_id=MeterId(UUID(int=4)), value_milli=1),))
    with pytest.raises(NotFoundError, match="no such meter"):
        await house.seen(wish)
