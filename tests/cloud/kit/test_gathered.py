"""Work in crowds: who comes while others are served is served next, together; a bad thing fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cloud.kit.gathered import MOST, Gathered

BAD = -1


class Shop:
    """Doubles numbers, notes its crowds, and refuses a crowd with a bad number."""

    def __init__(self) -> None:
        self.crowds: list[list[int]] = []
        self.open = asyncio.Event()
        self.writer = Gathered(self.double)

    async def double(self, numbers: Sequence[int]) -> Sequence[int]:
        self.crowds.append(list(numbers))
        await self.open.wait()
        if BAD in numbers:
            raise ValueError("bad")
        return [2 * number for number in numbers]


async def arrive(group: asyncio.TaskGroup, shop: Shop, *numbers: int) -> list[asyncio.Task[int]]:
    made = []
    for number in numbers:
        made.append(group.create_task(shop.writer.add(number)))
        await asyncio.sleep(0)
    return made


async def test_who_comes_while_one_is_served_is_served_next_together() -> None:
    shop = Shop()
    async with asyncio.TaskGroup() as group:
        tasks = await arrive(group, shop, 1, 2, 3, 4)
        shop.open.set()
    assert [task.result() for task in tasks] == [2, 4, 6, 8]
    assert shop.crowds == [[1], [2, 3, 4]]


async def test_a_bad_thing_fails_alone() -> None:
    shop = Shop()

    async def fail() -> None:
        with pytest.raises(ValueError, match="bad"):
            await shop.writer.add(BAD)

    async with asyncio.TaskGroup() as group:
        (first,) = await arrive(group, shop, 1)
        group.create_task(fail())
        (last,) = await arrive(group, shop, 3)
        shop.open.set()
    assert (first.result(), last.result()) == (2, 6)
    assert shop.crowds == [[1], [BAD, 3], [BAD], [3]]


async def test_whoever_is_called_off_while_serving_others_leaves_them_to_the_next() -> None:
    shop = Shop()
    async with asyncio.TaskGroup() as group:
        first, second, third = await arrive(group, shop, 1, 2, 3)
        first.cancel()
        await asyncio.sleep(0)
        shop.open.set()
    assert first.cancelled()
    assert (second.result(), third.result()) == (4, 6)
    assert shop.crowds == [[1], [2, 3]]


async def test_a_crowd_is_bounded() -> None:
    shop = Shop()
    async with asyncio.TaskGroup() as group:
        tasks = await arrive(group, shop, *range(MOST + 5))
        shop.open.set()
    assert [task.result() for task in tasks] == [2 * number for number in range(MOST + 5)]
    assert [len(crowd) for crowd in shop.crowds] == [1, MOST, 4]
