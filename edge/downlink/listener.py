"""The listener: waits for bundles with a long poll, checks each, hands it to its applier, reports what became of it.

    answer ──verify──► fresh? ──apply──► site: in force on trial (edge.downlink.trial)
                │         │        ├──► good: kept, reported, in force        ┐
                │         │        └──► refused: reported, the last good stays ├─► effect report in the next batch
                └─────────┴── forged, stale, expired, foreign: counted, nothing changes

The gateway asks, so this works behind any NAT. What was seen once is not asked for again, refused or not. An effect is
recorded before the bundle is kept: after a crash between the two it is applied and reported once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_base

from common.errors import GatehouseError, RefusalError
from common.ids import GatewayId
from common.wire import cbor
from common.wire.bundle import Bundle, BundleKind, check_fresh, open_bundle
from common.wire.records import BundleEffect
from common.wire.refusal import WireError
from common.wire.requests import NO_CHALLENGE, Poll, PollAnswer, sign_poll, unpack_answer
from common.wire.signing import SigningKey
from edge.buffer.records import BundleState, Record, StoredBundle
from edge.downlink.trial import Trials

PATH = "/gateway/v1/downlink"
ON_TRIAL = frozenset({BundleKind.SITE})
POLL_S = 25
ANSWER_S_MAX = 20.0
_LAZY_S = 1.0  # after an answer without news; a cloud that answers at once does not make the gateway spin
_DISTRUST_S = 30.0  # after an answer that could not be trusted at all
_log = structlog.get_logger()

Applier = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class Shelf(Protocol):
    """What the listener needs of the store."""

    async def bundle(self, kind: str) -> StoredBundle | None:
        """Return the bundle in force."""
        ...

    async def save_bundle(self, bundle: StoredBundle) -> None:
        """Keep a bundle or change its state."""
        ...

    async def record(self, *records: Record) -> None:
        """Store records."""
        ...


class Credentials(Protocol):
    """Who asks, and whose answers count."""

    @property
    def gateway_id(self) -> GatewayId:
        """Return the gateway's id."""
        ...

    @property
    def key(self) -> SigningKey:
        """Return the key that signs now."""
        ...

    @property
    def trusted(self) -> Mapping[bytes, bytes]:
        """Return the public keys of the cloud by key id."""
        ...

    def renew(self, signed: bytes) -> None:
        """Keep a newer certificate."""
        ...


Post = Callable[[str, bytes, float], Awaitable[bytes]]


async def _no_command(body: Mapping[str, Any]) -> None:
    """Refuse every command; for a listener that obeys none."""
    raise RefusalError(f"the command {body.get('do')!r} is not known here; update the gateway")


@dataclass(slots=True, kw_only=True)
class ListenerStats:
    """Live counters of the downlink."""

    polls: int = 0
    applied: int = 0
    refused: int = 0
    distrusted: int = 0
    failures: int = 0
    connected: bool = False


