"""The channel put together: one ASGI application over its book, keys, mischiefs and messenger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

import httpx
from starlette.applications import Starlette

from tests.simulation.wechat.api import merchant_routes
from tests.simulation.wechat.book import Book
from tests.simulation.wechat.control import control_routes
from tests.simulation.wechat.keys import Keys
from tests.simulation.wechat.messenger import ANSWER_S_MAX, Messenger
from tests.simulation.wechat.mischief import Mischiefs
from tests.simulation.wechat.parts import Channel


def open_channel(folder: Path, now: Callable[[], datetime], *, hurry: int = 1) -> Channel:
    """Open a channel over a folder; what was kept there goes on."""
    keys, mischiefs = Keys(folder), Mischiefs()
    messenger = Messenger(keys, mischiefs, hurry)
    return Channel(book=Book(folder / "book.sqlite"), keys=keys, mischiefs=mischiefs, messenger=messenger, now=now)


def build_app(channel: Channel) -> Starlette:
    """Return the application; its lifespan owns the task that delivers notifications."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_S_MAX) as http, delivering(channel, http):
            yield

    return Starlette(routes=[*merchant_routes(channel), *control_routes(channel)], lifespan=lifespan)


@asynccontextmanager
async def delivering(channel: Channel, http: httpx.AsyncClient) -> AsyncIterator[None]:
    """Deliver notifications while the block runs."""
    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(channel.messenger.run(http))
            yield
            task.cancel()
