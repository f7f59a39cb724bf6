"""Tables taken in whole or not at all, and taken back whole or not at all."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.billing import service as billing
from cloud.billing.lines import BillKind
from cloud.charges.values import Sharing
from cloud.estate import service as estate
from cloud.estate.kinds import Fact
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.imports import service
from cloud.imports.columns import columns_of
from cloud.imports.kinds import ImportKind, ImportState
from cloud.imports.service import ImportPreview, ImportRun, Upload
from cloud.imports.sheets import csv_text
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError
from cloud.ledger import reports
from cloud.ledger.accounts import AccountType
from cloud.ledger.auditing import audit
from cloud.metering import service as metering
from cloud.metering.registers import RegisterQuestion
from cloud.tariffs import service as tariffs
from common.civil import Period
from common.errors import FaultsError
from common.ids import TenantId
from common.reading.reading import Quantity
from tests.cloud.charges.street import Street, build_street
from tests.support.clock import SettableClock

NEW_HOUSES = [
    {
        "楼栋": "9",
        "房号": f"9-1-{n}01",
        "类型": "住宅",
        "建筑面积": f"{80 + n}.5",
        "业主": f"新业主{n}",
        "起始日": "2026-01-01",
    }
    for n in range(1, 4)
]
METERS = [
    {"表号": "M1", "种类": "电", "启用日": "2026-01-01", "倍率": "40"},
    {"表号": "E1", "种类": "电", "房号": "1-1-101", "启用日": "2026-01-01", "总表表号": "M1"},
]
READINGS = [
    {"表号": "E1", "日期": "2026-01-01", "读数": "100.5"},
    {"表号": "E1", "日期": "2026-02-01", "读数": "150"},
]
BALANCES = [
    {"房号": "1-1-101", "收费项代码": "levy", "欠费金额": "350.20", "应缴日": "2026-01-15"},
    {"房号": "1-1-101", "收费项代码": "levy", "欠费金额": "10", "应缴日": "2026-01-20"},
    {"房号": "1-1-201", "收费项代码": "levy", "欠费金额": "-80", "应缴日": "2026-01-15"},
]


class Importer:
    def __init__(self, street: Street) -> None:
        self.street = street

    def upload(self, kind: ImportKind, rows: list[dict[str, str]]) -> Upload:
        content = csv_text(columns_of(kind), rows)
        return Upload(community_id=self.street.community, kind=kind, file_name="t.csv", content=content)

    async def seen(self, kind: ImportKind, rows: list[dict[str, str]]) -> ImportPreview:
        async with self.street.database.view(self.street.tenant) as session:
            return await service.preview(session, self.upload(kind, rows), self.street.clock.now())

    async def apply(self, kind: ImportKind, rows: list[dict[str, str]], import_id: UUID | None = None) -> ImportRun:
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            return await service.apply(unit, import_id or unit.new_id(), self.upload(kind, rows))

    async def undo(self, run: ImportRun) -> ImportRun:
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            return await service.undo(unit, run.import_id)

    async def labels(self) -> list[str]:
        async with self.street.database.view(self.street.tenant) as session:
            found = await estate.premises_in(session, self.street.community, day=date(2026, 3, 1))
        return [one.label for one in found]


@pytest_asyncio.fixture
async def importer(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Importer:
    street = await build_street(database, tenant, actor, clock)
    await street.make(street.charge())
    return Importer(street)


async def test_an_estate_is_taken_in_and_taken_back_without_a_trace(importer: Importer) -> None:
    before = await importer.labels()
    seen = await importer.seen(ImportKind.ESTATE, NEW_HOUSES)
    assert (seen.rows, seen.faults, dict(seen.counts)) == (3, (), {"premises": 3, "owners": 3, "buildings": 1})
    run = await importer.apply(ImportKind.ESTATE, NEW_HOUSES)
    async with importer.street.database.view(importer.street.tenant) as session:
        places = await estate.premises_in(session, importer.street.community, day=date(2026, 3, 1))
        spans = await estate.payers(session, importer.street.community, Period(date(2026, 3, 1), date(2026, 3, 2)))
    new = {one.label: one for one in places if one.label not in before}
    assert [new[row["房号"]].facts[Fact.AREA] for row in NEW_HOUSES] == [81_500, 82_500, 83_500]
    assert {one.id for one in new.values()} <= {span.premises_id for span in spans}
    assert (await importer.undo(run)).state is ImportState.UNDONE
    assert await importer.labels() == before
    async with importer.street.database.view(importer.street.tenant) as session:
        assert await estate.find_parties(session, name_part="新业主") == []
        assert len(await estate.buildings(session, importer.street.community)) == 2
    with pytest.raises(ConflictError, match="already"):
        await importer.undo(run)
    assert (await importer.apply(ImportKind.ESTATE, NEW_HOUSES)).state is ImportState.APPLIED


async def test_one_fault_anywhere_and_nothing_is_taken_in(importer: Importer) -> None:
    before = await importer.labels()
    rows = [*NEW_HOUSES, {**NEW_HOUSES[0], "房号": "1-1-101"}, NEW_HOUSES[1], {**NEW_HOUSES[0], "房号": ""}]
    with pytest.raises(FaultsError) as refused:
        await importer.apply(ImportKind.ESTATE, rows)
    said = [fault.where.split(",")[0][-5:] for fault in refused.value.faults]
    assert sorted(said) == ["row 5", "row 6", "row 7"]
    assert await importer.labels() == before


async def test_what_is_used_by_now_keeps_the_whole_import(importer: Importer) -> None:
    run = await importer.apply(ImportKind.ESTATE, NEW_HOUSES)
    street = importer.street
    async with street.database.view(street.tenant) as session:
        (item,) = await tariffs.charge_items(session, street.community)
    await street.issue(street.one_off(item, 100, Sharing.EACH))
    with pytest.raises(ConflictError, match="used by now"):
        await importer.undo(run)
    assert len(await importer.labels()) == 9


async def test_meters_and_their_readings_are_taken_in_and_back(importer: Importer) -> None:
    street = importer.street
    meters = await importer.apply(ImportKind.METERS, METERS)
    readings = await importer.apply(ImportKind.READINGS, READINGS)
    placed = await _meters(street)
    assert placed["E1"].parent_meter_id == placed["M1"].meter_id
    assert placed["M1"].multiplier_milli == 40_000
    assert await _dial(street, date(2026, 2, 1)) == 150_000
    await importer.undo(readings)
    assert await _dial(street, date(2026, 2, 1)) is None
    await importer.undo(meters)
    assert await _meters(street) == {}


async def _meters(street: Street) -> dict[str, InstalledMeter]:
    async with street.database.view(street.tenant) as session:
        days = Period(date(2026, 1, 1), date(2026, 4, 1))
        return {one.serial: one for one in await fleet.installed_meters(session, street.community, days)}


async def _dial(street: Street, day: date) -> int | None:
    placed = await _meters(street)
    async with street.database.view(street.tenant) as session:
        community = await estate.community(session, street.community)
        question = RegisterQuestion(
            community_id=street.community,
            meters=frozenset({placed["E1"].meter_id}),
            quantities=frozenset({Quantity.ENERGY_FORWARD}),
            days=frozenset({day}),
            zone=community.zone,
            known_at=street.clock.now(),
        )
        book = await metering.register_book(session, question)
        found = book.at(placed["E1"].meter_id, Quantity.ENERGY_FORWARD, day)
    return None if found is None else found.value_milli


async def test_balances_are_brought_in_against_the_opening_account_and_taken_back(importer: Importer) -> None:
    street = importer.street
    run = await importer.apply(ImportKind.OPENINGS, BALANCES)
    assert (await street.open_fen(0), await street.ahead_fen(1)) == (36_020, 8_000)
    async with street.database.view(street.tenant) as session:
        account = await billing.accounts_of_premises(session, [street.flats[0][0]])
        (bill,) = await billing.bills_of(session, [account[0].account_id])
        balance = await reports.trial_balance(session, street.community)
        assert (await audit(session, street.community)).breaches == ()
    assert (bill.kind, bill.total_fen) == (BillKind.OPENING, 36_020)
    assert {line.type for line in balance.lines} == {
        AccountType.RECEIVABLE,
        AccountType.PREPAYMENT,
        AccountType.OPENING,
    }
    await importer.undo(run)
    assert (await street.open_fen(0), await street.ahead_fen(1)) == (0, 0)
    async with street.database.view(street.tenant) as session:
        assert (await audit(session, street.community)).breaches == ()


async def test_a_balance_that_was_paid_stays(importer: Importer) -> None:
    street = importer.street
    run = await importer.apply(ImportKind.OPENINGS, BALANCES[:1])
    async with street.database.view(street.tenant) as session:
        account = await billing.accounts_of_premises(session, [street.flats[0][0]])
        (bill,) = await billing.bills_of(session, [account[0].account_id])
    await street.pay(await street.bill(bill.bill_id), 1, date(2026, 1, 1))
    with pytest.raises(ConflictError, match="money has moved"):
        await importer.undo(run)


@pytest.mark.parametrize(
    ("kind", "rows", "says"),
    [
        (ImportKind.METERS, [{**METERS[1], "房号": "nowhere"}, METERS[0]], "no such premises"),
        (ImportKind.METERS, [METERS[1]], "no other meter"),
        (ImportKind.METERS, [METERS[0], METERS[0]], "row 2 too"),
        (ImportKind.READINGS, READINGS[:1], "no such meter"),
        (ImportKind.OPENINGS, [{**BALANCES[0], "收费项代码": "x"}], "no such charge item"),
        (ImportKind.OPENINGS, [{**BALANCES[0], "应缴日": "2020-01-01"}], "nobody is in force"),
        (ImportKind.OPENINGS, [{**BALANCES[0], "房号": "x"}], "no such premises"),
        (ImportKind.ESTATE, [{**NEW_HOUSES[0], "业主": "", "电话": "13800001234"}], "without an owner"),
    ],
)
async def test_rows_that_contradict_what_stands_are_faults(
    importer: Importer, kind: ImportKind, rows: list[dict[str, str]], says: str
) -> None:
    seen = await importer.seen(kind, rows)
    assert [says in fault.what for fault in seen.faults] == [True]


async def test_a_dial_that_runs_backwards_in_the_table_is_a_fault(importer: Importer) -> None:
    await importer.apply(ImportKind.METERS, METERS)
    rows = [READINGS[0], {**READINGS[1], "读数": "99"}]
    assert ["less than in row 2" in one.what for one in (await importer.seen(ImportKind.READINGS, rows)).faults] == [
        True
    ]
    again = await importer.seen(ImportKind.METERS, METERS)
    assert len(again.faults) == 2


async def test_the_same_file_is_taken_in_once_and_the_same_id_is_one_import(importer: Importer) -> None:
    import_id = importer.street.database.new_id()
    first = await importer.apply(ImportKind.ESTATE, NEW_HOUSES, import_id)
    assert await importer.apply(ImportKind.ESTATE, NEW_HOUSES, import_id) == first
    with pytest.raises(ConflictError, match="very file"):
        await importer.apply(ImportKind.ESTATE, NEW_HOUSES)
    with pytest.raises(ConflictError, match="another file"):
        await importer.apply(ImportKind.ESTATE, NEW_HOUSES[:1], import_id)
