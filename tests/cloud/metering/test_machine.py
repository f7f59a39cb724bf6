"""Random histories of gateways, batches, dials, prices and bills against devices that count on their own: laws 15, 16.

What a device counted is billed once or waits, per meter and day, to the milli-unit, in whatever order and how often its
batches come; and what was billed is rated again from its kept input to the same bytes, whatever was recorded since.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from cloud.billing import corrections, runs
from cloud.billing import service as billing
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.service import MONTHLY, RunScope
from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.metering.corrections import Correction, confirm_rollover
from cloud.metering.truing import enter_reading
from cloud.rating import service as rating
from cloud.rating.service import rate_period
from cloud.tariffs import service as tariffs
from cloud.tariffs.service import RevisionDraft
from common.civil import Period, midnight, nth_period
from common.ids import TenantId
from common.rating.plain import line_to_plain
from common.reading.reading import Quantity
from common.tariff.canonical import canonical_json
from tests.cloud.charges.street import build_street
from tests.cloud.sweep.ground import Fate, open_ground
from tests.simulation.soak_books.devices import ZONE, silent_days
from tests.simulation.soak_books.wiring import PRICE, waiting_first, wire
from tests.support.machines import play
from tests.support.postgres import TEMPLATE, TestServer

MONTHS = tuple(nth_period(date(2026, 1, 1), n) for n in range(6))
PLACE = st.integers(min_value=0, max_value=1)
WAYS = st.sampled_from(["in order", "reversed", "one is late", "one again"])
_LINES = """
    select input_sha, fen, trace from bill_line where charge_code = 'power' and corrects_bill_id is null order by 1"""


class Meters(RuleBasedStateMachine):
    """A street of six metered flats behind two gateways, and clerks who bill it."""

    server: ClassVar[TestServer]
    folder: ClassVar[Path]

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.stack = AsyncExitStack()
        self.billed: list[Period] = []
        self.replays: dict[str, frozenset[bytes]] = {}
        self.run(self._open())

    async def _open(self) -> None:
        noon = midnight(MONTHS[0].start, ZONE)
        ground = open_ground(self.server, self.folder, (TEMPLATE, 1), noon, Fate())
        self.name, self.ground = await self.stack.enter_async_context(ground)
        tenant = TenantId(self.ground.database.new_id())
        async with self.ground.database.unit(tenant, system_actor("set-up")) as unit:
            await estate.create_tenant(unit, code="east", name="东方物业")
        actor = Actor(kind="user", id=tenant, name="clerk")
        self.street = await build_street(self.ground.database, tenant, actor, self.ground.clock)
        self.wiring = await wire(self.street, self.ground.database)
        self.watch = psycopg.connect(self.ground.superuser, autocommit=True)

    @override
    def teardown(self) -> None:
        if hasattr(self, "watch"):
            self.watch.close()
            self.run(self.stack.aclose())
            self.runner.close()
            self.server.server.drop_database(self.name)

    @rule(days=st.integers(min_value=5, max_value=35))
    def days_pass(self, days: int) -> None:
        if self.wiring.today < MONTHS[-1].start:
            self.ground.clock.advance(days=days)

    @rule(place=PLACE, way=WAYS)
    def a_gateway_reports(self, place: int, way: str) -> None:
        gateway = self.wiring.gateways[place]
        gateway.seal(self.wiring.today)
        order = list(waiting_first(gateway))
        if way == "reversed":
            order.reverse()
        elif way == "one is late":
            order = order[1:]
        elif way == "one again" and gateway.paper.sealed:
            order.append(1)
        self.run(self._deliver(place, order))

    async def _deliver(self, place: int, order: list[int]) -> None:
        waiting = self.wiring.gateways[place].waiting
        for number in order:
            await self.wiring.deliver(place, number)
            if number in waiting:
                waiting.remove(number)
        await self.ground.work()

    @rule()
    def people_look_at_the_dials(self) -> None:
        self.run(self._look())

    async def _look(self) -> None:
        for device in self.wiring.devices.values():
            facts: dict[str, Any] = {
                "community_id": self.street.community,
                "meter_id": device.meter_id,
                "reason": "seen",
            }
            facts["quantity"] = Quantity.ENERGY_FORWARD
            for day in silent_days(device, self.wiring.today):
                read: dict[str, Any] = {"read_at": midnight(day, ZONE), "value_milli": device.shown_milli(day)}
                if (device.meter_id, day) not in self.wiring.read:
                    async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
                        await enter_reading(unit, Correction(**facts, **read))
                    self.wiring.read.add((device.meter_id, day))
            for day in device.turns(self.wiring.today):
                if (device.meter_id, day) not in self.wiring.turned:
                    async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
                        await confirm_rollover(unit, **facts, day=day)
                    self.wiring.turned.add((device.meter_id, day))
        await self.ground.work()

    @rule()
    def the_next_month_is_billed(self) -> None:
        month = MONTHS[len(self.billed)]
        if month.end <= self.wiring.today:
            self.run(self._bill(month, fresh=True))
            self.billed.append(month)

    @rule()
    def all_months_are_run_again(self) -> None:
        for month in self.billed:
            self.run(self._bill(month, fresh=False))

    async def _bill(self, month: Period, *, fresh: bool) -> None:
        scope = RunScope(community_id=self.street.community, cycle=MONTHLY, period_start=month.start)
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            if fresh:
                await billing.create_period(unit, self.street.community, period=month, due_on=month.end)
            await runs.request_run(unit, scope)
        await self.ground.work()

    @rule(price=st.sampled_from([55, 61, 80]), month=st.integers(0, 5))
    def a_price_is_decided_from_a_month_on(self, price: int, month: int) -> None:
        self.run(self._price(price, MONTHS[month].start))
        self.wiring.prices.add(price)

    async def _price(self, price: int, start: date) -> None:
        charge = {"key": "energy", "price": f"0.{price}"}
        draft = RevisionDraft(
            community_id=self.street.community,
            document={**PRICE, "charges": [charge]},
            effective_from=start,
            basis_document="decision",
            decided_by="the owners",
        )
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            await tariffs.record_revision(unit, draft)
        self.ground.clock.advance(minutes=1)

    @rule()
    def what_was_billed_is_corrected(self) -> None:
        if self.billed:
            self.run(self._correct())

    async def _correct(self) -> None:
        premises = frozenset(flat for flat, _ in self.street.flats)
        scope = CorrectionScope(community_id=self.street.community, premises=premises, first_day=MONTHS[0].start)
        self.ground.clock.advance(minutes=1)
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            case_id = await corrections.open_correction(unit, scope, cause=Cause.READING, reason="came late")
        async with self.street.database.view(self.street.tenant) as session:
            seen = await corrections.preview(session, rate_period, case_id, self.ground.clock.now())
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            await corrections.apply(unit, rate_period, case_id, preview_sha=seen.sha)

    @rule()
    def everything_has_come_and_all_usage_is_billed(self) -> None:
        for place in (0, 1):
            self.a_gateway_reports(place, "in order")
        self.people_look_at_the_dials()
        self.all_months_are_run_again()
        self.what_was_billed_is_corrected()
        assert self.wiring.unbilled(self.watch) == []

    @invariant()
    def usage_is_billed_as_counted_once_or_waits(self) -> None:
        assert self.wiring.breaches(self.watch) == []

    @invariant()
    def what_was_billed_is_rated_again_to_the_byte(self) -> None:
        rows = self.watch.execute(_LINES).fetchall()
        for sha in {sha for sha, _, _ in rows}:
            again = self.run(self._replayed(sha))
            assert self.replays.setdefault(sha, again) == again
        for sha, fen, trace in rows:
            amounts = {json.loads(line)["amount_fen"] for line in self.replays[sha]}
            assert fen in amounts
            assert not trace or canonical_json(trace["line"]) in self.replays[sha]

    async def _replayed(self, sha: str) -> frozenset[bytes]:
        async with self.street.database.view(self.street.tenant) as session:
            lines = await rating.replayed(session, self.street.community, sha)
        return frozenset(canonical_json(line_to_plain(line)) for line in lines)


@pytest.mark.timeout(240)
def test_usage_is_conserved_and_bills_replay_in_any_history(server: TestServer, tmp_path: Path) -> None:
    play(Meters, histories=8, steps=16, server=server, folder=tmp_path)
