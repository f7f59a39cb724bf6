"""One timer bounds many awaits: what is late is cancelled, and others may still end the task."""

from __future__ import annotations

import asyncio

import pytest

from edge.sampling.limit import Limit


async def test_what_is_in_time_is_given_however_often_it_is_asked() -> None:
    limit = Limit(0.05)
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.2
    while loop.time() < end:  # four times the bound in all, none of them alone
        assert await limit.hold(asyncio.sleep(0.01, "value")) == "value"


async def test_what_takes_too_long_is_cancelled_and_the_next_is_served() -> None:
    limit = Limit(0.03)
    ended: list[str] = []

    async def stuck() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("stuck")

    assert await limit.hold(asyncio.sleep(0.02, "before")) == "before"
    with pytest.raises(TimeoutError):
        await limit.hold(stuck())
    assert ended == ["stuck"]
    assert await limit.hold(asyncio.sleep(0.01, "after")) == "after"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_nothing_is_cancelled_while_nothing_is_awaited() -> None:
    limit = Limit(0.02)
    assert await limit.hold(asyncio.sleep(0, "value")) == "value"
    await asyncio.sleep(0.06)  # the timer fires here and finds nobody
    assert await limit.hold(asyncio.sleep(0.01, "later")) == "later"


async def test_a_task_that_is_ended_from_outside_ends() -> None:
    limit = Limit(5.0)
    task = asyncio.ensure_future(limit.hold(asyncio.Event().wait()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_fault_of_the_work_is_its_own() -> None:
    async def faulty() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await Limit(1.0).hold(faulty())
