"""`gatehouse edge id-card LINE`: whether a kiosk's reader of identity cards works; shown masked, kept nowhere."""

from __future__ import annotations

from edge.driver.gate_mqtt import split_address
from edge.driver.id_reader import BAUD, IdReader, shown
from edge.driver.outcome import WireKind
from edge.transport.line import serial_line, tcp_line

PATIENCE_S = 30.0


async def read_one(line: str, kind: WireKind, patience_s: float = PATIENCE_S) -> str:
    """Read one card and return what may be shown of it.

    Raises:
        RefusalError: no card came, or the reader does not answer as it should.
    """
    behind = tcp_line(*split_address(line)) if kind is WireKind.SERIAL_TCP else serial_line(line, BAUD, "none")
    reader = IdReader(behind)
    try:
        name, number = shown(await reader.read_card(patience_s))
    finally:
        await reader.close()
    return f"card read: {name} {number}; nothing was kept\n"
