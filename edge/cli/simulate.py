"""`gatehouse edge simulate SITE`: stands in for the meters of a site file, so that a site can be tried without them.

The file is a site bundle or the part of it that names wires and devices. Serial wires become pseudo-terminals behind
the path that the file names, without parity, which a pseudo-terminal has not; TCP wires become ports; meters that speak
MQTT speak to the broker of their wire, whenever one answers. Other wires are named and left out. The meters follow the
same profiles as the gateway: this tries wiring, addresses and pages, and proves no profile.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec
import yaml
from typing_extensions import override

from common.clock import Clock
from common.errors import Fault, FaultsError, RefusalError
from common.ids import MeterId
from common.reading.reading import Resource
from edge.cli.simulated_line import SimulatedLine, SimulatedMeter
from edge.cli.simulated_messages import SAY_S, speaking
from edge.device.catalogue import Catalogue
from edge.device.model import Profile, ProtocolName
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import DeviceConfig, WireKind
from edge.driver.questions import check_address
from edge.protocol.modbus_tcp import HEADER_BYTES

FILE_BYTES_MOST = 5_000_000
LINES_MOST = 64
HERE = "127.0.0.1"
_CHUNK_BYTES = 4096
_LENGTH_AT, _UNIT_AT = 4, 6
_BODY_LEAST, _BODY_MOST = 6, 254
_SPOKEN = frozenset(
    {
        ProtocolName.MODBUS,
        ProtocolName.DLT645_1997,
        ProtocolName.DLT645_2007,
        ProtocolName.CJT188,
        ProtocolName.MBUS,
    }
)
_SPOKEN_ON = {
    WireKind.SERIAL: _SPOKEN,
    WireKind.SERIAL_TCP: _SPOKEN,
    WireKind.MODBUS_TCP: frozenset({ProtocolName.MODBUS}),
    WireKind.MQTT: frozenset({ProtocolName.MQTT}),
}


class _Wire(msgspec.Struct, kw_only=True):
    wire: str
    kind: WireKind
    address: str = ""
    parity: str = "even"


class _Device(msgspec.Struct, kw_only=True):
    wire: str
    profile: str
    address: str
    serial: str = ""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


class _Site(msgspec.Struct, kw_only=True):
    wires: tuple[_Wire, ...]
    devices: tuple[_Device, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A wire of the site file with the meters that stand in on it; `left_out` says why a wire is not served."""

    wire: str
    kind: WireKind
    address: str
    parity: str = "none"
    meters: tuple[SimulatedMeter, ...] = ()
    left_out: str = ""


