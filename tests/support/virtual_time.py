"""An event loop whose time leaps to the next timer instead of waiting, so hours of a line take milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from typing_extensions import override

ResultT = TypeVar("ResultT")


class _LeapSelector(selectors.SelectSelector):
    """Never sleeps: a wait that no file ends moves the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            if timeout is None:
                raise RuntimeError("everything waits for something that no timer will bring")
            self.now_s += max(timeout, 0.0)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time; `time()` starts at zero."""

    def __init__(self) -> None:
        self._leap = _LeapSelector()
        super().__init__(self._leap)

    @override
    def time(self) -> float:
        return self._leap.now_s


def run_virtually(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine to its end on virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()
