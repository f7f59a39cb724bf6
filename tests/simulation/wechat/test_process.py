"""The channel as a process of its own: it pays, notifies, repeats, and goes on after a restart."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

from tests.simulation.processes import Process, wait_until
from tests.simulation.wechat.book import BEIJING, Book
from tests.simulation.wechat.seals import new_key

SECONDS = 15
MCHID = "1900000109"


class House(ThreadingHTTPServer):
    """Hears notifications; answers 500 to the first ones, then 204."""

    def __init__(self, refusals: int) -> None:
        self.heard: list[dict[str, Any]] = []
        self.refusals = refusals
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: House

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append({"body": json.loads(body), "serial": self.headers["Wechatpay-Serial"]})
        refused = len(self.server.heard) <= self.server.refusals
        self.send_response(500 if refused else 204)
        self.end_headers()

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def house(refusals: int) -> Iterator[House]:
    server = House(refusals)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def channel(folder: Path) -> Iterator[str]:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.simulation.wechat", "--dir", str(folder), "--hurry", "100"]
    process = Process(name="wechat", command=command, log=folder.parent / "wechat.log")
    process.start()
    try:
        wait_until(ready.exists, what="the channel", seconds=SECONDS, watched=[process])
        base_url: str = json.loads(ready.read_text("utf-8"))["base_url"]
        yield base_url
    finally:
        process.stop()


def act(base_url: str, name: str, **fields: Any) -> dict[str, Any]:
    answer = httpx.post(f"{base_url}/control/{name}", json=fields, timeout=SECONDS, trust_env=False)
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


@pytest.mark.slow
def test_a_payment_is_announced_until_it_is_heard_and_the_book_survives_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "wechat"
    folder.mkdir()
    merchant = new_key("S")
    order = {
        "out_trade_no": "GH20260305AAAAAAAAAAAAA0",
        "description": "物业费",
        "amount": {"total": 500, "currency": "CNY"},
        "time_expire": "2100-01-01T00:00:00+08:00",
    }
    with house(refusals=1) as heard, channel(folder) as base_url:
        fields = {"mchid": MCHID, "appid": "wx1", "serial": "S", "api_key": "k" * 32}
        keys = act(base_url, "merchants", **fields, public_pem=merchant.public_pem())
        book = Book(folder / "book.sqlite")
        notify_url = f"http://127.0.0.1:{heard.server_address[1]}/notify"
        code = book.place(MCHID, {**order, "notify_url": notify_url})
        book.close()
        paid = act(base_url, "pay", code_url=code)
        deadline = time.monotonic() + SECONDS
        while len(heard.heard) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [note["serial"] for note in heard.heard] == [keys["current"]] * 2
        assert len({note["body"]["id"] for note in heard.heard}) == 1
    with channel(folder) as base_url:
        told = act(base_url, "book", mchid=MCHID)
        assert [trade["transaction_id"] for trade in told["trades"]] == [paid["transaction_id"]]
        assert told["merchant_fen"] == 500 - 3
        assert act(base_url, "keys")["keys"] == keys["keys"]


def test_times_are_beijings() -> None:
    assert BEIJING.utcoffset(None).total_seconds() == 8 * 3600
