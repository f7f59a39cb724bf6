"""A wire with meters: back-off of the dead, blocks of the read plan, values, and a second look at odd ones.

Invariants: reads of one wire queue behind each other; each wanted point is answered by a value or a failure; a dead
meter costs one short question a back-off; a register that runs backwards or jumps beyond what its profile allows is
read again at once and taken only when both reads agree (the third net behind the codec and the line guard).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.clock import Clock
from common.ids import MeterId
from common.reading.reading import Quantity
from edge.device.catalogue import Catalogue
from edge.device.model import PointKind, Profile
from edge.device.plan import Block, read_plan
from edge.driver.asking import Asker, BlockData, BlockFailure
from edge.driver.decoding import decode_block
from edge.driver.health import BackOff, DeviceHealth
from edge.driver.outcome import DeviceConfig, FailureKind, PointValue, ReadFailure, ReadOutcome, WireConfig, WireStats

_MILLI = 1000
_SLACK_MILLI = 1000
_SECOND = timedelta(seconds=1)
_HOUR_S = 3600
_Seen = tuple[int, datetime]
_SILENT = frozenset({FailureKind.TIMEOUT, FailureKind.BAD_FRAME, FailureKind.LINK_LOST})


@dataclass(slots=True)
class _Gathered:
    """What one read of one device has given so far."""

    values: list[PointValue] = field(default_factory=list)
    failures: list[ReadFailure] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is asked of a model for some points: blocks, points it lacks, and the registers that only count upwards."""

    blocks: tuple[Block, ...]
    missing: tuple[Quantity, ...]
    counting: frozenset[Quantity]


