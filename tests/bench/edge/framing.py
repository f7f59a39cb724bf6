"""The least a poll can cost: bare asyncio streams and `struct`, the same farm, the same pace, nothing kept.

python -m tests.bench.edge.framing FIRST_PORT PERIOD_MS
"""

from __future__ import annotations

import asyncio
import struct
import sys

from tests.bench.edge.farm import PORTS, READ_INPUT, REGISTERS, UNITS

_HEADER_BYTES = 9


async def poll_port(port: int, period_s: float) -> None:
    """Ask every meter of a port once a period, for good."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    loop, transaction = asyncio.get_running_loop(), 0
    due = loop.time()
    while True:
        for unit in range(1, UNITS + 1):
            transaction = transaction + 1 & 0xFFFF
            writer.write(struct.pack(">HHHBBHH", transaction, 0, 6, unit, READ_INPUT, 0, REGISTERS))
            head = await reader.readexactly(_HEADER_BYTES)
            values = struct.unpack(f">{REGISTERS}H", await reader.readexactly(head[-1]))
            if struct.unpack(">H", head[:2])[0] != transaction or len(values) != REGISTERS:
                raise ValueError("an answer to another question")
        due += period_s
        await asyncio.sleep(max(0.0, due - loop.time()))


async def main(first_port: int, period_s: float) -> None:
    """Poll all ports."""
    async with asyncio.TaskGroup() as group:
        for n in range(PORTS):
            group.create_task(poll_port(first_port + n, period_s))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
