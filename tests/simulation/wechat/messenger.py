"""Notifications of the channel: signed, secret, repeated on the documented plan until somebody answers 200 or 204."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from sqlite3 import Row
from typing import Any

import httpx

from tests.simulation.wechat import seals
from tests.simulation.wechat.keys import Keys
from tests.simulation.wechat.mischief import Mischief, Mischiefs

REPEATS_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
_STALE_S = 600
_CUT_BYTES = 20
_IDLE_S = 60.0
ANSWER_S_MAX = 5
_PARALLEL_MAX = 16
_SUBJECTS = {
    "REFUND": ("refund", "退款通知"),
    "ENTRUST": ("contract", "签约协议变更"),
    "TRANSACTION": ("transaction", "支付成功"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notification on its way."""

    url: str
    body: bytes
    due_s: float
    tries: int = 0
    spoiled_by: Mischief | None = None


class Messenger:
    """Delivers messages; run `run` as a task of the channel's task group."""

    def __init__(self, keys: Keys, mischiefs: Mischiefs, hurry: int) -> None:
        self._keys = keys
        self._mischiefs = mischiefs
        self._hurry = hurry
        self._waiting: list[Message] = []
        self._wake = asyncio.Event()
        self.delivered = 0
        self.refused = 0

    def announce(self, kind: str, merchant: Row, url: str, resource: dict[str, Any], created: str) -> None:
        """Queue a notification about an order or a refund, spoiled as wished."""
        order = str(resource.get("out_trade_no") or resource["out_contract_code"])
        if self._mischiefs.take(Mischief.NOTIFY_NEVER, order) is not None:
            return
        honest = self._message(kind, merchant, url, resource, created)
        false_resource = self._falsified(order, resource)
        spoiled = self._spoiling(order)
        if false_resource is not None:
            self._waiting.append(self._message(kind, merchant, url, false_resource, created))
        if spoiled is not None:
            honest = replace(honest, spoiled_by=spoiled)
        late_s = self._mischiefs.take(Mischief.NOTIFY_LATE, order) or 0
        copies = self._mischiefs.take(Mischief.NOTIFY_PARALLEL, order) or 1
        self._waiting += [replace(honest, due_s=honest.due_s + late_s)] * copies
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Return how many notifications are not yet answered well."""
        return len(self._waiting)

    async def run(self, http: httpx.AsyncClient) -> None:
        """Deliver what is due, for ever."""
        while True:
            await self.deliver_due(http)
            pause_s = min((message.due_s - time.time() for message in self._waiting), default=_IDLE_S)
            if pause_s <= 0:
                continue
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def deliver_due(self, http: httpx.AsyncClient) -> None:
        """Deliver what is due now, in parallel."""
        now = time.time()
        due = [message for message in self._waiting if message.due_s <= now][:_PARALLEL_MAX]
        for message in due:
            self._waiting.remove(message)
        async with asyncio.TaskGroup() as group:
            for message in due:
                group.create_task(self._deliver(http, message))

    async def _deliver(self, http: httpx.AsyncClient, message: Message) -> None:
        body = message.body
        headers = self._headers(message)
        if message.spoiled_by is Mischief.NOTIFY_TRUNCATED:
            body = body[:-_CUT_BYTES]
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                answer = await http.post(message.url, content=body, headers=headers)
            good = answer.status_code in {200, 204}
        except (httpx.HTTPError, TimeoutError):
            good = False
        if good:
            self.delivered += 1
            return
        self.refused += 1
        if message.tries < len(REPEATS_S):
            due_s = time.time() + REPEATS_S[message.tries] / self._hurry
            self._waiting.append(replace(message, due_s=due_s, tries=message.tries + 1, spoiled_by=None))

    def _headers(self, message: Message) -> dict[str, str]:
        spoiled = message.spoiled_by
        timestamp = str(int(self._keys.machine_s()) - (_STALE_S if spoiled is Mischief.NOTIFY_STALE else 0))
        nonce = os.urandom(16).hex()
        key = self._keys.stranger if spoiled is Mischief.NOTIFY_FORGED else self._keys.current
        signature = key.seal(seals.lines(timestamp, nonce, message.body))
        if spoiled is Mischief.NOTIFY_PROBE:
            signature = f"WECHATPAY/SIGNTEST/{signature}"
        unknown = spoiled is Mischief.NOTIFY_UNKNOWN_SERIAL
        return {
            "Content-Type": "application/json",
            "User-Agent": "Mozilla/4.0",
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Serial": "PUB_KEY_ID_UNKNOWN" if unknown else self._keys.current.serial,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }

    def _message(self, kind: str, merchant: Row, url: str, resource: dict[str, Any], created: str) -> Message:
        subject, summary = next(words for prefix, words in _SUBJECTS.items() if kind.startswith(prefix))
        secret = seals.hide(merchant["api_key"], _json(resource), subject)
        body = _json(
            {
                "id": f"EV-{os.urandom(12).hex()}",
                "create_time": created,
                "resource_type": "encrypt-resource",
                "event_type": kind,
                "summary": summary,
                "resource": {"original_type": subject, **secret},
            }
        )
        return Message(url=url, body=body, due_s=time.time())

    def _falsified(self, order: str, resource: dict[str, Any]) -> dict[str, Any] | None:
        """Return a resource that lies, in a truly signed message, when one was wished for."""
        add_fen = self._mischiefs.take(Mischief.NOTIFY_WRONG_AMOUNT, order)
        if add_fen is not None:
            return {**resource, "amount": {**resource["amount"], "total": resource["amount"]["total"] + add_fen}}
        if self._mischiefs.take(Mischief.NOTIFY_WRONG_MERCHANT, order) is not None:
            return {**resource, "mchid": "1999999999"}
        if self._mischiefs.take(Mischief.NOTIFY_WRONG_ORDER, order) is not None:
            return {**resource, "out_trade_no": "GH20000101ZZZZZZZZZZZZZZ"}
        return None

    def _spoiling(self, order: str) -> Mischief | None:
        kinds = (
            Mischief.NOTIFY_FORGED,
            Mischief.NOTIFY_UNKNOWN_SERIAL,
            Mischief.NOTIFY_PROBE,
            Mischief.NOTIFY_STALE,
            Mischief.NOTIFY_TRUNCATED,
        )
        return next((kind for kind in kinds if self._mischiefs.take(kind, order) is not None), None)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
