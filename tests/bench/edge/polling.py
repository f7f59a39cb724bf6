"""Rounds of the same poll: bare framing, the gateway whole, the peer; what a reading costs each of them."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.edge import peer
from tests.bench.edge.figures import Figure
from tests.bench.edge.home import make_home, profile, site
from tests.bench.edge.probes import MEBIBYTE, Mark, peak_mib, resident_mib
from tests.bench.edge.rig import Farm, Running, counts, farm, listens, metrics, module, rest, running, until
from tests.common.wire.builders import GATEWAY_KEY
from tests.simulation.broker import mosquitto_program, start_broker
from tests.simulation.processes import free_port, wait_until

PERIOD_MS = 1_000
SETTLE_S = 4.0
PEER_SETTLE_S = 8.0
GATHER_MS = 4 * PERIOD_MS
Kept = dict[str, list[float]]


@dataclass(slots=True, kw_only=True)
class Bench:
    """Where the bench works, with which interpreters, and what it has measured."""

    folder: Path
    edge_python: Path
    environment: dict[str, str]
    peer_python: Path | None
    first_port: int
    window_s: float
    kept: Kept = field(default_factory=lambda: defaultdict(list))
    homes: int = 0

    def fresh(self, name: str) -> Path:
        """Return a folder that is not there yet."""
        self.homes += 1
        return self.folder / f"{name}-{self.homes}"

    def fresh_folder(self) -> Path:
        """Return a new, empty folder."""
        folder = self.fresh("folder")
        folder.mkdir()
        return folder


@contextmanager
def gateway(
    bench: Bench, meters: Farm, broker: str, *, sink_port: int, period_ms: int = PERIOD_MS
) -> Iterator[tuple[Running, int, Path]]:
    """Run the shipped gateway on the farm; yields it with the port of its pages and its folder."""
    home, pages = bench.fresh("gateway"), free_port()
    make_home(
        home,
        {"site": site(meters.first_port, broker=broker)},
        settings=(
            f"pages: {{port: {pages}}}\n"
            f"cloud: {{url: 'http://127.0.0.1:{sink_port}', gather_ms: {GATHER_MS}, poll_s: 5}}\n"
        ),
    )
    command = module(bench.edge_python, "tests.bench.edge.box", home, period_ms)
    with running("gateway", command, bench.folder / "gateway.log", **bench.environment) as box:
        yield box, pages, home


@contextmanager
def sink(bench: Bench, port: int = 0) -> Iterator[int]:
    """Run the cloud's end of the link; yields its port."""
    chosen = port or free_port()
    words = [sys.executable, "-m", "tests.bench.edge.sink", str(chosen), GATEWAY_KEY.public_key.hex()]
    with running("sink", words, bench.folder / "sink.log") as end:
        wait_until(lambda: listens(chosen), what="the sink", seconds=20, watched=[end.process])
        yield chosen


def poll_round(bench: Bench) -> None:
    """Measure each once, one after the other."""
    with farm(bench.first_port) as meters:
        words = module(sys.executable, "tests.bench.edge.framing", bench.first_port, PERIOD_MS)
        with running("framing", words, bench.folder / "framing.log") as bare:
            rest(SETTLE_S)
            bench.kept["bare cpu"].append(_window(bench, meters, bare)[0])
    _reading_round(bench)
    _gateway_round(bench)
    if bench.peer_python is not None:
        _peer_round(bench, bench.peer_python)


def _reading_round(bench: Bench) -> None:
    models = bench.fresh_folder()
    (models / "counting.yaml").write_text(profile(), encoding="utf-8")
    with farm(bench.first_port) as meters:
        words = module(bench.edge_python, "tests.bench.edge.reading", models, bench.first_port, PERIOD_MS)
        with running("reading", words, bench.folder / "reading.log", **bench.environment) as reading:
            until(2_000, meters, reading)
            rest(SETTLE_S)
            bench.kept["reading cpu"].append(_window(bench, meters, reading)[0])


