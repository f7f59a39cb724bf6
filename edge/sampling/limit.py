"""A bound on how long one thing at a time may take, at the price of a number: one timer serves them all.

A time-out of its own for each read makes a timer and throws it away each time. Here the timer is set once; when
it fires it looks whether what is awaited then has had its time, and is set anew while something is awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Limit:
    """The bound of one task's awaits, in seconds of the loop; one await at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: asyncio.Task[object] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    async def hold(self, work: Awaitable[T]) -> T:
        """Return what the work gives.

        Raises:
            TimeoutError: it took longer than it may; it was cancelled.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        self._waiting, self._deadline = task, loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(self._deadline, self._look)
        try:
            return await work
        except asyncio.CancelledError as cancelled:
            if not self._over or (task is not None and task.uncancel() > 0):
                raise  # somebody else ends the task
            raise TimeoutError from cancelled
        finally:
            self._waiting, self._over = None, False

    def _look(self) -> None:
        """Cancel what has had its time; rest when nothing is awaited, until something is."""
        self._timer = None
        if self._waiting is None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._deadline:
            self._timer = loop.call_at(self._deadline, self._look)
        else:
            self._over = True
            self._waiting.cancel()
