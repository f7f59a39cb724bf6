"""The stand of the payments bench: API, worker and channel as processes of their own, over a durable server.

The bench itself plays what is outside: it lets payers pay, keeps the channel's notifications, and posts them to the API
at its own pace. Each process is asked for the processor time it took.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml
from typing_extensions import override

from cloud import flow
from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.clock import SystemClock, machine_now_s
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP, OWNER, WORKER
from cloud.kit.secretbox import SecretBox
from cloud.payments.cashier import Cashier
from cloud.payments.channel import Channel
from cloud.payments.providers import ChannelUrls, Providers
from cloud.payments.service import Way
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import Counter, open_counter
from tests.simulation.processes import Process, free_port, wait_until
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.clock import SettableClock
from tests.support.postgres import test_server

FLATS = 40
BILLED_FEN = 1_000_000_000
_KEY = bytes(range(32))
_START_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_TICK_FIELDS = slice(11, 15)  # user and system time, its own and that of children that ended
_PARENT_FIELD = 1


class RemoteChannel(InProcessChannel):
    """The channel in a process of its own, as its merchant reaches it."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder = folder
        self.http = httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=30)
        self.client_skew_s = 0

    @override
    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notification as the channel sent it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class LetterBox:
    """Keeps what the channel sends, and says that it has it."""

    letters: list[Letter] = field(default_factory=list)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the channel."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().rstrip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                kept = {name: value for name, value in headers.items() if name.startswith(("wechatpay", "content-t"))}
                self.letters.append(Letter(path=first.split()[1], headers=kept, body=body))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()


@dataclass(slots=True, kw_only=True)
class Stand:
    """Everything the bench drives."""

    counter: Counter
    clock: SettableClock
    cashier: Cashier
    actor: Actor
    box: LetterBox
    api_url: str
    processes: dict[str, int]
    conninfo: Callable[[str], str]

    async def ordered(self, count: int) -> list[tuple[str, Letter]]:
        """Place and pay orders of all flats in turn, and return each number with the notification about it.

        The questions that the worker would ask by the clock are put off, so that only a notification makes it ask.
        """
        numbers = []
        for n in range(count):
            self.clock.set(SystemClock().now())  # the worker's clock: an order that looked old would be closed
            request = await self.counter.request(n % FLATS, amount_fen=100)
            attempt = await self.cashier.start(self.counter.tenant, self.actor, request, Way.usual(Channel.WECHAT))
            numbers.append(attempt.order_number)
        await self.rest()
        async with await psycopg.AsyncConnection.connect(self.conninfo(SUPERUSER), autocommit=True) as connection:
            later = "update job set run_at = now() + interval '1 hour' where kind = 'payments.ask' and state = 'ready'"
            await connection.execute(later)
        await self.rest()
        self.box.letters.clear()
        for number in numbers:
            await self.counter.channel.control("pay", number=number)
        await _until(lambda: len(self.box.letters) >= count)
        provider = self.counter.providers.of(self.counter.account)
        opened = [provider.open_notification(httpx.Headers(letter.headers), letter.body) for letter in self.box.letters]
        return [(notice.order_number, letter) for notice, letter in zip(opened, self.box.letters, strict=True)]

    async def rest(self) -> None:
        """Go on once no job that is due waits."""
        query = "select count(*) from job where state in ('ready', 'leased') and run_at <= now()"
        async with await psycopg.AsyncConnection.connect(self.conninfo(SUPERUSER), autocommit=True) as connection:
            async with asyncio.timeout(_START_S):
                while (row := await (await connection.execute(query)).fetchone()) is None or row[0]:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    def spent_s(self) -> dict[str, float]:
        """Return the processor seconds of each process so far; the database's are those of all its processes."""
        spent = {name: _own_s(pid) for name, pid in self.processes.items() if name != "database"}
        server = self.processes["database"]
        spent["database"] = _own_s(server) + sum(_own_s(pid) for pid in _children(server))
        spent["bench"] = time.process_time()
        return spent


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(_START_S):
        while not holds():  # noqa: ASYNC110 - what is waited for is in other processes
            await asyncio.sleep(0.05)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()