def read_site(path: Path, catalogue: Catalogue, here: Path | None = None) -> list[StandIn]:
    """Return the wires of a site file; with `here` they are served on this machine and in that folder.

    Raises:
        FaultsError: with every fault of the file, naming device and remedy.
        RefusalError: the file cannot be read.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MOST:
            raise RefusalError(f"{path} is larger than {FILE_BYTES_MOST} bytes; a site file is a few pages of text")
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        site = msgspec.convert(document, _Site)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise RefusalError(f"{path} cannot be read: {' '.join(str(problem).split())}") from problem
    except msgspec.ValidationError as problem:
        raise FaultsError(str(path), [Fault(where="site", what=str(problem), remedy="mend that field")]) from problem
    faults: list[Fault] = []
    found = [_stand_in(wire, site.devices, catalogue, here, faults) for wire in site.wires[:LINES_MOST]]
    known = {wire.wire for wire in site.wires}
    faults += [
        Fault(where=_name(one), what=f"wire {one.wire!r} is unknown", remedy=f"name one of {sorted(known)}")
        for one in site.devices
        if one.wire not in known
    ]
    if faults:
        raise FaultsError(str(path), faults)
    return found


def _name(device: _Device) -> str:
    return f"device {device.serial or device.address}"


def _stand_in(
    wire: _Wire, devices: Sequence[_Device], catalogue: Catalogue, here: Path | None, faults: list[Fault]
) -> StandIn:
    if wire.kind not in _SPOKEN_ON:
        reason = f"nothing stands in for what is behind {wire.kind}"
        return StandIn(wire=wire.wire, kind=wire.kind, address=wire.address, left_out=reason)
    meters = []
    for number, device in enumerate((one for one in devices if one.wire == wire.wire), start=1):
        try:
            meters.append(_meter(device, wire, catalogue, number))
        except RefusalError as refusal:
            faults.append(Fault(where=_name(device), what=str(refusal), remedy="mend the device in the site file"))
    address = wire.address
    if here is not None:
        serial = wire.kind is WireKind.SERIAL
        address = str(here / wire.wire) if serial else f"{HERE}:{split_address(address)[1]}"
    return StandIn(wire=wire.wire, kind=wire.kind, address=address, parity=wire.parity, meters=tuple(meters))


def _meter(device: _Device, wire: _Wire, catalogue: Catalogue, number: int) -> SimulatedMeter:
    profile = catalogue.profile(device.profile)
    if profile.protocol not in _SPOKEN_ON[wire.kind]:
        raise RefusalError(f"model {profile.model} speaks {profile.protocol}, which is not spoken on {wire.kind}")
    check_address(profile, device.address)
    unknown = sorted(set(device.parameters) - set(profile.parameters))
    if unknown:
        raise RefusalError(f"model {profile.model} has no parameter {unknown[0]!r}")
    return SimulatedMeter(device=_described(device, profile, number), profile=profile)


def _described(device: _Device, profile: Profile, number: int) -> DeviceConfig:
    return DeviceConfig(
        meter_id=MeterId(UUID(int=number)),
        serial=device.serial or device.address,
        wire=device.wire,
        profile=profile.model,
        address=device.address,
        resource=Resource(profile.resource),
        points=tuple(dict.fromkeys(point.quantity for point in profile.points)),
        parameters=device.parameters,
    )


@asynccontextmanager
async def standing_in(stand_ins: Sequence[StandIn], clock: Clock) -> AsyncIterator[dict[str, str]]:
    """Serve the wires until left; yields where each one is reached, by wire.

    Raises:
        RefusalError: a port or a path is taken.
    """
    reached: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for one in stand_ins:
            if one.left_out:
                continue
            if one.kind is WireKind.MQTT:
                serving = speaking(one.address, one.meters, clock)
            else:
                serving = (_terminal if one.kind is WireKind.SERIAL else _port)(one, clock)
            reached[one.wire] = await stack.enter_async_context(serving)
        yield reached


class _Connection(asyncio.Protocol):
    """One master's connection: what comes is answered at once."""

    def __init__(self, answer: Callable[[bytes], bytes], known: set[asyncio.Transport]) -> None:
        self._answer = answer
        self._known = known
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._known.add(transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(self._answer(data))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._known.discard(self._transport)


@asynccontextmanager
async def _port(one: StandIn, clock: Clock) -> AsyncIterator[str]:
    host, port = split_address(one.address)
    answers = _tcp_answers if one.kind is WireKind.MODBUS_TCP else _line_answers
    known: set[asyncio.Transport] = set()
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: _Connection(answers(one, clock), known), host, port)
    except OSError as problem:
        raise RefusalError(
            f"wire {one.wire}: {one.address} cannot be served ({os.strerror(problem.errno or errno.EADDRNOTAVAIL)}); "
            "end what uses the port, or add --here FOLDER to serve on this machine"
        ) from problem
    try:
        yield "{}:{}".format(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()
        for transport in list(known):
            transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def _terminal(one: StandIn, clock: Clock) -> AsyncIterator[str]:
    answer, loop = _line_answers(one, clock), asyncio.get_running_loop()
    with _linked_terminal(one) as master:

        def readable() -> None:
            try:
                os.write(master, answer(os.read(master, _CHUNK_BYTES)))
            except OSError:
                return  # nobody has the other side open, or it reads nothing

        loop.add_reader(master, readable)
        try:
            yield one.address
        finally:
            loop.remove_reader(master)


@contextmanager
def _linked_terminal(one: StandIn) -> Iterator[int]:
    """Yield the inner side of a pseudo-terminal whose outer side stands behind the wire's path."""
    link = Path(one.address)
    if link.exists() and not link.is_symlink():
        raise RefusalError(f"wire {one.wire}: {link} is there already; add --here FOLDER to use a path of your own")
    master, slave = os.openpty()
    outer = Path(os.ttyname(slave))
    tty.setraw(slave)
    os.set_blocking(master, False)
    try:
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(outer)
        except OSError as problem:
            raise RefusalError(f"wire {one.wire}: {link} cannot be made ({problem}); add --here FOLDER") from problem
        yield master
    finally:
        if link.is_symlink() and link.readlink() == outer:
            link.unlink()
        os.close(master)
        os.close(slave)


def _line_answers(one: StandIn, clock: Clock) -> Callable[[bytes], bytes]:
    line = SimulatedLine(one.meters)
    return lambda data: line.feed(data, clock.now())


def _tcp_answers(one: StandIn, clock: Clock) -> Callable[[bytes], bytes]:
    """Return what a Modbus TCP server says to the bytes of one connection, frame by frame."""
    line, pending = SimulatedLine(one.meters), bytearray()

    def answer(data: bytes) -> bytes:
        pending.extend(data)
        said = b""
        while len(pending) > HEADER_BYTES:
            length = int.from_bytes(pending[_LENGTH_AT:_UNIT_AT])
            if not _BODY_LEAST <= length <= _BODY_MOST:
                pending.clear()
                break
            frame, rest = bytes(pending[: _UNIT_AT + length]), pending[_UNIT_AT + length :]
            if len(frame) < _UNIT_AT + length:
                break
            pending[:] = rest
            body = line.registers(frame[_UNIT_AT], frame[HEADER_BYTES:], clock.now())
            if body:
                said += frame[:_LENGTH_AT] + (len(body) + 1).to_bytes(2) + frame[_UNIT_AT:HEADER_BYTES] + body
        return said

    return answer


def described(stand_ins: Sequence[StandIn], reached: dict[str, str]) -> str:
    """Return who stands in where, and how each is asked."""
    lines = []
    for one in stand_ins:
        if one.left_out:
            lines.append(f"wire {one.wire}: not served, {one.left_out}")
            continue
        terminal = one.kind is WireKind.SERIAL
        lines.append(f"wire {one.wire}: {len(one.meters)} meters at {reached[one.wire]}")
        if one.kind is WireKind.MQTT:
            lines += [
                f"  {meter.profile.model} {meter.device.address} speaks every {SAY_S:.0f} s" for meter in one.meters
            ]
            continue
        if terminal and one.parity != "none":
            lines.append("  a pseudo-terminal has no parity: give this wire `parity: none` while you try")
        lines += [
            f"  probe {reached[one.wire]} --over {one.kind} --model {meter.profile.model} "
            f"--addresses {meter.device.address}{' --parity none' * terminal}"
            for meter in one.meters
        ]
    return "\n".join([*lines, "Ctrl-C ends it", ""])
