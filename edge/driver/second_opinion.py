"""The technician's second opinion: the same registers read once more by a code path of its own.

That is `minimalmodbus` on a serial port and `pymodbus` over TCP.

When the gateway's codec and this one agree, the cable, the address and the meter are what they seem; when only one of
them gets an answer, the fault is in the software. It blocks, so it is for the probe and never for a running wire;
the port must be free: whoever asks closes the wire first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import minimalmodbus
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException

from common.errors import RefusalError
from common.reading.reading import Quantity
from edge.device.model import Profile, ProtocolName
from edge.device.plan import RegisterBlock, read_plan
from edge.driver.decoding import decode_block
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import (
    DeviceConfig,
    Exchange,
    FailureKind,
    PointValue,
    ReadFailure,
    ReadOutcome,
    WireConfig,
    WireKind,
)
from edge.driver.questions import register_questions
from edge.protocol.modbus_rtu import HOLDING_REGISTERS, ModbusRtu, RegisterQuestion
from edge.protocol.modbus_tcp import request as frame_of

_PARITIES = {"none": "N", "even": "E", "odd": "O"}


class _RefusedError(ModbusException):
    """The meter said no over TCP."""


def second_opinion(profile: Profile, device: DeviceConfig, wire: WireConfig) -> ReadOutcome:
    """Read the device's points of a Modbus meter once, apart from the gateway's own codec; blocks.

    Raises:
        RefusalError: the wire is neither a serial port nor Modbus TCP, or the model does not speak Modbus.
    """
    if wire.kind not in _READERS or profile.protocol is not ProtocolName.MODBUS:
        raise RefusalError(
            f"a second opinion is for Modbus meters on a serial port or over Modbus TCP; {profile.model} on "
            f"{wire.wire} speaks {profile.protocol} over {wire.kind}"
        )
    values: list[PointValue] = []
    failures: list[ReadFailure] = []
    for block in read_plan(profile, device.points):
        if isinstance(block, RegisterBlock):
            found, lacking = _read_block(profile, device, wire, block)
            values += found
            failures += lacking
    return ReadOutcome(meter_id=device.meter_id, points=tuple(values), failures=tuple(failures))


def disagreements(first: ReadOutcome, second: ReadOutcome, *, slack_milli: int) -> Iterator[str]:
    """Return what the two opinions say differently; values may have moved on by `slack_milli` between the reads."""
    ours, theirs = _by_quantity(first.points), _by_quantity(second.points)
    for quantity in sorted(set(ours) | set(theirs)):
        one, other = ours.get(quantity), theirs.get(quantity)
        if one is None or other is None:
            who = "only the second opinion" if one is None else "only the gateway's own codec"
            yield f"{quantity}: {who} got an answer"
        elif abs(one - other) > slack_milli:
            yield f"{quantity}: {one} and {other} milli-units"


def _by_quantity(points: Sequence[PointValue]) -> dict[Quantity, int]:
    return {point.quantity: point.value_milli for point in points}


def _read_block(
    profile: Profile, device: DeviceConfig, wire: WireConfig, block: RegisterBlock
) -> tuple[list[PointValue], list[ReadFailure]]:
    question = register_questions(block, device.address)[0]
    request = ModbusRtu().request(question) if wire.kind is WireKind.SERIAL else frame_of(1, question)
    try:
        data = _READERS[wire.kind](question, wire, profile.timing.answer_ms)
    except (OSError, ModbusException) as problem:
        quantities = tuple(field.point.quantity for field in block.fields)
        exchange = Exchange(request=request, response=b"")
        return [], [ReadFailure(kind=_kind(problem), points=quantities, detail=str(problem), exchange=exchange)]
    return decode_block(profile, block, data, device.parameters, Exchange(request=request, response=data))


def _over_tcp(question: RegisterQuestion, wire: WireConfig, answer_ms: int) -> bytes:
    host, port = split_address(wire.address)
    client = ModbusTcpClient(host, port=port, timeout=answer_ms / 1000, retries=0)
    try:
        if not client.connect():  # type: ignore[no-untyped-call]
            raise ConnectionException(f"{wire.address} cannot be reached")
        holding = question.function == HOLDING_REGISTERS
        read = client.read_holding_registers if holding else client.read_input_registers
        answer = read(question.start, count=question.count, device_id=question.unit)
    finally:
        client.close()  # type: ignore[no-untyped-call]
    if answer.isError():
        raise _RefusedError(f"the meter refused with exception {answer.exception_code}")
    return b"".join(word.to_bytes(2) for word in answer.registers)


def _on_serial(question: RegisterQuestion, wire: WireConfig, answer_ms: int) -> bytes:
    settings = {"baudrate": wire.baud, "parity": _PARITIES[wire.parity], "timeout": answer_ms / 1000}
    with minimalmodbus.serial.Serial(wire.address, exclusive=True, **settings) as port:
        instrument = minimalmodbus.Instrument(port, question.unit)
        instrument.handle_local_echo = wire.echo
        words = instrument.read_registers(question.start, question.count, question.function)
    return b"".join(word.to_bytes(2) for word in words)


_READERS = {WireKind.SERIAL: _on_serial, WireKind.MODBUS_TCP: _over_tcp}


def _kind(problem: Exception) -> FailureKind:
    if isinstance(problem, minimalmodbus.NoResponseError | ModbusIOException):
        return FailureKind.TIMEOUT
    if isinstance(problem, minimalmodbus.SlaveReportedException | _RefusedError):
        return FailureKind.REFUSED
    if isinstance(problem, minimalmodbus.InvalidResponseError | minimalmodbus.LocalEchoError):
        return FailureKind.BAD_FRAME
    return FailureKind.LINK_LOST
