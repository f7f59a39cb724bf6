"""All wires of the plan in force, one task each; a new plan takes over between two questions.

A change of plan cancels the pollers at their next await, closes the wires it no longer has and touches nothing that
is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from common.errors import RefusalError
from common.ids import MeterId
from edge.driver.outcome import ListeningWire, ReadOutcome, Wire, WireConfig
from edge.sampling.plan import SamplingPlan
from edge.sampling.poller import READ_S_MAX, Around, WirePoller

CLOSE_S_MAX = 5
_log = structlog.get_logger()


class Sampling:
    """Runs the pollers of the plan in force."""

    def __init__(self, make_wire: Callable[[WireConfig], Wire], around: Around) -> None:
        self._make_wire = make_wire
        self._around = around
        self._plan: SamplingPlan | None = None
        self._changed = asyncio.Event()
        self._wires: dict[str, Wire] = {}

    def use(self, plan: SamplingPlan) -> None:
        """Put a plan in force."""
        self._plan = plan
        self._changed.set()

    async def read_now(self, meter_id: MeterId) -> ReadOutcome:
        """Ask one meter outside its slots, for a technician; the answer is shown and not stored.

        Raises:
            RefusalError: the meter is not in the plan in force.
        """
        face = self._around.board.meters.get(meter_id)
        wire = None if face is None else self._wires.get(face.device.wire)
        if face is None or wire is None:
            raise RefusalError(f"meter {meter_id} is not in the plan in force; look at the wire list")
        async with asyncio.timeout(READ_S_MAX):
            outcome = await wire.read(face.device)
        face.outcome, face.read_at = outcome, self._around.clock.now()
        return outcome

    async def run(self) -> None:
        """Poll until cancelled; without a plan, wait for one."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._plan is not None:
                await self._run_plan(self._plan)

    async def _run_plan(self, plan: SamplingPlan) -> None:
        used = {device.wire for device in plan.devices}
        wires = [self._make_wire(config) for config in plan.wires if config.wire in used]
        self._wires = {wire.config.wire: wire for wire in wires}
        pollers = [WirePoller(wire, plan.devices_on(wire.config.wire), plan.schedule, self._around) for wire in wires]
        self._around.board.lay_out([poller.face for poller in pollers], plan.devices)
        _log.info("plan_taken", wires=len(wires), devices=len(plan.devices))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(poller.run(), name=f"wire-{poller.face.config.wire}") for poller in pollers]
                tasks += [
                    group.create_task(wire.listen(plan.devices_on(wire.config.wire)), name=f"ear-{wire.config.wire}")
                    for wire in wires
                    if isinstance(wire, ListeningWire)
                ]
                await self._changed.wait()
                for task in tasks:
                    task.cancel()
        finally:
            for wire in wires:
                await _close(wire)


async def _close(wire: Wire) -> None:
    try:
        async with asyncio.timeout(CLOSE_S_MAX):
            await wire.close()
    except TimeoutError:
        _log.warning("wire_close_timed_out", wire=wire.config.wire)
