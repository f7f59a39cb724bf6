"""A counterparty as an application, in a test or as a process of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tests.simulation.counterparty.messenger import ANSWER_S_MAX
from tests.simulation.wechat.book import Book, ChannelRefusalError
from tests.simulation.wechat.mischief import Mischief, Mischiefs, Wish

Act = Callable[[dict[str, Any]], dict[str, Any]]


class _Messenger(Protocol):
    async def run(self, http: httpx.AsyncClient) -> None: ...


def application(routes: Sequence[BaseRoute], acts: Mapping[str, Act], messenger: _Messenger) -> Starlette:
    """Return the application with its back door; its lifespan owns the task that delivers notifications."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        with suppress(asyncio.CancelledError):
            async with (
                httpx.AsyncClient(trust_env=False, timeout=ANSWER_S_MAX) as http,
                asyncio.TaskGroup() as group,
            ):
                task = group.create_task(messenger.run(http))
                yield
                task.cancel()

    doors = [Route(f"/control/{name}", _door(act), methods=["POST"]) for name, act in acts.items()]
    return Starlette(routes=[*routes, *doors], lifespan=lifespan)


def common_acts(book: Book, mischiefs: Mischiefs) -> dict[str, Act]:
    """Return the deeds at the back door that every counterparty knows."""

    def misbehave(fields: dict[str, Any]) -> dict[str, Any]:
        wish = Wish(
            kind=Mischief(fields["kind"]),
            order=fields.get("order", ""),
            value=int(fields.get("value", 1)),
            times=int(fields.get("times", 1)),
        )
        mischiefs.add(wish)
        return {}

    def calm(fields: dict[str, Any]) -> dict[str, Any]:
        del fields
        mischiefs.clear()
        return {}

    def read_book(fields: dict[str, Any]) -> dict[str, Any]:
        number = fields["mchid"]
        return {
            "trades": book.trades(number),
            "refunds": book.refunds(number),
            "merchant_fen": book.balance(f"merchant:{number}"),
        }

    return {"mischief": misbehave, "calm": calm, "book": read_book}


def _door(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return JSONResponse(act(json.loads(await request.body())))
        except ChannelRefusalError as no:
            return JSONResponse({"code": no.code, "message": no.message}, no.status)

    return serve
