"""Whether the gateway grows: its resident memory over a day of slots, polled, sealed and sent as elsewhere."""

from __future__ import annotations

from statistics import median

from tests.bench.edge.figures import Figure
from tests.bench.edge.polling import PERIOD_MS, Bench, gateway, sink
from tests.bench.edge.probes import resident_mib
from tests.bench.edge.rig import farm, rest, until
from tests.simulation.broker import mosquitto_program, start_broker

SLOTS_A_DAY = 96
WARM_SLOTS = 32
LOOKS = 12  # memory goes up and down with each batch, so three batches are looked at on either end


def growth(bench: Bench) -> list[Figure]:
    """Run a day of slots and compare its beginning with its end."""
    broker, address = start_broker(bench.fresh_folder(), program=mosquitto_program())
    try:
        with (
            farm(bench.first_port) as meters,
            sink(bench) as sink_port,
            gateway(bench, meters, address, sink_port=sink_port) as (box, _, _),
        ):
            until(2_000, meters, box)
            rest(WARM_SLOTS * PERIOD_MS / 1000)
            before = _resident(box.pid)
            rest((SLOTS_A_DAY - LOOKS) * PERIOD_MS / 1000)
            after = _resident(box.pid)
    finally:
        broker.stop()
    return [Figure(name="resident memory, growth over 96 slots of a day", values=[after - before], unit="MiB", most=1)]


def _resident(pid: int) -> float:
    looks = []
    for _ in range(LOOKS):
        looks.append(resident_mib(pid))
        rest(PERIOD_MS / 1000)
    return median(looks)
