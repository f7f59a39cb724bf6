"""Random histories of messages, jobs and deaths against a model of three sets: law 25.

What a unit that committed has posted arrives at least once and takes effect once at whoever tells repeats by the id;
nothing is ever told of what was rolled back; nothing from outside is heard twice.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from prometheus_client import CollectorRegistry
from typing_extensions import override

from cloud.estate import service as estate
from cloud.kit import outbox
from cloud.kit.actor import Actor, system_actor
from cloud.kit.errors import BusyError
from cloud.kit.events import no_listeners
from cloud.kit.outbox import DELIVER, Message
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP, WORKER
from cloud.kit.runner import JobMetrics, Pace, Runner
from cloud.kit.tables import JsonObject
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.sweep.ground import DoomedDatabase, Fate, Fault, PowerCutError
from tests.support.clock import SettableClock
from tests.support.machines import play
from tests.support.postgres import TestServer
from tests.support.randomness import seeded_bytes

CLERK = Actor(kind="user", id=UUID(int=1), name="clerk")
KEY = st.integers(min_value=0, max_value=5)
DEATH = st.sampled_from([Fault.DIES_BEFORE, Fault.DIES_AFTER])
_TIME_PASSES = "update job set retry_at = null, lease_until = null, state = 'ready' where state in ('ready', 'leased')"


class Carrier:
    """A channel that now and then loses its answer after it has taken the message, or takes nothing at all."""

    def __init__(self) -> None:
        self.arrived: list[tuple[UUID, object]] = []
        self.mood = ""

    async def send(self, message_id: UUID, payload: JsonObject) -> str:
        if self.mood == "down":
            raise BusyError("the channel is down")
        self.arrived.append((message_id, payload["key"]))
        if self.mood == "answer lost":
            raise BusyError("the answer of the channel was lost")
        return f"receipt {len(self.arrived)}"


class Messages(RuleBasedStateMachine):
    """An office that posts and hears, a worker that delivers, and machines that die under both."""

    server: ClassVar[TestServer]

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.fresh = self.server.fresh_database()
        name = self.fresh.__enter__()
        clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
        ids = TimeOrderedIds(clock.now, seeded_bytes(25))
        self.app, self.worker = (
            DoomedDatabase(
                self.server.server.conninfo(role=role, database=name), clock=clock, ids=ids, route=no_listeners
            )
            for role in (APP, WORKER)
        )
        self.app.fate = self.worker.fate = Fate()
        self.carrier = Carrier()
        self.watch = psycopg.connect(self.server.server.conninfo(role=SUPERUSER, database=name), autocommit=True)
        self.committed: set[str] = set()
        self.heard: set[str] = set()
        self.tenant = TenantId(ids.new())
        self.run(self._open())

    async def _open(self) -> None:
        async with self.app.unit(self.tenant, system_actor("set-up")) as unit:
            await estate.create_tenant(unit, code="east", name="东方物业")

    @override
    def teardown(self) -> None:
        if hasattr(self, "watch"):
            self.watch.close()
            for database in (self.app, self.worker):
                self.run(database.close())
            self.runner.close()
            self.fresh.__exit__(None, None, None)

    async def _post(self, key: str, *, fails: bool = False) -> None:
        async with self.app.unit(self.tenant, CLERK) as unit:
            await outbox.post(unit, Message(channel="line", key=key, payload={"key": key}))
            if fails:
                raise BusyError("the deed behind the message failed")

    @rule(key=KEY)
    def a_deed_tells_of_itself(self, key: int) -> None:
        self.run(self._post(f"deed {key}"))
        self.committed.add(f"deed {key}")

    @rule(key=KEY)
    def a_deed_is_rolled_back(self, key: int) -> None:
        with pytest.raises(BusyError):
            self.run(self._post(f"undone {key}", fails=True))

    @rule(key=KEY, death=DEATH)
    def the_machine_dies_at_the_commit_of_a_deed(self, key: int, death: Fault) -> None:
        self._doom(1, death)
        with pytest.raises(PowerCutError):
            self.run(self._post(f"cut {key}"))
        self._doom(0, death)
        if death is Fault.DIES_AFTER:
            self.committed.add(f"cut {key}")

    @rule(mood=st.sampled_from(["", "down", "answer lost"]), commit=st.integers(0, 3), death=DEATH)
    def the_worker_works_and_may_die(self, mood: str, commit: int, death: Fault) -> None:
        self.carrier.mood = mood
        self._doom(commit, death)
        self._work()
        self._doom(0, death)

    @rule(event=KEY)
    def something_is_told_from_outside(self, event: int) -> None:
        async def hear() -> bool:
            async with self.app.unit(self.tenant, CLERK) as unit:
                return await outbox.hear(unit, "channel", str(event))

        assert self.run(hear()) == (str(event) not in self.heard)
        self.heard.add(str(event))

    @rule()
    def calm_comes(self) -> None:
        """Everything that was committed has arrived, and nothing waits."""
        self.carrier.mood = ""
        self._work()
        assert {key for _, key in self.carrier.arrived} == self.committed
        rows = self.watch.execute("select count(*) from outbox where delivered_at is null").fetchone()
        assert rows == (0,)

    @invariant()
    def nothing_is_told_of_what_did_not_happen(self) -> None:
        assert {key for _, key in self.carrier.arrived} <= self.committed

    @invariant()
    def each_takes_effect_once_where_repeats_are_told_by_the_id(self) -> None:
        effects = set(self.carrier.arrived)
        assert len(effects) == len({key for _, key in effects})

    @invariant()
    def what_was_posted_is_what_was_committed(self) -> None:
        assert {key for (key,) in self.watch.execute("select key from outbox")} == self.committed

    def _doom(self, commit: int, fault: Fault) -> None:
        self.app.fate.commit, self.app.fate.fault, self.app.fate.seen = commit, fault, 0

    def _work(self) -> None:
        """Let leases and pauses be over, then work until nothing is due or the machine dies."""
        self.watch.execute(_TIME_PASSES)
        worker = Runner(
            database=self.worker,
            handlers={DELIVER: outbox.deliver_by({"line": self.carrier})},
            metrics=JobMetrics(CollectorRegistry()),
            name="worker",
            pace=Pace(lease=timedelta(seconds=30)),
        )
        try:
            self.run(worker.drain())
        except PowerCutError:
            return


@pytest.mark.timeout(120)
def test_every_message_of_a_commit_arrives_and_none_of_a_roll_back(server: TestServer) -> None:
    play(Messages, histories=20, steps=15, server=server)
