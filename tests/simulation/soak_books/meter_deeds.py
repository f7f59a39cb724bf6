"""What gateways do in a world, and the people who read dials; batches come late, again, out of order, altered."""

from __future__ import annotations

from datetime import date, timedelta

from cloud.billing import corrections, runs
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.service import MONTHLY, RunScope
from cloud.metering import swapping
from cloud.metering.corrections import Correction, confirm_rollover
from cloud.metering.swapping import Swap
from cloud.metering.truing import enter_reading
from cloud.rating.service import rate_period
from common.civil import midnight
from common.errors import RefusalError
from common.ids import MeterId, PremisesId
from common.reading.reading import Quantity
from tests.simulation.soak_books.devices import DIGITS, KWH, ZONE, Device, FieldGateway, silent_days
from tests.simulation.soak_books.wiring import waiting_first
from tests.simulation.soak_books.world import World

FIRST_MONTH = date(2026, 3, 1)
_ORDER, _LATE, _TWICE, _ALTERED = "batches out of order", "a batch is late", "a batch sent again", "a batch is altered"
_MISCHIEF = ("", _ORDER, _LATE, _TWICE, _ALTERED)
_NEW_METER = 100
_DAY = timedelta(days=1)


async def report(world: World) -> None:
    """A gateway seals what it logged and sends what is not acknowledged, over a bad network."""
    place = world.dice.randrange(len(world.wiring.gateways))
    await _send(world, place, "" if world.calm else world.dice.choice(_MISCHIEF))


async def _send(world: World, place: int, mischief: str) -> None:
    gateway = world.wiring.gateways[place]
    sealed = gateway.seal(world.wiring.today)
    world.done["batch sealed"] += sealed is not None
    order = list(waiting_first(gateway))
    if mischief == _ALTERED and order:
        await _altered(world, gateway.paper.sealed[order[0] - 1])
    elif mischief == _ORDER and len(order) > 1:
        order.reverse()
        world.faults[_ORDER] += 1
    elif mischief == _LATE and order:
        order.pop()
        world.faults[_LATE] += 1
    elif mischief == _TWICE and gateway.paper.sealed:
        order.append(world.dice.randint(1, len(gateway.paper.sealed)))
        world.faults[_TWICE] += 1
    for number in order:
        await _deliver(world, place, number)


async def _deliver(world: World, place: int, number: int) -> None:
    gateway = world.wiring.gateways[place]
    fresh = (place, number) not in world.wiring.delivered
    contiguous: list[int] = []

    async def command() -> None:
        contiguous.append((await world.wiring.deliver(place, number)).contiguous)

    if not await world.do("batch delivered", command):
        raise AssertionError(f"batch {number} of gateway {place} was refused")
    if number in gateway.waiting:
        gateway.waiting.remove(number)
    if fresh and contiguous[-1] != _without_hole(world, place):
        raise AssertionError(f"the watermark {contiguous[-1]} is not {_without_hole(world, place)}")


def _without_hole(world: World, place: int) -> int:
    there = {number for at, number in world.wiring.delivered if at == place}
    last = 0
    while last + 1 in there:
        last += 1
    return last


