"""A charging pile that speaks OCPP 1.6-J over a real websocket, with the habits of real ones.

It keeps what it could not tell while the gateway was away and tells it afterwards, in order; it repeats a start whose
answer was lost; it obeys remote commands.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

ANSWER_S = 5


@dataclass(slots=True)
class OcppPile:
    """One pile with one connector; `told` keeps every remote command it obeyed."""

    name: str
    port: int
    socket: ClientConnection | None = None
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    _number: int = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[OcppPile]:
        """Be connected while the block runs."""
        address = f"ws://127.0.0.1:{self.port}/ocpp/{self.name}"
        async with connect(address, subprotocols=[Subprotocol("ocpp1.6")]) as socket, asyncio.TaskGroup() as group:
            self.socket = socket
            task = group.create_task(self._listen(socket))
            try:
                yield self
            finally:
                task.cancel()
                self.socket = None

    async def ask(self, action: str, **payload: Any) -> Any:
        """Send a call and return the payload of its result, or the code of its error."""
        self._number += 1
        return await self.send(json.dumps([2, f"m{self._number}", action, payload]), f"m{self._number}")

    async def send(self, text: str, key: str) -> Any:
        """Send a message as it is and return what came back under its key."""
        assert self.socket is not None
        future = self._waiting[key] = asyncio.get_running_loop().create_future()
        await self.socket.send(text)
        async with asyncio.timeout(ANSWER_S):
            return await future

    async def boot(self) -> str:
        """Tell that the pile has started and return what the gateway says to it."""
        answer = await self.ask("BootNotification", chargePointVendor="Sim", chargePointModel="P1")
        return str(answer["status"])

    async def start(self, card: str, meter_wh: int, at: datetime) -> dict[str, Any]:
        """Tell of a charge that has begun."""
        answer: dict[str, Any] = await self.ask(
            "StartTransaction", connectorId=1, idTag=card, meterStart=meter_wh, timestamp=text(at)
        )
        return answer

    async def sample(self, transaction: int, wh: int | str, at: datetime, unit: str = "Wh") -> None:
        """Tell a register, among a power that is none."""
        values = [
            {"value": "7100", "measurand": "Power.Active.Import", "unit": "W"},
            {"value": str(wh), "unit": unit},
        ]
        await self.ask(
            "MeterValues",
            connectorId=1,
            transactionId=transaction,
            meterValue=[{"timestamp": text(at), "sampledValue": values}],
        )

    async def stop(self, transaction: int, meter_wh: int, at: datetime, reason: str = "Local") -> Any:
        """Tell of a charge that has ended."""
        return await self.ask(
            "StopTransaction", transactionId=transaction, meterStop=meter_wh, timestamp=text(at), reason=reason
        )

    async def status(self, status: str, at: datetime) -> None:
        """Tell what the connector does."""
        await self.ask("StatusNotification", connectorId=1, errorCode="NoError", status=status, timestamp=text(at))

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            kind, key, *rest = json.loads(message)
            if kind == 2:
                self.told.append((rest[0], rest[1]))
                await socket.send(json.dumps([3, key, {"status": "Accepted"}]))
            elif key in self._waiting and not self._waiting[key].done():
                self._waiting.pop(key).set_result(rest[0])


def text(at: datetime) -> str:
    """Return an instant as piles write it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
