"""The gateway's metrics: wires, sampling, store, gate and process, looked up when they are scraped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from prometheus_client import CollectorRegistry

import edge
from common.clock import to_epoch_ms
from common.wire.limits import COUNTERS_MAX
from common.wire.software import SOFTWARE, pack_release
from common.wire.stamp import ClockSource
from edge.buffer.store import Store
from edge.clock import EdgeClock
from edge.driver.board import Board
from edge.supervision import LoopLag
from edge.telemetry import Probe, Probes, Samples, resident_bytes

_MS_PER_S = 1000


def metrics(board: Board, store: Store, lag: LoopLag, counters: Callable[[], dict[str, int]]) -> CollectorRegistry:
    """Return everything a scrape tells; `counters` are those of the other parts, by name."""
    registry = CollectorRegistry()
    registry.register(Probes(_probes(board, store, counters)))
    registry.register(lag.spread)
    registry.register(store.waits)
    return registry


def _probes(board: Board, store: Store, counters: Callable[[], dict[str, int]]) -> list[Probe]:
    return [
        Probe(
            name="gatehouse_wire_exchanges",
            about="What happened on each wire since start, by kind",
            labels=("wire", "what"),
            counts=True,
            read=lambda: _wire_counters(board),
        ),
        Probe(
            name="gatehouse_wire_failing_meters",
            about="Meters of the wire that gave no answer in their last slot",
            labels=("wire",),
            read=lambda: [((name,), face.failing) for name, face in board.wires.items()],
        ),
        Probe(
            name="gatehouse_completed_slot_seconds",
            about="Business time of the newest slot completed by every wire",
            read=lambda: _completed(board),
        ),
        Probe(
            name="gatehouse_readings_stored",
            about="Point values handed to the store since start",
            counts=True,
            read=lambda: [((), board.readings_stored)],
        ),
        Probe(
            name="gatehouse_gaps_said",
            about="Slots without a reading, said since start",
            counts=True,
            read=lambda: [((), board.gaps_said)],
        ),
        Probe(
            name="gatehouse_store",
            about="The store's writer since start, by figure",
            labels=("figure",),
            read=lambda: [((name,), value) for name, value in asdict(store.stats).items()],
        ),
        Probe(
            name="gatehouse_part",
            about="Counters of the gateway's parts since start",
            labels=("part",),
            counts=True,
            read=lambda: [((name,), value) for name, value in counters().items()],
        ),
        Probe(
            name="gatehouse_resident_bytes",
            about="Resident memory of the gateway",
            read=lambda: [((), resident_bytes())],
        ),
    ]


async def health_figures(board: Board, store: Store, clock: EdgeClock, lag: LoopLag) -> dict[str, int]:
    """Return what a health report tells: store, backlog, clock, loop, release, each wire, how many meters are silent.

    A site with so many wires that the report would not fit the wire format tells the sums over all wires instead.
    """
    figures = {f"store_{name}": int(value) for name, value in asdict(store.stats).items()}
    status, look = await store.status(), clock.look()
    figures |= {
        "batches_pending": status.batches_pending,
        "readings_waiting": status.readings_waiting,
        "store_bytes_used": status.bytes_used,
        "clock_trusted": int(look.source is not ClockSource.BOUNDED),
        "clock_uncertainty_ms": look.uncertainty_ms,
        "loop_lag_worst_ms": lag.worst_ms,
        "meters": sum(face.meters for face in board.wires.values()),
        "meters_silent": sum(face.failing for face in board.wires.values()),
        SOFTWARE: pack_release(edge.__version__),
    }
    told = {name: asdict(face.stats) for name, face in board.wires.items()}
    each = {f"wire_{name}_{what}": count for name, stats in told.items() for what, count in stats.items()}
    if len(figures) + len(each) <= COUNTERS_MAX:
        return figures | each
    kinds = {what for stats in told.values() for what in stats}
    return figures | {f"wires_{what}": sum(stats[what] for stats in told.values()) for what in kinds}


def _wire_counters(board: Board) -> Samples:
    return [((name, what), count) for name, face in board.wires.items() for what, count in asdict(face.stats).items()]


def _completed(board: Board) -> Samples:
    completed = board.completed()
    return [] if completed is None else [((), to_epoch_ms(completed) // _MS_PER_S)]
