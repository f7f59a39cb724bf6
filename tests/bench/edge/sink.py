"""The cloud's end of the link, a process of its own: verifies batches, signs receipts, counts every reading.

    python -m tests.bench.edge.sink PORT GATEWAY_KEY_HEX

It answers `GET /counts` with what came: bytes, readings, readings of the first register by meter, doubles. It knows
no database, so what is measured is the gateway.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterable
from time import perf_counter

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from common.wire import codec
from common.wire.batch import Point
from common.wire.receipt import Receipt, sign_receipt
from common.wire.requests import CHALLENGE_BYTES, open_request, pack_answer, read_poll
from common.wire.sequence import Outcome
from common.wire.signing import Purpose, open_envelope, verify
from edge.uplink.link import CBOR, COSE
from tests.bench.edge.home import QUANTITIES
from tests.common.wire.builders import CLOUD_KEY, GATEWAY

CHALLENGE = bytes([7]) * CHALLENGE_BYTES
STOP_S = 1


class Sink:
    """What was accepted so far."""

    def __init__(self, gateway_key: bytes) -> None:
        self._gateway_key = gateway_key
        self.bytes = 0
        self.readings = 0
        self.batches = 0
        self.doubled = 0
        self.first_s: float | None = None
        self.last_s = 0.0
        self._bodies: list[bytes] = []
        self._epochs: dict[int, set[int]] = defaultdict(set)
        self.counters: dict[str, list[int]] = defaultdict(list)

    async def take(self, request: Request) -> Response:
        """Accept a batch and answer with its receipt."""
        body = await request.body()
        parcel = codec.unpack_parcel(body)
        header = codec.unpack_content(verify(open_envelope(parcel.signed, Purpose.BATCH), self._gateway_key)).header
        now_s = perf_counter()
        self.first_s = now_s if self.first_s is None else self.first_s
        self.last_s = now_s
        if header.sequence in self._epochs[header.epoch]:
            outcome = Outcome.REPEATED
        else:
            outcome = Outcome.STORED
            self._epochs[header.epoch].add(header.sequence)
            self._bodies.append(body)
        known = self._epochs[header.epoch]
        contiguous = next(n for n in range(len(known), -1, -1) if n == 0 or n in known)
        receipt = Receipt(
            gateway_id=GATEWAY,
            epoch=header.epoch,
            sequence=header.sequence,
            digest=parcel.digest,
            outcome=outcome,
            contiguous=contiguous,
            received_ms=header.made.at_ms,
        )
        return Response(sign_receipt(receipt, CLOUD_KEY), media_type=COSE)

    def _count(self, points: Iterable[Point], size: int) -> None:
        self.batches += 1
        self.bytes += size
        for point in points:
            self.readings += 1
            if point.series.quantity == QUANTITIES[0]:
                self.counters[str(point.series.meter_id)].append(point.value_milli // 1000)

    async def poll(self, request: Request) -> Response:
        """Answer as the cloud does that has no news: the first poll at once, the others when their patience ends."""
        poll = read_poll(verify(open_request(await request.body(), Purpose.POLL), self._gateway_key))
        if poll.challenge == CHALLENGE:
            await asyncio.sleep(poll.wait_s)
        return Response(pack_answer(CHALLENGE, ()), media_type=CBOR)

    async def report(self, _: Request) -> Response:
        """Return the counts; a meter's readings are whole numbers that must follow one another.

        What came is unpacked here and not while it comes, so that the sink does not set the pace.
        """
        for body in self._bodies:
            payload = open_envelope(codec.unpack_parcel(body).signed, Purpose.BATCH).payload
            self._count(codec.unpack_content(payload).points(), len(body))
        self._bodies.clear()
        lost = sum(max(seen) - min(seen) + 1 - len(set(seen)) for seen in self.counters.values())
        doubled = sum(len(seen) - len(set(seen)) for seen in self.counters.values())
        return JSONResponse(
            {
                "bytes": self.bytes,
                "readings": self.readings,
                "batches": self.batches,
                "lost": lost,
                "doubled": doubled,
                "meters": len(self.counters),
                "newest": {meter: max(seen) for meter, seen in self.counters.items()},
                "first_s": self.first_s,
                "last_s": self.last_s,
            }
        )


def application(gateway_key: bytes) -> Starlette:
    """Return the endpoints of the sink."""
    sink = Sink(gateway_key)
    return Starlette(
        routes=[
            Route("/gateway/v1/batches", sink.take, methods=["POST"]),
            Route("/gateway/v1/downlink", sink.poll, methods=["POST"]),
            Route("/counts", sink.report),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        application(bytes.fromhex(sys.argv[2])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="error",
        timeout_graceful_shutdown=STOP_S,
    )
