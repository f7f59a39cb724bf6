"""Work that arrives while the same kind of work is being done is done next, in one go: one commit for a crowd.

    writer = Gathered(store)             store(things) -> results, all or none
    result = await writer.add(thing)     from any number of tasks

Nobody waits longer for company: the first is done at once, those who come meanwhile together after it. What cannot be
done together is done one by one, so that a bad thing fails alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")
MOST = 64


@dataclass(slots=True, eq=False)
class _Wish(Generic[Thing, Result]):
    thing: Thing
    result: Result | None = None
    error: Exception | None = None
    done: bool = False


class Gathered(Generic[Thing, Result]):
    """Does things in the crowds in which they arrive."""

    def __init__(self, do: Callable[[Sequence[Thing]], Awaitable[Sequence[Result]]]) -> None:
        self._do = do
        self._turn = asyncio.Lock()
        self._waiting: list[_Wish[Thing, Result]] = []

    async def add(self, thing: Thing) -> Result:
        """Return what came of a thing; whoever has the turn does what waits, for others too."""
        wish: _Wish[Thing, Result] = _Wish(thing)
        self._waiting.append(wish)
        try:
            async with self._turn:
                while not wish.done:
                    await self._do_waiting()
        finally:
            if wish in self._waiting:  # whoever was called off leaves the line
                self._waiting.remove(wish)
        if wish.error is not None:
            raise wish.error
        return wish.result  # type: ignore[return-value]  # a wish that is done without an error has its result

    async def _do_waiting(self) -> None:
        crowd = self._waiting[:MOST]
        try:
            await self._attempt(crowd)
        except Exception as error:  # noqa: BLE001 - told to whom it belongs, below
            for wish in crowd:
                if len(crowd) == 1:
                    wish.error, wish.done = error, True
                    continue
                try:
                    await self._attempt([wish])
                except Exception as own:  # noqa: BLE001 - as above
                    wish.error, wish.done = own, True
        self._waiting = [wish for wish in self._waiting if not wish.done]

    async def _attempt(self, crowd: Sequence[_Wish[Thing, Result]]) -> None:
        results = await self._do([wish.thing for wish in crowd])
        for wish, result in zip(crowd, results, strict=True):
            wish.result, wish.done = result, True
