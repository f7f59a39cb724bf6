"""A configuration stays when what worked before works again; else the last good one is put in force by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from common.ids import MeterId
from common.wire import cbor
from common.wire.records import BundleEffect
from edge.buffer.records import BundleState, StoredBundle
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.clock import entropy, monotonic_s
from edge.downlink.trial import Before, Patience, Site, Trials
from tests.edge.builders import HandClock, OpenSealer, meter, until

VOLUME = frozenset({"volume"})


class House:
    """Meters that answer or do not, and a link that is up or down."""

    def __init__(self) -> None:
        self.answers: dict[MeterId, frozenset[str]] = {meter(1): VOLUME, meter(2): VOLUME}
        self.planned: dict[MeterId, frozenset[str]] = {meter(1): VOLUME, meter(2): VOLUME}
        self.connected = True
        self.applied: list[Mapping[str, Any]] = []
        self.asked = 0

    async def ask(self, meter_id: MeterId) -> frozenset[str]:
        self.asked += 1
        return self.answers.get(meter_id, frozenset())

    async def apply(self, kind: str, body: Mapping[str, Any]) -> None:
        assert kind == "site"
        self.applied.append(body)

    def site(self) -> Site:
        return Site(
            works=lambda: dict(self.answers),
            wanted=lambda meter_id: self.planned.get(meter_id, frozenset()),
            ask=self.ask,
            connected=lambda: self.connected,
        )


def bundle(version: int, state: BundleState = BundleState.TRIAL) -> StoredBundle:
    body = cbor.encode({"version": version})
    return StoredBundle(kind="site", version=version, body=body, signed=b"s", state=state, detail="")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    budget = Budget(limit_bytes=64 << 20, ballast_bytes=1 << 20)
    with contextlib.closing(
        Store.open(tmp_path / "store.db", clock=HandClock(), entropy=entropy, budget=budget, commit_interval_s=0.001)
    ) as opened:
        yield opened


@contextlib.asynccontextmanager
async def on_trial(store: Store, house: House, version: int = 2) -> AsyncIterator[Trials]:
    """Begin the trial of a version over a good version 1, as the listener does."""
    patience = Patience(most_s=0.1, pause_s=0.01)
    trials = Trials(shelf=store, site=house.site(), apply=house.apply, monotonic_s=monotonic_s, patience=patience)
    await store.save_bundle(bundle(1, BundleState.GOOD))
    before = trials.before()
    await store.save_bundle(bundle(version))
    trials.begin(bundle(version), before)
    task = asyncio.ensure_future(trials.run())
    yield trials
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def effects(store: Store) -> list[tuple[int, str, str]]:
    sealer = OpenSealer()
    store.use_sealer(sealer)
    while await store.seal() is not None:
        pass
    records = [row.record for material in sealer.materials for row in material.events]
    return [(one.version, one.effect, one.detail) for one in records if isinstance(one, BundleEffect)]


async def state_of(store: Store) -> tuple[int, BundleState]:
    held = await store.bundle("site")
    assert held is not None
    return held.version, held.state


async def until_settled(store: Store) -> None:
    async with asyncio.timeout(10):
        while (await state_of(store))[1] is BundleState.TRIAL:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.005)


async def test_a_configuration_under_which_everything_answers_is_kept(store: Store) -> None:
    house = House()
    async with on_trial(store, house):
        await until_settled(store)
    assert await state_of(store) == (2, BundleState.GOOD)
    assert await effects(store) == [(2, "good", "")]
    assert house.applied == []


async def test_a_meter_that_fell_silent_takes_the_configuration_back(store: Store) -> None:
    house = House()
    async with on_trial(store, house) as trials:
        house.answers.pop(meter(2))
        await until_settled(store)
        await until(lambda: house.applied == [{"version": 1}])
        assert trials.rolled_back == 1
    assert await state_of(store) == (1, BundleState.GOOD)
    ((version, effect, detail),) = await effects(store)
    assert (version, effect) == (2, "rolled_back")
    assert str(meter(2)) in detail


async def test_a_point_that_is_not_answered_any_more_counts_as_silence(store: Store) -> None:
    house = House()
    house.answers[meter(1)] = house.planned[meter(1)] = frozenset({"volume", "flow"})
    async with on_trial(store, house):
        house.answers[meter(1)] = VOLUME
        await until_settled(store)
    assert await state_of(store) == (1, BundleState.GOOD)


async def test_a_meter_that_the_plan_no_longer_has_is_not_missed(store: Store) -> None:
    house = House()
    async with on_trial(store, house):
        house.answers.pop(meter(2))
        house.planned.pop(meter(2))
        await until_settled(store)
    assert await state_of(store) == (2, BundleState.GOOD)


async def test_a_slow_meter_has_the_whole_trial_to_answer(store: Store) -> None:
    house = House()
    async with on_trial(store, house):
        kept = house.answers.pop(meter(2))
        await until(lambda: house.asked >= 3)
        house.answers[meter(2)] = kept
        await until_settled(store)
    assert await state_of(store) == (2, BundleState.GOOD)


async def test_losing_the_cloud_takes_the_configuration_back(store: Store) -> None:
    house = House()
    async with on_trial(store, house):
        house.connected = False
        await until_settled(store)
    assert (await effects(store))[0][1:] == ("rolled_back", "the cloud is not reached any more")


async def test_a_newer_configuration_ends_the_trial_of_the_older(store: Store) -> None:
    house = House()
    async with on_trial(store, house) as trials:
        house.answers.pop(meter(2))
        await store.save_bundle(bundle(3))
        trials.begin(bundle(3), Before(works={}, connected=True))
        await until_settled(store)
    assert await state_of(store) == (3, BundleState.GOOD)
    assert [effect[:2] for effect in await effects(store)] == [(3, "good")]


async def test_a_trial_that_a_restart_interrupted_is_given_up(store: Store) -> None:
    house = House()
    trials = Trials(shelf=store, site=house.site(), apply=house.apply, monotonic_s=monotonic_s)
    await store.save_bundle(bundle(1, BundleState.GOOD))
    await store.save_bundle(bundle(2))
    await trials.abandon(bundle(2))
    assert await state_of(store) == (1, BundleState.GOOD)
    assert (await effects(store))[0][:2] == (2, "rolled_back")