async def _altered(world: World, parcel: bytes) -> None:
    """Somebody on the way changes a byte; the cloud takes nothing of it."""
    spoilt = bytearray(parcel)
    spoilt[world.dice.randrange(len(spoilt) // 2, len(spoilt))] ^= 1 + world.dice.randrange(255)
    world.faults[_ALTERED] += 1
    try:
        await world.wiring.ingest.take(bytes(spoilt))
    except RefusalError as refusal:
        world.refused[f"altered batch: {type(refusal).__name__}"] += 1
        return
    raise AssertionError("a batch that was altered on the way was taken")


async def read_dials(world: World) -> None:
    """Read by hand what the devices did not tell their gateways."""
    for device in world.wiring.devices.values():
        for day in silent_days(device, world.wiring.today):
            if (device.meter_id, day) not in world.wiring.read:
                await _read_dial(world, device, day)


async def _read_dial(world: World, device: Device, day: date) -> None:
    shop = world.shop
    seen = Correction(
        community_id=shop.street.community,
        meter_id=device.meter_id,
        quantity=Quantity.ENERGY_FORWARD,
        read_at=midnight(day, ZONE),
        value_milli=device.shown_milli(day),
        reason="read off the dial",
    )

    async def command() -> None:
        async with shop.unit() as unit:
            await enter_reading(unit, seen)

    if await world.do("dial read by hand", command):
        world.wiring.read.add((device.meter_id, day))


async def confirm_turns(world: World) -> None:
    """Confirm the days on which registers turned over."""
    shop = world.shop
    for device in world.wiring.devices.values():
        for day in device.turns(world.wiring.today if device.until is None else device.until):

            async def command(meter_id: MeterId = device.meter_id, day: date = day) -> None:
                async with shop.unit() as unit:
                    await confirm_rollover(
                        unit,
                        community_id=shop.street.community,
                        meter_id=meter_id,
                        quantity=Quantity.ENERGY_FORWARD,
                        day=day,
                        reason="seen on the dial",
                    )

            if (device.meter_id, day) not in world.wiring.turned:
                await world.do("turn of a register confirmed", command)
                world.wiring.turned.add((device.meter_id, day))


async def swap_a_meter(world: World) -> None:
    """Take a meter off and hang a new one in its place today."""
    shop, wiring = world.shop, world.wiring
    flat = world.dice.randrange(len(wiring.homes))
    hung = wiring.homes[flat]
    old, today = hung[-1], wiring.today
    if today - old.since <= _DAY:
        return
    serial, first = f"E{flat}-{len(hung) + 1}", world.dice.randrange(1_000) * KWH
    wish = Swap(
        community_id=shop.street.community,
        meter_id=old.meter_id,
        day=today,
        last_milli=old.shown_milli(today),
        serial=serial,
        first_milli=first,
        digits=DIGITS,
        reason="calibration is due",
    )

    async def command() -> None:
        async with shop.unit() as unit:
            await swapping.swap(unit, wish)

    await world.do("meter swapped", command)
    new_id = world.asked(f"select meter_id from meter where serial = '{serial}'")  # noqa: S608 - our own serial
    if new_id is not None:
        old.until = today
        number = old.number + _NEW_METER
        new = Device(meter_id=MeterId(new_id), number=number, since=today, first_milli=first)
        hung.append(new)
        _gateway_of(world, old).devices.append(new)


def _gateway_of(world: World, device: Device) -> FieldGateway:
    return next(one for one in world.wiring.gateways if device in one.devices)


async def correct_usage(world: World) -> None:
    """Correct all that was billed before its readings came."""
    await correct(world, frozenset(flat for flat, _ in world.shop.street.flats), Cause.READING, "readings came late")


async def correct(world: World, premises: frozenset[PremisesId], cause: Cause, reason: str) -> None:
    """Open a correction of some premises, look at it and apply it."""
    shop = world.shop
    scope = CorrectionScope(community_id=shop.street.community, premises=premises, first_day=FIRST_MONTH)
    async with shop.unit() as unit:
        case_id = await corrections.open_correction(unit, scope, cause=cause, reason=reason)
    async with shop.ground.database.view(shop.street.tenant) as session:
        seen = await corrections.preview(session, rate_period, case_id, shop.ground.clock.now())

    async def command() -> None:
        async with shop.unit() as unit:
            await corrections.apply(unit, rate_period, case_id, preview_sha=seen.sha)

    await world.do("correction", command)


async def settle_usage(world: World) -> None:
    """Let everything come that was under way, run every month that there is, and correct what was billed without it."""
    for place in range(len(world.wiring.gateways)):
        await _send(world, place, "")
    await world.work()
    await read_dials(world)
    await confirm_turns(world)
    shop = world.shop
    for start in world.auditor.days("select period_start from billing_period where cycle = 'month' order by 1"):
        scope = RunScope(community_id=shop.street.community, cycle=MONTHLY, period_start=start)
        async with shop.unit() as unit:
            await runs.request_run(unit, scope)
    await world.work()
    shop.ground.clock.advance(minutes=1)
    await correct_usage(world)
    await world.work()
