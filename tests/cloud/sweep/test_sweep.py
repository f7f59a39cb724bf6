"""A fault at every commit of every money use case, then the same command again: the book is the undisturbed one."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType, FrameType

import pytest

from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.errors import BusyError
from common.errors import RefusalError
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.cloud.sweep import doings
from tests.cloud.sweep.ground import Fate, Fault, PowerCutError, open_ground
from tests.cloud.sweep.picture import Picture, known_ids, picture, rows_of
from tests.cloud.sweep.shop import Facts, Shop, furnish
from tests.cloud.sweep.use_cases import USE_CASES, UseCase
from tests.support.postgres import TEMPLATE, TestServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS_MAX = 12
_SWEPT_ELSEWHERE = {
    "cloud.payments.answers.note_asked": "tests/cloud/payments/test_crashes.py",
    "cloud.payments.answers.note_all_asked": "tests/cloud/payments/test_crashes.py",
    "cloud.refunds.answers.note": "tests/cloud/refunds/test_crashes.py",
}
_RUNS_NOTHING = {"cloud.settlement.service.preview": "works in a unit that is always rolled back"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A use case about to happen: the database to copy, and what is known of it."""

    database: str
    now: datetime
    shop: Shop
    facts: Facts
    known: set[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """What the undisturbed run left: its picture, how many commits it took, which functions it went through."""

    ready: Ready
    picture: Picture
    commits: int
    functions: set[str]


class Sweeper:
    """Prepares, runs and compares; what is prepared once is kept."""

    def __init__(self, server: TestServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._base: tuple[str, Shop] | None = None
        self._calm: dict[str, Calm] = {}

    @asynccontextmanager
    async def trial(self, ready: Ready, fate: Fate) -> AsyncIterator[Shop]:
        """Open a copy and drop it afterwards."""
        async with open_ground(self._server, self._folder, (ready.database, 3), ready.now, fate) as (name, ground):
            yield ready.shop.bound_to(ground)
        self._server.server.drop_database(name)

    async def calm(self, title: str, case: UseCase) -> Calm:
        """Return what the use case does when nothing disturbs it."""
        if title not in self._calm:
            ready = await self._ready(case)
            fate, functions = Fate(), set[str]()
            async with self.trial(ready, fate) as shop:
                with traced(functions):
                    await case.command(shop, dict(ready.facts))
                    await shop.ground.work()
                assert shop.ground.undone() == []
                told = picture(rows_of(shop.ground.superuser), ready.known)
            self._calm[title] = Calm(ready=ready, picture=told, commits=fate.seen, functions=functions)
        return self._calm[title]

    async def _ready(self, case: UseCase) -> Ready:
        name, shop = self._base or await self._furnished()
        self._base = name, shop
        facts: Facts = {}
        opened = open_ground(self._server, self._folder, (name, 2), shop.ground.clock.now(), Fate())
        async with opened as (ready, ground):
            await case.ready(shop.bound_to(ground), facts)
            await ground.work()
            known = known_ids(rows_of(ground.superuser))
            now = ground.clock.now()
        return Ready(database=ready, now=now, shop=shop, facts=facts, known=known)

    async def _furnished(self) -> tuple[str, Shop]:
        async with open_ground(self._server, self._folder, (TEMPLATE, 1), START, Fate()) as (name, ground):
            tenant = TenantId(ground.database.new_id())
            async with ground.database.unit(tenant, system_actor("set-up")) as unit:
                await estate.create_tenant(unit, code="east", name="东方物业")
            actor = Actor(kind="user", id=tenant, name="manager")
            shop = await furnish(ground, await build_street(ground.database, tenant, actor, ground.clock))
            assert ground.undone() == []
        return name, shop

    async def struck(self, case: UseCase, calm: Calm, fate: Fate) -> Picture:
        """Run with a fate, repeat the command as its client would, and return the picture of what was left."""
        async with self.trial(calm.ready, fate) as shop:
            with suppress(PowerCutError, BusyError):
                await case.command(shop, dict(calm.ready.facts))
                await shop.ground.work()
            untouched = fate.fault is Fault.REFUSED
            if fate.fault is not Fault.REFUSED:
                assert fate.seen >= fate.commit
                untouched = fate.commit == 1 and fate.fault is Fault.DIES_BEFORE
                fate.commit = 0
            shop.ground.work_is_due()
            await repeated(case, shop, calm.ready.facts, may_be_done=not untouched)
            for _ in range(ROUNDS_MAX):
                await shop.ground.work()
                if not shop.ground.undone():
                    break
                shop.ground.work_is_due()
            assert shop.ground.undone() == []
            return picture(rows_of(shop.ground.superuser), calm.ready.known)


async def repeated(case: UseCase, shop: Shop, facts: Facts, *, may_be_done: bool) -> None:
    """Give the command again; a refusal must say that it has happened, and it must have."""
    told = ""
    while True:
        try:
            await case.command(shop, dict(facts))
        except BusyError:
            continue
        except RefusalError as refusal:
            told = str(refusal)
        break
    if told:
        assert may_be_done, f"nothing had happened, and yet: {told}"
        assert case.says_already is not None, f"a repeated command is refused: {told}"
        assert re.search(case.says_already, told), told


@contextmanager
def traced(functions: set[str]) -> Iterator[None]:
    """Collect the full names of the functions of the cloud that run inside the block."""
    files: dict[CodeType, str] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code not in files:
            files[frame.f_code] = frame.f_globals.get("__name__", "")

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
    functions |= {f"{module}.{code.co_name}" for code, module in files.items() if module.startswith("cloud.")}


@pytest.fixture(scope="module")
def sweeper(server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Sweeper:
    return Sweeper(server, tmp_path_factory.mktemp("sweep"))


def difference(calm: Picture, found: Picture) -> str:
    """Return what one picture has and the other lacks."""
    missing, extra = sorted((calm - found).elements()), sorted((found - calm).elements())
    return "\n".join([*(f"- {row}" for row in missing[:8]), *(f"+ {row}" for row in extra[:8])])


@pytest.mark.parametrize("title", USE_CASES)
async def test_a_fault_at_any_commit_leaves_the_undisturbed_book(sweeper: Sweeper, title: str) -> None:
    case = USE_CASES[title]
    calm = await sweeper.calm(title, case)
    assert calm.commits > 0
    fates = [Fate(commit=2 * calm.commits, fault=Fault.REFUSED)]
    for commit in range(1, calm.commits + 1):
        fates += [Fate(commit=commit, fault=fault) for fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER)]
    for fate in fates:
        words = f"{fate.fault} at commit {fate.commit}"
        found = await sweeper.struck(case, calm, fate)
        assert found == calm.picture, f"{words}\n{difference(calm.picture, found)}"


async def test_every_use_case_that_moves_money_is_swept(sweeper: Sweeper) -> None:
    reached: set[str] = set()
    for title, case in USE_CASES.items():
        reached |= (await sweeper.calm(title, case)).functions
    wanted = doings.money_use_cases() - _SWEPT_ELSEWHERE.keys() - _RUNS_NOTHING.keys()
    assert len(wanted) >= 25
    assert wanted - reached == set(), "add an entry to USE_CASES for each of these"


async def test_a_command_that_is_not_repeatable_is_found_out(sweeper: Sweeper) -> None:
    async def forgetful(shop: Shop, _: Facts) -> None:
        forgetful_numbers.append(len(forgetful_numbers) + 50)
        await shop.pay(0, 1_000, number=forgetful_numbers[-1])

    forgetful_numbers: list[int] = []
    case = UseCase(command=forgetful)
    calm = await sweeper.calm("forgetful", case)
    before = await sweeper.struck(case, calm, Fate(commit=1, fault=Fault.DIES_BEFORE))
    after = await sweeper.struck(case, calm, Fate(commit=1, fault=Fault.DIES_AFTER))
    assert (sum(before.values()), sum(after.values()) > sum(calm.picture.values())) == (
        sum(calm.picture.values()),
        True,
    )
