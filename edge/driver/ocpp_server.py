"""The gateway as central system of its OCPP 1.6-J charging piles: one port, one websocket a pile.

Invariants: a pile is answered only after the stage has stored what it said; a message that cannot be understood is
answered with an error of the protocol, counted, and the pile goes on; a pile that is not of the site is turned away at
the door; what arrives is bounded. This module is imported only when a site has such piles (12 MiB of packages).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from ocpp.exceptions import OCPPError
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    Action,
    AuthorizationStatus,
    RegistrationStatus,
    RemoteStartStopStatus,
)
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from common.clock import Clock, to_epoch_ms
from common.errors import RefusalError
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import WireConfig, WireStats
from edge.driver.pile_events import PileDesk, Plug, Sampled, StartTold, StopAnswer, StopTold, Verdict
from edge.protocol.ocpp_json import energy_wh, id_token, parse_instant, register_wh

PROTOCOL = Subprotocol("ocpp1.6")
MESSAGE_BYTES_MOST = 64 * 1024
HEARTBEAT_S = 300
ANSWER_S_MOST = 20
QUIET_S_MOST = 30.0
_LOG = structlog.get_logger()
_PLUGS = {
    "Available": Plug.FREE,
    "Reserved": Plug.FREE,
    "Preparing": Plug.PLUGGED,
    "Finishing": Plug.PLUGGED,
    "SuspendedEVSE": Plug.PLUGGED,
    "Charging": Plug.CHARGING,
    "SuspendedEV": Plug.FULL,
    "Faulted": Plug.FAULTED,
    "Unavailable": Plug.FAULTED,
}
_STATUS = {
    Verdict.ACCEPTED: AuthorizationStatus.accepted,
    Verdict.UNKNOWN: AuthorizationStatus.invalid,
    Verdict.EXPIRED: AuthorizationStatus.expired,
    Verdict.BUSY: AuthorizationStatus.concurrent_tx,
}


class OcppWire:
    """The owner of the port that OCPP piles connect to."""

    def __init__(self, config: WireConfig, piles: Iterable[str], desk: PileDesk, clock: Clock) -> None:
        self._config = config
        self._host, self._port = split_address(config.address)
        self._piles = frozenset(piles)
        self._desk = desk
        self._clock = clock
        self._online: dict[str, _Pile] = {}
        self.stats = WireStats()
        self.bound = asyncio.Event()
        self.port = self._port

    async def run(self) -> None:
        """Serve until cancelled."""
        async with serve(
            self._serve,
            self._host,
            self._port,
            subprotocols=[PROTOCOL],
            process_request=self._admit,
            max_size=MESSAGE_BYTES_MOST,
            max_queue=16,
            open_timeout=ANSWER_S_MOST,
            ping_timeout=QUIET_S_MOST,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            self.bound.set()
            await asyncio.Event().wait()

    async def remote_start(self, pile: str, connector: int, card: str) -> StopAnswer:
        """Ask a pile to begin a charge."""
        return await self._ask(pile, call.RemoteStartTransaction(id_tag=card, connector_id=connector))

    async def remote_stop(self, pile: str, connector: int, transaction: int) -> StopAnswer:  # noqa: ARG002 - a charge has its own number here
        """Ask a pile to end a charge."""
        return await self._ask(pile, call.RemoteStopTransaction(transaction_id=transaction))

    async def _ask(self, pile: str, question: Any) -> StopAnswer:
        online = self._online.get(pile)
        if online is None:
            return StopAnswer.UNREACHABLE
        self.stats.exchanges += 1
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                answer = await online.call(question)
        except (TimeoutError, ConnectionClosed, OCPPError):
            self.stats.timeouts += 1
            return StopAnswer.UNKNOWN
        self.stats.answers += 1
        accepted = answer is not None and answer.status == RemoteStartStopStatus.accepted
        return StopAnswer.ACCEPTED if accepted else StopAnswer.REFUSED

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Turn away who is no pile of the site; whether anything else is wrong the handshake says."""
        pile = request.path.rstrip("/").rpartition("/")[2]
        if pile in self._piles:
            return None
        self.stats.refusals += 1
        _LOG.warning("unknown_pile_turned_away", wire=self._config.wire, pile=pile[:64])
        return connection.respond(HTTPStatus.NOT_FOUND, "this pile is not of the site; add it to the site first\n")

    async def _serve(self, connection: ServerConnection) -> None:
        pile = "" if connection.request is None else connection.request.path.rstrip("/").rpartition("/")[2]
        before = self._online.get(pile)
        if before is not None:
            await before.hang_up()
        online = self._online[pile] = _Pile(pile, connection, (self._desk, self._clock, self.stats))
        self.stats.reconnects += 1
        try:
            await online.listen()
        finally:
            if self._online.get(pile) is online:
                del self._online[pile]


