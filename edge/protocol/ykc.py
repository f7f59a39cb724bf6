"""云快充 (YKC) 1.5 and 1.6: frames of charging piles over TCP. Pure bytes to values.

    68 · L · sequence 2 · encrypt 1 · type 1 · body · CRC 2        L counts all between itself and the CRC

The CRC is that of Modbus over what L counts. The text says low byte first, real piles also send it high byte first:
both are taken, and low byte first is sent. Types are odd from the pile and even from the platform. Numbers are binary,
low byte first; energy and money have four decimals, prices five; times are CP56Time2a in Chinese time. A frame that
says it is encrypted is refused: no frame of that kind was ever published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from common.errors import RefusalError
from edge.protocol.modbus_rtu import crc16

START = 0x68
HEAD_BYTES = 6
CRC_BYTES = 2
BODY_MOST = 255 - 4
PILE_BYTES = 7
TRANSACTION_BYTES = 16
LOGIN, LOGIN_ANSWER = 0x01, 0x02
HEARTBEAT, HEARTBEAT_ANSWER = 0x03, 0x04
PRICE_CHECK, PRICE_CHECK_ANSWER = 0x05, 0x06
REAL_TIME = 0x13
START_ASKED, START_ANSWER = 0x31, 0x32
REMOTE_START_ANSWER, REMOTE_START = 0x33, 0x34
REMOTE_STOP_ANSWER, REMOTE_STOP = 0x35, 0x36
RECORD, RECORD_ANSWER = 0x3B, 0x40
CLOCK_ANSWER, SET_CLOCK = 0x55, 0x56
TARIFFS = ("sharp", "peak", "flat", "valley")
_CHINA = timezone(timedelta(hours=8))
_RECORD_BYTES = 158


@dataclass(frozen=True, slots=True, kw_only=True)
class YkcFrame:
    """One sound frame; `crc_high_first` says in which order its CRC came."""

    sequence: int
    kind: int
    body: bytes
    crc_high_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffPart:
    """One tariff of a record: ten-thousandths of a kWh and of a yuan, price in hundred-thousandths of a yuan."""

    price: int
    energy: int
    energy_with_loss: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRecord:
    """What a pile tells of a finished charge; registers and energy in ten-thousandths of a kWh."""

    transaction: str
    pile: str
    gun: int
    start: datetime
    end: datetime
    parts: tuple[TariffPart, ...]
    meter_start: int
    meter_end: int
    energy: int
    energy_with_loss: int
    amount: int
    started_by: int
    trade_time: datetime
    stop_reason: int
    card: str


def make_frame(kind: int, body: bytes, sequence: int) -> bytes:
    """Return the bytes of a frame, its CRC low byte first."""
    content = sequence.to_bytes(2) + b"\x00" + bytes([kind]) + body
    return bytes([START, len(content)]) + content + crc16(content)


def missing_bytes(data: bytes) -> int | None:
    """Return how many bytes a frame that begins here still lacks, None when none begins here."""
    if not data or data[0] != START:
        return None
    if len(data) == 1:
        return 1
    return max(0, 2 + data[1] + CRC_BYTES - len(data))


def parse_frame(data: bytes) -> YkcFrame:
    """Return the frame in some bytes.

    Raises:
        RefusalError: it is none, damaged or encrypted.
    """
    if len(data) < HEAD_BYTES + CRC_BYTES or data[0] != START:
        raise RefusalError("the bytes do not begin with 68 and a head; look at what connects to this port")
    if len(data) != 2 + data[1] + CRC_BYTES:
        raise RefusalError(f"the frame states {data[1]} bytes and has {len(data) - 2 - CRC_BYTES}")
    content, told = data[2:-CRC_BYTES], data[-CRC_BYTES:]
    sound = crc16(content)
    if told not in {sound, sound[::-1]}:
        raise RefusalError("the CRC holds in neither order: a damaged frame")
    if content[2] != 0:
        raise RefusalError("the frame is encrypted; switch encryption off in the pile")
    return YkcFrame(
        sequence=int.from_bytes(content[:2]), kind=content[3], body=content[4:], crc_high_first=told != sound
    )


def bcd_text(data: bytes) -> str:
    """Return BCD bytes as the digits they are.

    Raises:
        RefusalError: a half byte is no digit.
    """
    text = data.hex()
    if not text.isdigit():
        raise RefusalError(f"{text} holds a digit above 9")
    return text


def parse_time(data: bytes) -> datetime:
    """Return a CP56Time2a as an instant.

    Raises:
        RefusalError: it is none.
    """
    milliseconds = int.from_bytes(data[:2], "little")
    try:
        local = datetime(
            2000 + (data[6] & 0x7F),
            data[5] & 0x0F,
            data[4] & 0x1F,
            data[3] & 0x1F,
            data[2] & 0x3F,
            milliseconds // 1000,
            tzinfo=_CHINA,
        )
    except ValueError as problem:
        raise RefusalError(f"{data.hex()} is no time; set the pile's clock") from problem
    return local.astimezone(UTC)


def make_time(instant: datetime) -> bytes:
    """Return an instant as CP56Time2a."""
    local = instant.astimezone(_CHINA)
    milliseconds = local.second * 1000 + local.microsecond // 1000
    date = bytes([local.minute, local.hour, local.day, local.month, local.year - 2000])
    return milliseconds.to_bytes(2, "little") + date


def parse_record(body: bytes) -> TransactionRecord:
    """Return the record of a finished charge.

    Raises:
        RefusalError: it is too short, or a field of it cannot be.
    """
    if len(body) < _RECORD_BYTES:
        raise RefusalError(f"a transaction record of {len(body)} bytes is none; update the pile")
    at = 38
    parts = []
    for _ in TARIFFS:
        price, energy, loss, amount = (_number(body[at + n : at + n + 4]) for n in (0, 4, 8, 12))
        parts.append(TariffPart(price=price, energy=energy, energy_with_loss=loss, amount=amount))
        at += 16
    return TransactionRecord(
        transaction=bcd_text(body[:16]),
        pile=bcd_text(body[16:23]),
        gun=body[23],
        start=parse_time(body[24:31]),
        end=parse_time(body[31:38]),
        parts=tuple(parts),
        meter_start=_number(body[102:107]),
        meter_end=_number(body[107:112]),
        energy=_number(body[112:116]),
        energy_with_loss=_number(body[116:120]),
        amount=_number(body[120:124]),
        started_by=body[141],
        trade_time=parse_time(body[142:149]),
        stop_reason=body[149],
        card=body[150:158].hex(),
    )


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
