"""Random histories of one company's people, API, pages and worker beside another company's rows: law 21.

One company asks operations in an order, by roles and with ids that the examples choose, its own, the other's or both
mixed, and does its own business meanwhile. A digest over the whole database of the other company is the same after
every step, and no answer holds an id of it that did not stand in the question.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from datetime import date
from itertools import count
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from cloud.charges.values import Sharing
from cloud.estate import service as estate
from cloud.identity.policy import RoleName
from cloud.kit.actor import Actor, system_actor
from cloud.tariffs.charge import ChargeItem
from common.ids import TenantId
from tests.cloud.charges.street import Street, build_street
from tests.cloud.sweep.ground import Fate, open_ground
from tests.cloud.sweep.shop import NOW
from tests.cloud.web.test_companies import calls
from tests.support import api
from tests.support.endpoints import Filler
from tests.support.machines import play
from tests.support.postgres import TEMPLATE, TestServer
from tests.support.schema import whole_metadata

ROLES = (RoleName.MANAGER, RoleName.CASHIER, RoleName.TECHNICIAN)
CALLS_AT_ONCE = 15
_FOLDERS = count(1)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TABLES = tuple(table for table in whole_metadata().sorted_tables if "tenant_id" in table.columns)
_DIGESTS = " union all ".join(
    f"select '{table.name}', md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), ''))"  # noqa: S608 - ours
    f' from "{table.name}" t where tenant_id = %(tenant)s'
    for table in _TABLES
)
QUESTIONS = st.lists(
    st.tuples(st.integers(min_value=0, max_value=10_000), st.sampled_from(["ours", "theirs", "mixed"])),
    min_size=CALLS_AT_ONCE,
    max_size=CALLS_AT_ONCE,
)


class Companies(RuleBasedStateMachine):
    """Two companies of one database; only the first one's people do anything."""

    server: ClassVar[TestServer]
    folder: ClassVar[Path]

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.stack = AsyncExitStack()
        self.levies: dict[str, ChargeItem] = {}
        self.run(self._open())
        self.watch = psycopg.connect(self.ground.superuser, autocommit=True)
        theirs = self.theirs.tenant
        self.before = self._digest(theirs)
        self.secrets = self._ids_of(theirs) - self._ids_of(self.ours.tenant)
        self.fillers = {
            "ours": Filler(self._values(self.ours.tenant), self.ours.community),
            "theirs": Filler(self._values(theirs), self.theirs.community),
            "mixed": Filler(self._values(self.ours.tenant) | self._values(theirs, every=2), self.theirs.community),
        }

    async def _open(self) -> None:
        folder = self.folder / f"{next(_FOLDERS)}"
        folder.mkdir()
        ground = open_ground(self.server, folder, (TEMPLATE, 1), NOW.replace(month=1, day=1), Fate())
        self.name, self.ground = await self.stack.enter_async_context(ground)
        self.ours, self.theirs = [await self._company(code) for code in ("east", "west")]
        self.ground.clock.set(NOW)
        await self.ground.work()
        self.app = await self.stack.enter_async_context(api.running_api(self.ground.database, folder))
        self.calls = calls(self.app)
        self.tokens = {
            role: await api.signed_in(self.ground.database, self.ours.tenant, role.value, role) for role in ROLES
        }

    async def _company(self, code: str) -> Street:
        tenant = TenantId(self.ground.database.new_id())
        async with self.ground.database.unit(tenant, system_actor("set-up")) as unit:
            await estate.create_tenant(unit, code=code, name=f"{code} 物业")
        actor = Actor(kind="user", id=tenant, name="clerk")
        street = await build_street(self.ground.database, tenant, actor, self.ground.clock)
        levy = await street.make(street.charge())
        (bill, *_) = await street.issue(street.one_off(levy, 100_000, Sharing.EACH, due_on=date(2026, 3, 1)))
        await street.pay(bill, 40_000, date(2026, 3, 2))
        self.levies[code] = levy
        return street

    @override
    def teardown(self) -> None:
        if hasattr(self, "watch"):
            self.watch.close()
            self.run(self.stack.aclose())
            self.runner.close()
            self.server.server.drop_database(self.name)

    @rule(role=st.sampled_from(ROLES), questions=QUESTIONS)
    def somebody_of_ours_asks(self, role: RoleName, questions: list[tuple[int, str]]) -> None:
        self.run(self._ask(role, questions))

    async def _ask(self, role: RoleName, questions: list[tuple[int, str]]) -> None:
        async with api.client(self.app, self.tokens[role]) as client:
            for place, whose in questions:
                call = self.calls[place % len(self.calls)]
                request = self.fillers[whose].request(call)
                response = await client.request(**request)
                where = f"{role} {call.method} {request['url']} {response.status_code}"
                told = set(_ID.findall(response.text)) - set(_ID.findall(str(request)))
                assert not told & self.secrets, where
                assert whose == "ours" or response.status_code < 500, f"{where} {response.text[:300]}"

    @rule()
    def our_worker_works(self) -> None:
        self.run(self.ground.work())

    @rule(fen=st.integers(min_value=600, max_value=60_000))
    def we_charge_and_are_paid(self, fen: int) -> None:
        async def charge() -> None:
            items = await self.ours.issue(self.ours.one_off(self.levies["east"], fen, Sharing.EACH))
            await self.ours.pay(items[0], min(fen, 500), date(2026, 4, 1))

        self.run(charge())

    @invariant()
    def nothing_of_the_other_company_has_changed(self) -> None:
        now = self._digest(self.theirs.tenant)
        assert {table for table, digest in now.items() if digest != self.before[table]} == set()

    def _digest(self, tenant: TenantId) -> dict[str, str]:
        return dict(self.watch.execute(_DIGESTS.encode(), {"tenant": tenant}).fetchall())

    def _ids_of(self, tenant: TenantId) -> set[str]:
        found: set[str] = set()
        for table in _TABLES:
            query = f'select t::text from "{table.name}" t where tenant_id = %s'  # noqa: S608 - our own names
            for (row,) in self.watch.execute(query.encode(), [tenant]):
                found |= set(_ID.findall(row))
        return found

    def _values(self, tenant: TenantId, *, every: int = 1) -> dict[str, object]:
        """Return a value of a company for each id that a path may name; with `every`, for one in so many names."""
        names = sorted({name for call in self.calls for name in call.named_ids})[::every]
        values: dict[str, object] = {}
        for name in names:
            for table in _TABLES:
                if name in table.columns and name not in values:
                    query = f'select {name} from "{table.name}" where tenant_id = %s and {name} is not null limit 1'  # noqa: S608 - ours
                    row = self.watch.execute(query.encode(), [tenant]).fetchone()
                    if row is not None:
                        values[name] = row[0]
        return values


@pytest.mark.timeout(240)
def test_whatever_one_company_does_the_rows_of_another_stay_unread_and_unchanged(
    server: TestServer, tmp_path: Path
) -> None:
    play(Companies, histories=3, steps=10, server=server, folder=tmp_path)
