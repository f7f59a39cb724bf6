"""`make bench-edge`: the gateway beside a peer, bare framing and the disk; exit 1 when a bar is missed.

    python -m tests.bench.edge [--rounds N] [--window SECONDS] [--days N]

What it needs lies in `.bench/`: an environment with exactly what a gateway ships (deploy/locks/edge.txt), compiled and
run as the unit does, and one for the peer. Ratios are judged within one run; a busy machine makes seconds worse, ratios
hardly.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench.edge import peer
from tests.bench.edge.absence import absence
from tests.bench.edge.alone import barrier, idle, starts, thaw
from tests.bench.edge.figures import table
from tests.bench.edge.growth import growth
from tests.bench.edge.polling import Bench, poll_round, polling_figures
from tests.bench.edge.rig import ROOT
from tests.bench.edge.shipped import compiled, edge_python

FIRST_PORT = 25_000
MADE = ROOT / ".bench"


def main() -> int:
    """Run all parts and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.edge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=float, default=10.0)
    parser.add_argument("--days", type=int, default=4)
    options = parser.parse_args()
    peer_python = peer.install(MADE / "peer")
    if isinstance(peer_python, str):
        sys.stdout.write(f"the peer cannot be had here, its ratios are not judged: {peer_python}\n")
    MADE.mkdir(exist_ok=True)
    python = edge_python(MADE / "edge")
    with tempfile.TemporaryDirectory(dir=MADE) as folder:
        bench = Bench(
            folder=Path(folder),
            edge_python=python,
            environment=compiled(python, MADE / "bytecode"),
            peer_python=peer_python if isinstance(peer_python, Path) else None,
            first_port=FIRST_PORT,
            window_s=options.window,
        )
        for _ in range(options.rounds):
            poll_round(bench)
        figures = polling_figures(bench.kept)
        for part in (growth, starts, thaw, idle, barrier):
            figures += part(bench)
        figures += absence(Path(folder), options.days)
    sys.stdout.write(table(figures))
    return 0 if all(figure.passed for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