@dataclass(slots=True, kw_only=True)
class Listener:
    """Keeps asking for news while it runs.

    `post` sends bytes to a path and returns the body of a good answer within some seconds, or raises one of
    `link_errors`. `now` gives the business time, None where no clock can be trusted: then nothing counts as expired.
    `reached` is called whenever the cloud has answered.
    """

    shelf: Shelf
    credentials: Credentials
    apply: Applier
    post: Post
    now: Callable[[], datetime | None]
    wait: wait_base
    link_errors: tuple[type[GatehouseError], ...]
    reached: Callable[[], None]
    command: Callable[[Mapping[str, Any]], Awaitable[None]] = _no_command
    trials: Trials | None = None
    wait_s: int = POLL_S
    stats: ListenerStats = field(default_factory=ListenerStats)
    _seen: dict[str, int] = field(default_factory=dict)
    _challenge: bytes = NO_CHALLENGE
    _awake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Poll until cancelled."""
        for kind in BundleKind:
            stored = await self.shelf.bundle(kind)
            if stored is not None:
                self._seen.setdefault(kind, stored.version)
        while True:
            challenge = self._challenge
            answer = await self._poll()
            taken = await self.take(answer)
            if answer.bundles and not taken:
                await asyncio.sleep(_DISTRUST_S)
            elif not answer.bundles and answer.challenge == challenge:
                await asyncio.sleep(_LAZY_S)

    def nudge(self) -> None:
        """Try again at once: something else has just reached the cloud."""
        self._awake.set()

    async def take(self, answer: PollAnswer) -> int:
        """Deal with the bundles of an answer, one by one, and return how many could be trusted.

        A bad one never keeps the next from being taken.
        """
        self._challenge = answer.challenge
        taken = 0
        for signed in answer.bundles:
            try:
                await self._take(signed)
            except WireError as error:
                self.stats.distrusted += 1
                _log.warning("bundle_distrusted", reason=str(error.reason))
            else:
                taken += 1
        return taken

    async def _take(self, signed: bytes) -> None:
        bundle = open_bundle(signed, self.credentials.trusted)
        check_fresh(
            bundle,
            gateway_id=self.credentials.gateway_id,
            version_in_force=self._seen.get(bundle.kind, 0),
            now=self.now(),
        )
        before = self.trials.before() if self.trials is not None and bundle.kind in ON_TRIAL else None
        refusal = await self._try(bundle, signed)
        state = BundleState.GOOD if refusal is None else BundleState.REFUSED
        if before is not None and refusal is None:
            state = BundleState.TRIAL
        else:
            effect = BundleEffect(kind=bundle.kind, version=bundle.version, effect=state, detail=(refusal or "")[:200])
            await self.shelf.record(effect)
        stored = StoredBundle(
            kind=bundle.kind,
            version=bundle.version,
            body=cbor.encode(dict(bundle.body)),
            signed=signed,
            state=state,
            detail=refusal or "",
        )
        await self.shelf.save_bundle(stored)
        self._seen[bundle.kind] = bundle.version
        if self.trials is not None and before is not None and state is BundleState.TRIAL:
            self.trials.begin(stored, before)

    async def _try(self, bundle: Bundle, signed: bytes) -> str | None:
        """Put a bundle in force; return why it was refused, None when it was not."""
        try:
            if bundle.kind is BundleKind.CERTIFICATE:
                await asyncio.to_thread(self.credentials.renew, signed)
            elif bundle.kind is BundleKind.COMMAND:
                await self.command(bundle.body)
            else:
                await self.apply(bundle.kind, bundle.body)
        except RefusalError as error:
            self.stats.refused += 1
            _log.error("bundle_refused", kind=str(bundle.kind), version=bundle.version, reason=str(error))
            return str(error)
        self.stats.applied += 1
        _log.info("bundle_applied", kind=str(bundle.kind), version=bundle.version)
        return None

    async def _poll(self) -> PollAnswer:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type((*self.link_errors, WireError)),
            wait=self.wait,
            sleep=self._rest,
            before_sleep=self._note_failure,
        )
        return await attempts(self._ask)

    async def _ask(self) -> PollAnswer:
        self.stats.polls += 1
        poll = Poll(
            gateway_id=self.credentials.gateway_id,
            challenge=self._challenge,
            have=dict(self._seen),
            wait_s=self.wait_s,
        )
        signed = sign_poll(poll, self.credentials.key)
        answer = unpack_answer(await self.post(PATH, signed, self.wait_s + ANSWER_S_MAX))
        self.reached()
        if not self.stats.connected:
            _log.info("downlink_connected")
        self.stats.connected = True
        return answer

    async def _rest(self, seconds: float) -> None:
        self._awake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        except TimeoutError:
            return

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self.stats.failures += 1
        if self.stats.connected or state.attempt_number == 1:
            _log.warning("downlink_lost", reason=str(error))
        self.stats.connected = False
