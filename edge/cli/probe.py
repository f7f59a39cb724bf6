"""`gatehouse edge probe`: who answers on a line, at which speed, with which values; for the technician on the ladder.

Every speed is tried with every address of a range; a meter that answers is read whole and its values are shown. The
line must be free: a running gateway holds its own. On request each Modbus meter on a serial port is read once more by
an independent code path, which tells a cable fault from a software fault. Stores nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from common.clock import Clock
from common.errors import RefusalError
from common.ids import MeterId
from common.measure.quantity import format_milli
from common.reading.reading import Resource
from edge.device.catalogue import Catalogue
from edge.device.model import Profile, ProtocolName
from edge.driver.build import build_wires
from edge.driver.health import BackOff
from edge.driver.outcome import DeviceConfig, FailureKind, ReadOutcome, Wire, WireConfig, WireKind
from edge.driver.questions import check_address
from edge.driver.second_opinion import disagreements, second_opinion

ADDRESSES_MOST = 300
ANY_METER = "AAAAAAAAAAAA"
SLACK_MILLI = 1_000
_RANGE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})", re.ASCII)
_NO_BACK_OFF = BackOff(first_s=0.001, most_s=0.002)
_DTL = frozenset({ProtocolName.DLT645_1997, ProtocolName.DLT645_2007})


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for: a model at addresses, over a line at speeds; `speeds` of none takes the model's own."""

    kind: WireKind
    line: str
    model: str
    addresses: str
    speeds: tuple[int, ...]
    parity: str | None
    echo: bool
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A meter that answered, and what it said; `doubts` are the differences of the second opinion."""

    wire: WireConfig
    address: str
    outcome: ReadOutcome
    doubts: tuple[str, ...] = ()


def addresses_of(text: str, profile: Profile) -> list[str]:
    """Return the addresses of a list such as `1-32,40`; nothing takes the first 32 units, or any DL/T 645 meter.

    Raises:
        RefusalError: an address does not fit the model's protocol, or there are too many.
    """
    if not text:
        text = ANY_METER if profile.protocol in _DTL else "1-32" if profile.protocol is ProtocolName.MODBUS else ""
    addresses: list[str] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        span = _RANGE.fullmatch(part)
        addresses += [part] if span is None else [str(n) for n in range(int(span[1]), int(span[2]) + 1)]
    if not 1 <= len(addresses) <= ADDRESSES_MOST:
        raise RefusalError(f"probe: give 1 to {ADDRESSES_MOST} addresses, such as 1-32 or a number from the nameplate")
    for address in addresses:
        check_address(profile, address)
    return addresses


async def probe(search: Search, catalogue: Catalogue, clock: Clock, folder: Path) -> AsyncIterator[Found]:
    """Yield each meter as it answers, speed by speed.

    Raises:
        RefusalError: the model or an address is unknown, or the line cannot be opened.
    """
    profile = catalogue.profile(search.model)
    addresses = addresses_of(search.addresses, profile)
    for speed in search.speeds or (profile.link.baud or 9600,):
        config = WireConfig(
            wire="probe",
            kind=search.kind,
            address=search.line,
            baud=speed,
            parity=search.parity or profile.link.parity,
            echo=search.echo,
        )
        wire = build_wires([config], catalogue, clock, folder=folder, back_off=_NO_BACK_OFF)["probe"]
        try:
            heard = [found async for found in _ask_all(wire, config, profile, addresses)]
        finally:
            await wire.close()
        for found in heard:
            yield await _again(found, profile) if search.again else found


async def _ask_all(wire: Wire, config: WireConfig, profile: Profile, addresses: Sequence[str]) -> AsyncIterator[Found]:
    for number, address in enumerate(addresses, start=1):
        outcome = await wire.read(_device(profile, address, number))
        lost = next((failure for failure in outcome.failures if failure.kind is FailureKind.LINK_LOST), None)
        if lost is not None:
            raise RefusalError(f"probe: {config.address}: {lost.detail}")
        refused = any(failure.kind is FailureKind.REFUSED for failure in outcome.failures)
        if outcome.points or (refused and config.kind is WireKind.SERIAL):  # over TCP the converter itself may refuse
            yield Found(wire=config, address=address, outcome=outcome)


async def _again(found: Found, profile: Profile) -> Found:
    device = _device(profile, found.address, 1)
    other = await asyncio.to_thread(second_opinion, profile, device, found.wire)
    return replace(found, doubts=tuple(disagreements(found.outcome, other, slack_milli=SLACK_MILLI)))


def _device(profile: Profile, address: str, number: int) -> DeviceConfig:
    return DeviceConfig(
        meter_id=MeterId(UUID(int=number)),
        serial=address,
        wire="probe",
        profile=profile.model,
        address=address,
        resource=Resource(profile.resource),
        points=tuple(dict.fromkeys(point.quantity for point in profile.points)),
    )


def described(found: Found, profile: Profile) -> str:
    """Return what answered, as lines of text."""
    units = {point.quantity: point.unit for point in profile.points}
    where = found.wire.address if found.wire.kind is not WireKind.SERIAL else _speed(found.wire)
    values = (
        f"  {point.quantity:<16}{format_milli(point.value_milli):>16} {units[point.quantity]:<6} raw {point.raw.hex()}"
        for point in found.outcome.points
    )
    failures = (f"  {', '.join(one.points):<16} {one.kind}: {one.detail}" for one in found.outcome.failures)
    doubts = (f"  second opinion differs: {doubt}" for doubt in found.doubts)
    return "\n".join([f"address {found.address} answers at {where}", *values, *failures, *doubts, ""])


def _speed(wire: WireConfig) -> str:
    return f"{wire.baud} baud, parity {wire.parity}"
