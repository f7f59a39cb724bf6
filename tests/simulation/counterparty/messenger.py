"""Notifications as signed forms, repeated on the channel's plan until it is answered with the word it expects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import httpx

from tests.simulation.wechat.mischief import Mischief, Mischiefs

ANSWER_S_MAX = 5
_IDLE_S = 60.0
_PARALLEL_MAX = 16
_CUT_BYTES = 40
Sealer = Callable[[Mapping[str, str], Mischief | None], dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A notification on its way; it is sealed each time it is sent."""

    url: str
    fields: Mapping[str, str]
    due_s: float
    tries: int = 0
    spoiled_by: Mischief | None = None


class FormMessenger:
    """Delivers forms; run `run` as a task of the channel's task group."""

    def __init__(self, mischiefs: Mischiefs, seal: Sealer, word: str, repeats_s: Sequence[int], hurry: int) -> None:
        self._mischiefs = mischiefs
        self._seal = seal
        self._word = word
        self._repeats_s = repeats_s
        self._hurry = hurry
        self._waiting: list[Form] = []
        self._wake = asyncio.Event()
        self.delivered = 0
        self.refused = 0

    def announce(self, order: str, url: str, fields: Mapping[str, str], lie: Mapping[str, str] | None) -> None:
        """Queue a notification about an order, spoiled as wished; `lie` is the truly signed falsehood to send first."""
        take = self._mischiefs.take
        if not url or take(Mischief.NOTIFY_NEVER, order) is not None:
            return
        now = time.time()
        if lie is not None:
            self._waiting.append(Form(url=url, fields=lie, due_s=now))
        spoiling = (Mischief.NOTIFY_FORGED, Mischief.NOTIFY_STALE, Mischief.NOTIFY_TRUNCATED)
        spoiled = next((kind for kind in spoiling if take(kind, order) is not None), None)
        late_s = take(Mischief.NOTIFY_LATE, order) or 0
        copies = take(Mischief.NOTIFY_PARALLEL, order) or 1
        honest = Form(url=url, fields=fields, due_s=now + late_s, spoiled_by=spoiled)
        self._waiting += [honest] * copies
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Return how many notifications are not yet answered well."""
        return len(self._waiting)

    async def run(self, http: httpx.AsyncClient) -> None:
        """Deliver what is due, for ever."""
        while True:
            await self.deliver_due(http)
            pause_s = min((form.due_s - time.time() for form in self._waiting), default=_IDLE_S)
            if pause_s <= 0:
                continue
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def deliver_due(self, http: httpx.AsyncClient) -> None:
        """Deliver what is due now, in parallel."""
        now = time.time()
        due = [form for form in self._waiting if form.due_s <= now][:_PARALLEL_MAX]
        for form in due:
            self._waiting.remove(form)
        async with asyncio.TaskGroup() as group:
            for form in due:
                group.create_task(self._deliver(http, form))

    async def _deliver(self, http: httpx.AsyncClient, form: Form) -> None:
        body = urlencode(self._seal(form.fields, form.spoiled_by)).encode()
        if form.spoiled_by is Mischief.NOTIFY_TRUNCATED:
            body = body[:-_CUT_BYTES]
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                answer = await http.post(form.url, content=body, headers=headers)
            good = answer.status_code == httpx.codes.OK and answer.text == self._word
        except (httpx.HTTPError, TimeoutError):
            good = False
        if good:
            self.delivered += 1
            return
        self.refused += 1
        if form.tries < len(self._repeats_s):
            due_s = time.time() + self._repeats_s[form.tries] / self._hurry
            self._waiting.append(replace(form, due_s=due_s, tries=form.tries + 1, spoiled_by=None))