class MeterWire:
    """A `Wire` over whatever asks the questions."""

    def __init__(
        self, config: WireConfig, catalogue: Catalogue, asker: Asker, stats: WireStats, clock: Clock, back_off: BackOff
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._asker = asker
        self._stats = stats
        self._clock = clock
        self._health = DeviceHealth(back_off)
        self._lock = asyncio.Lock()
        self._last: dict[MeterId, dict[Quantity, _Seen]] = {}
        self._plans: dict[tuple[str, tuple[Quantity, ...]], _Plan] = {}

    @property
    def config(self) -> WireConfig:
        """Return the description the wire was built from."""
        return self._config

    @property
    def stats(self) -> WireStats:
        """Return the live counters."""
        return self._stats

    async def read(self, device: DeviceConfig) -> ReadOutcome:
        """Read the device's points."""
        profile = self._catalogue.profile(device.profile)
        async with self._lock:
            loop = asyncio.get_running_loop()
            if not self._health.due(device.meter_id, loop.time()):
                self._stats.backed_off += 1
                return _all_failed(device, FailureKind.BACKED_OFF, "failed lately; the next probe is not due")
            gathered = await self._read_blocks(profile, device)
            if gathered.values or not all(failure.kind in _SILENT for failure in gathered.failures):
                self._health.answered(device.meter_id)
            elif any(failure.kind is not FailureKind.LINK_LOST for failure in gathered.failures):
                self._health.failed(device.meter_id, loop.time())
        return ReadOutcome(meter_id=device.meter_id, points=tuple(gathered.values), failures=tuple(gathered.failures))

    async def close(self) -> None:
        """Release the line."""
        async with self._lock:
            await self._asker.close()

    async def _read_blocks(self, profile: Profile, device: DeviceConfig) -> _Gathered:
        gathered = _Gathered()
        plan = self._plan(profile, device.points)
        if plan.missing:
            detail = f"model {profile.model} has no such point; correct the device's points"
            gathered.failures.append(_failure(FailureKind.REFUSED, plan.missing, detail))
        for n, block in enumerate(plan.blocks):
            result = await self._ask(profile, device, block)
            if isinstance(result, BlockData):
                await self._take(gathered, profile, device, (block, plan.counting), result)
                continue
            gathered.failures.append(_block_failure(block, result))
            if result.kind in _SILENT:
                gathered.failures += [_block_failure(rest, result) for rest in plan.blocks[n + 1 :]]
                break
        return gathered

    def _plan(self, profile: Profile, points: tuple[Quantity, ...]) -> _Plan:
        """Return what is asked, worked out once for each model and set of points."""
        key = (profile.model, points)
        plan = self._plans.get(key)
        if plan is None:
            blocks = read_plan(profile, points)
            held = [field.point for block in blocks for field in block.fields]
            plan = self._plans[key] = _Plan(
                blocks=blocks,
                missing=tuple(sorted(set(points) - {point.quantity for point in held})),
                counting=frozenset(point.quantity for point in held if point.kind is PointKind.CUMULATIVE),
            )
        return plan

    async def _ask(self, profile: Profile, device: DeviceConfig, block: Block) -> BlockData | BlockFailure:
        """Ask a block, a second time when nothing sound came from a meter that answered until now."""
        result = await self._asker.ask(profile, device, block)
        retry = isinstance(result, BlockFailure) and result.kind in _SILENT - {FailureKind.LINK_LOST}
        if retry and not self._health.suspect(device.meter_id):
            return await self._asker.ask(profile, device, block)
        return result

    async def _take(
        self,
        gathered: _Gathered,
        profile: Profile,
        device: DeviceConfig,
        asked: tuple[Block, frozenset[Quantity]],
        result: BlockData,
    ) -> None:
        """Decode a block, and look twice when a register that counts is not where it can be."""
        block, counting = asked
        values, failures = decode_block(profile, block, result.data, device.parameters, result.exchange)
        now = self._clock.now()
        last = self._last.setdefault(device.meter_id, {})
        counters = [value for value in values if value.quantity in counting]
        odd = [
            value
            for value in counters
            if (seen := last.get(value.quantity)) is not None
            and not 0 <= value.value_milli - seen[0] <= _SLACK_MILLI  # so for nearly all
            and _is_odd(profile, seen, value.value_milli, now)
        ]
        if odd:
            second = await self._asker.ask(profile, device, block)
            agreed = _agreed(profile, device, block, second)
            for value in [one for one in odd if agreed.get(one.quantity) != one.value_milli]:
                values.remove(value)
                counters.remove(value)
                detail = "two reads of an implausible register disagree; it is read again at the next sweep"
                failures.append(_failure(FailureKind.BAD_VALUE, (value.quantity,), detail))
        for value in counters:
            last[value.quantity] = (value.value_milli, now)
        self._stats.bad_values += len(failures)
        gathered.values += values
        gathered.failures += failures


def _is_odd(profile: Profile, last: _Seen, value_milli: int, now: datetime) -> bool:
    """Return whether a register that moved by more than slack ran backwards, or further than it can in the time."""
    last_milli, last_at = last
    step = value_milli - last_milli
    if step < 0:
        return True
    most = profile.step_most_per_hour
    if most is None:
        return False
    seconds = (now - last_at) // _SECOND
    return (step - _SLACK_MILLI) * most.denominator * _HOUR_S > most.numerator * _MILLI * seconds


def _agreed(
    profile: Profile, device: DeviceConfig, block: Block, second: BlockData | BlockFailure
) -> dict[Quantity, int]:
    if isinstance(second, BlockFailure):
        return {}
    values, _ = decode_block(profile, block, second.data, device.parameters, second.exchange)
    return {value.quantity: value.value_milli for value in values}


def _block_failure(block: Block, result: BlockFailure) -> ReadFailure:
    return ReadFailure(
        kind=result.kind,
        points=tuple(field.point.quantity for field in block.fields),
        detail=result.detail,
        exchange=result.exchange,
    )


def _failure(kind: FailureKind, points: tuple[Quantity, ...], detail: str) -> ReadFailure:
    return ReadFailure(kind=kind, points=points, detail=detail)


def _all_failed(device: DeviceConfig, kind: FailureKind, detail: str) -> ReadOutcome:
    return ReadOutcome(meter_id=device.meter_id, failures=(_failure(kind, device.points, detail),))
