"""A health report tells each wire, how many meters are silent, and stays within the wire format on a large site."""

from __future__ import annotations

import tomllib
from pathlib import Path

from common.wire.limits import COUNTERS_MAX
from common.wire.software import SOFTWARE, unpack_release
from edge.driver.board import WireFace
from edge.driver.outcome import WireConfig, WireKind, WireStats
from edge.kiosk.probes import health_figures
from edge.supervision import LoopLag
from tests.edge.kiosk.test_pages import Box, box

__all__ = ["box"]


def lay_wires(box: Box, count: int) -> None:
    faces = [
        WireFace(
            config=WireConfig(wire=f"w{n}", kind=WireKind.SERIAL, address="/dev/null"),
            stats=WireStats(exchanges=10, answers=9),
            meters=5,
            failing=1,
        )
        for n in range(count)
    ]
    box.board.lay_out(faces, [])


async def test_a_small_site_tells_each_wire(box: Box) -> None:
    lay_wires(box, 2)
    told = await health_figures(box.board, box.store, box.clock, LoopLag())
    assert (told["batches_pending"], told["clock_trusted"], told["clock_uncertainty_ms"]) == (0, 1, 5)
    assert (told["meters"], told["meters_silent"], told["wire_w1_answers"]) == (10, 2, 9)


async def test_the_release_that_runs_is_told_and_is_the_one_of_the_project(box: Box) -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    told = await health_figures(box.board, box.store, box.clock, LoopLag())

    assert unpack_release(told[SOFTWARE]) == project["version"]


async def test_a_site_with_many_wires_tells_their_sums(box: Box) -> None:
    lay_wires(box, 64)
    told = await health_figures(box.board, box.store, box.clock, LoopLag())
    assert len(told) <= COUNTERS_MAX
    assert (told["meters_silent"], told["wires_exchanges"]) == (64, 640)
    assert "wire_w1_answers" not in told