def _own_s(pid: int) -> float:
    try:
        return sum(int(ticks) for ticks in _stat(pid)[_TICK_FIELDS]) / _TICKS
    except OSError:
        return 0.0


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_stat(int(entry.name))[_PARENT_FIELD]) == pid:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@asynccontextmanager
async def open_stand(folder: Path) -> AsyncIterator[Stand]:
    """Open the stand: a billed site, a merchant account at the channel, and the processes."""
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    with test_server(durable=True) as server, server.fresh_database() as name:

        def conninfo(role: str) -> str:
            return server.server.conninfo(role=role, database=name)

        ids = TimeOrderedIds(clock.now, secrets.token_bytes)
        opened = [Database(conninfo(role), clock=clock, ids=ids, route=router(flow.ROUTES)) for role in (APP, WORKER)]
        running: list[Process] = []
        try:
            simulator = _channel(folder, running)
            channel = RemoteChannel(folder / "wechat", simulator)
            tenant = TenantId(ids.new())
            async with opened[0].unit(tenant, system_actor("set-up")) as unit:
                await estate.create_tenant(unit, code="bench", name="测量物业")
            actor = system_actor("bench")
            site = await b.build_site(opened[0], opened[1], tenant, actor, flats=FLATS)
            async with open_counter(Office(site, clock), channel) as counter:
                await counter.bill(0, *([BILLED_FEN] * FLATS))
                yield await _opened(folder, counter, running, simulator, conninfo)
            await channel.close()
        finally:
            for process in reversed(running):
                process.stop()
            for database in opened:
                await database.close()


def _channel(folder: Path, running: list[Process]) -> str:
    """Start the channel and return its address."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "wechat"
    command = [sys.executable, "-m", "tests.simulation.wechat", "--dir", str(place)]
    running.append(Process(name="channel", command=command, log=folder / "channel.log"))
    running[-1].start()
    wait_until((place / "ready.json").exists, what="the channel", seconds=_START_S, watched=running)
    return str(json.loads((place / "ready.json").read_text(encoding="utf-8"))["base_url"])


async def _opened(
    folder: Path, counter: Counter, running: list[Process], simulator: str, conninfo: Callable[[str], str]
) -> Stand:
    box = LetterBox()
    letters = await asyncio.start_server(box.take, "127.0.0.1", 0)
    home, port = folder / "home", free_port()
    home.mkdir()
    api_url = f"http://127.0.0.1:{port}"
    database = {"app": conninfo(APP), "worker": conninfo(WORKER), "owner": conninfo(OWNER)}
    settings: dict[str, Any] = {"port": port, "public_url": api_url, "wechat_url": simulator, "database": database}
    (home / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (home / "secret.key").write_text(base64.b64encode(_KEY).decode(), encoding="ascii")
    for name in ("serve", "worker"):
        command = [sys.executable, "-m", "cloud", name, "--home", str(home)]
        running.append(Process(name=name, command=command, log=folder / f"{name}.log"))
        running[-1].start()
    wait_until(lambda: _answers(api_url), what="the API", seconds=_START_S, watched=running)
    urls = ChannelUrls(wechat=simulator, alipay=simulator, unionpay=simulator)
    providers = Providers(counter.channel.http, urls, SecretBox(_KEY), machine_now_s, lambda: secrets.token_hex(16))
    address = letters.sockets[0].getsockname()
    cashier = Cashier(counter.database, providers, f"http://127.0.0.1:{address[1]}", secrets.token_bytes)
    with psycopg.connect(conninfo(SUPERUSER)) as connection:
        row = connection.execute("select pg_read_file('postmaster.pid')").fetchone()
    pids = {one.name: one.popen.pid for one in running if one.popen is not None}
    return Stand(
        counter=counter,
        clock=counter.office.clock,
        cashier=cashier,
        actor=counter.office.site.actor,
        box=box,
        api_url=api_url,
        processes={**pids, "database": int(str(row[0] if row else "").split()[0])},
        conninfo=conninfo,
    )


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/metrics", trust_env=False).status_code < httpx.codes.INTERNAL_SERVER_ERROR
    except httpx.HTTPError:
        return False