def _gateway_round(bench: Bench) -> None:
    broker, address = start_broker(bench.fresh_folder(), program=mosquitto_program())
    try:
        with farm(bench.first_port) as meters, sink(bench) as sink_port:
            with gateway(bench, meters, address, sink_port=sink_port) as (box, pages, home):
                until(2_000, meters, box)
                rest(SETTLE_S)
                cost, written = _window(bench, meters, box)
                metrics(pages)
                bench.kept["gateway cpu"].append(cost)
                bench.kept["gateway rss"].append(resident_mib(box.pid))
                bench.kept["gateway peak"].append(peak_mib(box.pid))
                bench.kept["flash"].append(written)
                rest(1.5 * GATHER_MS / 1000)
            found, read = counts(sink_port), meters.reads()
            bench.kept["lost"].append(float(str(found["lost"])))
            bench.kept["doubled"].append(float(str(found["doubled"])))
            bench.kept["wire"].append(float(str(found["bytes"])) / float(str(found["readings"])))
            bench.kept["share"].append(float(str(found["readings"])) / (sum(read.values()) * 10))
            bench.kept["store"].append((home / "store.db").stat().st_size / MEBIBYTE)
    finally:
        broker.stop()


def _peer_round(bench: Bench, python: Path) -> None:
    folder = bench.fresh_folder()
    broker, address = start_broker(folder, program=mosquitto_program())
    try:
        with farm(bench.first_port) as meters:
            home = bench.fresh("peer")
            peer.configure(
                home,
                first_port=bench.first_port,
                broker_port=int(address.rpartition(":")[2]),
                period_ms=PERIOD_MS,
            )
            process = peer.process(python, home)
            process.start()
            try:
                box = Running(process)
                until(2_000, meters, box)
                rest(PEER_SETTLE_S)
                bench.kept["peer cpu"].append(_window(bench, meters, box)[0])
                bench.kept["peer rss"].append(resident_mib(box.pid))
            finally:
                process.stop()
    finally:
        broker.stop()


def _window(bench: Bench, meters: Farm, box: Running) -> tuple[float, float]:
    """Return per cent of a core for 1,000 readings a second, and bytes written a reading, over the window."""
    before, first = Mark.of(box.pid), meters.readings()
    rest(bench.window_s)
    after, last = Mark.of(box.pid), meters.readings()
    count = last - first
    return (
        (after.processor_s - before.processor_s) / count * 1000 * 100,
        (after.written_bytes - before.written_bytes) / count,
    )


def polling_figures(kept: Kept) -> list[Figure]:
    """Return the figures of all rounds."""
    bare, reading, ours, peers = kept["bare cpu"], kept["reading cpu"], kept["gateway cpu"], kept["peer cpu"]
    figures = [
        Figure(name="bare asyncio framing, CPU for 1,000 readings/s", values=bare, unit="% of a core"),
        Figure(name="gateway whole, CPU for 1,000 readings/s", values=ours, unit="% of a core"),
        Figure(name="a read (link, frame, values; nothing kept), CPU", values=reading, unit="% of a core"),
        Figure(name="a read / bare framing", values=_ratios(reading, bare), unit="times", most=3),
        Figure(name="gateway whole / bare framing", values=_ratios(ours, bare), unit="times", most=3),
    ]
    if peers:
        figures += [
            Figure(name="peer, block reads, CPU for 1,000 readings/s", values=peers, unit="% of a core"),
            Figure(name="gateway / peer, CPU", values=_ratios(ours, peers), unit="times", most=1 / 3),
            Figure(name="peer, resident", values=kept["peer rss"], unit="MiB"),
            Figure(
                name="gateway / peer, resident",
                values=_ratios(kept["gateway rss"], kept["peer rss"]),
                unit="times",
                most=0.85,
            ),
        ]
    return [
        *figures,
        Figure(
            name="gateway, gate, 200 meters, uplink, pages, metrics: resident",
            values=kept["gateway rss"],
            unit="MiB",
            most=64,
        ),
        Figure(name="gateway, largest resident", values=kept["gateway peak"], unit="MiB"),
        Figure(name="written to storage a reading, all told", values=kept["flash"], unit="B", most=150),
        Figure(
            name="on the wire a reading, hourly batches of the farm's counters", values=kept["wire"], unit="B", most=4.5
        ),
        Figure(name="readings lost between meter and cloud", values=kept["lost"], unit="", most=0),
        Figure(name="readings doubled", values=kept["doubled"], unit="", most=0),
    ]


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Return the ratio of each round: both ran in the same minute of the same machine."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]
