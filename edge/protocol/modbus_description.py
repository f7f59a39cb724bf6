"""Modbus RTU frames in words. A read answer names no registers, so the usual readings of its bytes are all given."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from common.errors import RefusalError
from edge.protocol import modbus_rtu
from edge.protocol.values import ByteOrder, RegisterType, ValueRefusedError, number

_REQUEST_BYTES = 8
_HEAD_BYTES = 3
_CRC_BYTES = 2
_F32_DIGITS = 7
_DOUBLE = 4
_QUADRUPLE = 8


def describe_modbus_rtu(data: bytes) -> dict[str, object]:
    """Return what one RTU frame says; the bytes must be the frame and nothing else.

    Raises:
        RefusalError: the CRC does not hold, or the frame is neither a read nor its answer.
    """
    if not modbus_rtu.crc_holds(data):
        raise RefusalError("the CRC does not hold: a damaged frame, or not Modbus RTU")
    codec = modbus_rtu.ModbusRtu()
    described: dict[str, object] = {"unit": data[0], "function": data[1]}
    if codec.expect(data) != 0:
        return described | _request(data)
    if data[1] & modbus_rtu.EXCEPTION_FLAG:
        code = data[2]
        return described | {"exception": code, "meaning": modbus_rtu.EXCEPTION_MEANINGS.get(code, "unknown exception")}
    return described | _registers(data[_HEAD_BYTES:-_CRC_BYTES])


def _request(data: bytes) -> dict[str, object]:
    if len(data) != _REQUEST_BYTES:
        raise RefusalError("neither a register read nor an answer to one")
    return {"start": int.from_bytes(data[2:4]), "count": int.from_bytes(data[4:6])}


def _registers(raw: bytes) -> dict[str, object]:
    described: dict[str, object] = {"registers": [int.from_bytes(raw[n : n + 2]) for n in range(0, len(raw), 2)]}
    if len(raw) == _DOUBLE:
        described["uint32_be"] = str(number(raw, RegisterType.U32))
        described["int32_be"] = str(number(raw, RegisterType.S32))
        described |= _float("float32_be", raw, ByteOrder.ABCD) | _float("float32_low_word_first", raw, ByteOrder.CDAB)
    if len(raw) == _QUADRUPLE:
        described["int64_be"] = str(number(raw, RegisterType.S64))
    return described


def _float(name: str, raw: bytes, order: ByteOrder) -> dict[str, object]:
    try:
        exact = number(raw, RegisterType.F32, order)
    except ValueRefusedError:
        return {}
    return {name: float32_text(exact)}


def float32_text(exact: Fraction) -> str:
    """Return a float32 as decimal text of the seven digits it can hold, without an exponent."""
    with localcontext() as context:
        context.prec = _F32_DIGITS
        rounded = Decimal(exact.numerator) / Decimal(exact.denominator)
    text = f"{rounded:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