class _Pile(ChargePoint):  # type: ignore[misc]  # the package has no types
    """One pile while it is connected."""

    def __init__(self, pile: str, connection: ServerConnection, around: tuple[PileDesk, Clock, WireStats]) -> None:
        super().__init__(pile, connection, response_timeout=ANSWER_S_MOST)
        self._desk, self._clock, self._stats = around
        self._socket = connection

    async def hang_up(self) -> None:
        """Close a connection that a newer one of the same pile replaces."""
        await self._socket.close(1001, "connected anew")

    async def listen(self) -> None:
        """Take the pile's messages one after another until it goes."""
        try:
            async for message in self._socket:
                self._stats.answers += 1
                try:
                    await self.route_message(message if isinstance(message, str) else message.decode())
                except (OCPPError, RefusalError, ValueError, KeyError, TypeError, RecursionError) as problem:
                    self._stats.bad_values += 1
                    _LOG.warning("pile_message_refused", pile=self.id, reason=str(problem)[:200])
        except ConnectionClosed:
            pass

    @on(Action.boot_notification)  # type: ignore[untyped-decorator]  # the package has no types
    async def on_boot(self, **_: Any) -> call_result.BootNotification:
        """Answer a pile that has started."""
        ours = await self._desk.boot(self.id)
        status = RegistrationStatus.accepted if ours else RegistrationStatus.rejected
        return call_result.BootNotification(current_time=self._now(), interval=HEARTBEAT_S, status=status)

    @on(Action.heartbeat)  # type: ignore[untyped-decorator]  # the package has no types
    async def on_heartbeat(self) -> call_result.Heartbeat:
        """Answer with our time."""
        return call_result.Heartbeat(current_time=self._now())

    @on(Action.authorize)  # type: ignore[untyped-decorator]  # the package has no types
    async def on_authorize(self, id_tag: str, **_: Any) -> call_result.Authorize:
        """Answer whether a card may charge."""
        return call_result.Authorize(id_tag_info=_info(await self._desk.authorize(self.id, id_token(id_tag))))

    @on(Action.start_transaction)  # type: ignore[untyped-decorator]  # the package has no types
    async def on_start(
        self, connector_id: int, id_tag: str, meter_start: int, timestamp: str, **_: Any
    ) -> call_result.StartTransaction:
        """Take the start of a charge."""
        told = StartTold(
            pile=self.id,
            connector=connector_id,
            card=id_token(id_tag),
            meter_wh=register_wh(meter_start),
            at_ms=self._instant(timestamp),
        )
        transaction, verdict = await self._desk.start(told)
        return call_result.StartTransaction(transaction_id=transaction, id_tag_info=_info(verdict))

    @on(Action.stop_transaction)  # type: ignore[untyped-decorator]  # the package has no types
    async def on_stop(
        self, meter_stop: int, timestamp: str, transaction_id: int, **more: Any
    ) -> call_result.StopTransaction:
        """Take the end of a charge, and the registers a pile hands in with it."""
        transaction = transaction_id if transaction_id > 0 else None
        await self._take_samples(0, transaction, more.get("transaction_data") or ())
        told = StopTold(
            pile=self.id,
            transaction=transaction,
            meter_wh=register_wh(meter_stop),
            at_ms=self._instant(timestamp),
            reason=str(more.get("reason") or "Local")[:40],
        )
        await self._desk.stop(told)
        return call_result.StopTransaction()

    @on(Action.meter_values)  # type: ignore[untyped-decorator]  # the package has no types
    async def on_meter_values(
        self, connector_id: int, meter_value: Iterable[Mapping[str, Any]], **more: Any
    ) -> call_result.MeterValues:
        """Take the registers of a charge under way."""
        transaction = more.get("transaction_id")
        await self._take_samples(connector_id, transaction if transaction and transaction > 0 else None, meter_value)
        return call_result.MeterValues()

    @on(Action.status_notification)  # type: ignore[untyped-decorator]  # the package has no types
    async def on_status(self, connector_id: int, status: str, **more: Any) -> call_result.StatusNotification:
        """Take what a connector says of itself; connector 0 is the pile as a whole."""
        plug = _PLUGS.get(status)
        if connector_id > 0 and plug is not None:
            await self._desk.plug(self.id, connector_id, plug, self._instant(more.get("timestamp")))
        return call_result.StatusNotification()

    async def _take_samples(self, connector: int, transaction: int | None, values: Iterable[Mapping[str, Any]]) -> None:
        for value in values:
            wh = energy_wh(value.get("sampled_value") or ())
            if wh is not None:
                at_ms = self._instant(value.get("timestamp"))
                await self._desk.sample(
                    Sampled(pile=self.id, connector=connector, transaction=transaction, meter_wh=wh, at_ms=at_ms)
                )

    def _instant(self, text: str | None) -> int:
        return to_epoch_ms(parse_instant(text, self._clock.now()))

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")


def _info(verdict: Verdict) -> dict[str, Any]:
    return {"status": _STATUS[verdict]}
