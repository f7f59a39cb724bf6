"""UnionPay's ZM file: rows of fixed width in GBK, 41 fields and a reserve, one blank between two fields.

It comes as deflate of a zip. Widths count bytes, so a row is cut before it is decoded. `S22` is a payment, `S30` a
refund. Times say no year: they are of the last year in which they are not after the day of the file.

Invariants: unpacking is bounded; a row of another width, code or merchant refuses the whole file; the file states no
sums of its own, so amount, fee and net of each row must agree.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate

from cloud.payments.channels.bill import (
    MILLIFEN_PER_FEN,
    ROWS_MAX,
    BillKind,
    BillRow,
    FlowKind,
    FlowRow,
    unreadable,
)
from cloud.payments.channels.times import BEIJING, COMPACT, read_beijing
from common.errors import RefusalError

WIDTHS = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13,
    13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
)  # fmt: skip
UNPACKED_MAX = 512 * 1024 * 1024
_STARTS = (0, *accumulate(width + 1 for width in WIDTHS[:-1]))
_SIZE = _STARTS[-1] + WIDTHS[-1]
_CODE, _AT, _AMOUNT, _QUERY, _ORDER, _FEE, _NET, _MERCHANT, _ORIGINAL = 0, 4, 6, 9, 11, 15, 16, 27, 40
_KINDS = {"S22": BillKind.PAYMENT, "S30": BillKind.REFUND}
_SIGNS = {"C": 1, "D": -1}


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    kind: BillKind
    at: datetime
    number: str
    original: str
    query: str
    amount_fen: int
    fee_fen: int
    net_fen: int


def read_trade_file(raw: bytes, merchant_number: str) -> tuple[BillRow, ...]:
    """Return the checked rows of a day's file as trades.

    Raises:
        FaultsError: another file, another merchant's, or a row that contradicts itself.
    """
    return tuple(_bill_row(row) for row in _rows(raw, merchant_number))


def read_fund_file(raw: bytes, merchant_number: str) -> tuple[FlowRow, ...]:
    """Return the checked rows of a day's file as movements: each trade and its fee, with their running sum.

    Raises:
        FaultsError: another file, another merchant's, or a row that contradicts itself.
    """
    flows: list[FlowRow] = []
    balance_fen = 0
    for row in _rows(raw, merchant_number):
        paid = row.kind is BillKind.PAYMENT
        moves = (
            (FlowKind.TRADE if paid else FlowKind.REFUND, row.amount_fen if paid else -row.amount_fen),
            (FlowKind.FEE, -row.fee_fen),
        )
        for kind, fen in moves:
            if fen:
                balance_fen += fen
                flows.append(
                    FlowRow(
                        line=len(flows) + 1,
                        kind=kind,
                        at=row.at,
                        number=row.number,
                        flow_id=f"{row.query}:{kind}",
                        fen=fen,
                        balance_fen=balance_fen,
                        remark="",
                    )
                )
    return tuple(flows)


def _bill_row(row: _Row) -> BillRow:
    paid = row.kind is BillKind.PAYMENT
    return BillRow(
        line=row.line,
        kind=row.kind,
        at=row.at,
        order_number=row.number if paid else row.original,
        refund_number="" if paid else row.number,
        transaction_id=row.query,
        amount_fen=row.amount_fen,
        settled_fen=row.amount_fen if paid else 0,
        refund_settled_fen=0 if paid else row.amount_fen,
        currency="CNY",
        status=row.kind.value,
        fee_millifen=row.fee_fen * MILLIFEN_PER_FEN,
    )


def _rows(raw: bytes, merchant_number: str) -> Iterator[_Row]:
    day, content = _unpacked(raw)
    lines = content.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n") if content.strip() else []
    if len(lines) > ROWS_MAX:
        raise unreadable("rows", f"the file has more than {ROWS_MAX} rows")
    for number, line in enumerate(lines, start=1):
        if len(line) != _SIZE:
            raise unreadable(f"line {number}", f"{len(line)} bytes where {_SIZE} belong")
        cells = [_cut(line, place, number) for place in range(len(WIDTHS))]
        if cells[_MERCHANT] != merchant_number:
            raise unreadable(f"line {number}", "the row belongs to another merchant number")
        kind = _KINDS.get(cells[_CODE])
        if kind is None:
            raise unreadable(f"line {number}", f"unknown code {cells[_CODE]!r}")
        row = _Row(
            line=number,
            kind=kind,
            at=_instant(cells[_AT], day, number),
            number=cells[_ORDER],
            original=cells[_ORIGINAL],
            query=cells[_QUERY],
            amount_fen=_count(cells[_AMOUNT], number),
            fee_fen=-_signed(cells[_FEE], number),
            net_fen=_signed(cells[_NET], number),
        )
        gross_fen = row.amount_fen if kind is BillKind.PAYMENT else -row.amount_fen
        if gross_fen - row.fee_fen != row.net_fen:
            raise unreadable(f"line {number}", f"{gross_fen} less {row.fee_fen} is not the net {row.net_fen}")
        yield row


def _unpacked(raw: bytes) -> tuple[date, bytes]:
    """Return the day in the file's name and its content, bounded."""
    try:
        unpacker = zlib.decompressobj()
        whole = unpacker.decompress(raw, UNPACKED_MAX)
        if not unpacker.eof:
            raise unreadable("deflate", "it is cut off or too large")
        with zipfile.ZipFile(io.BytesIO(whole)) as packed:
            found = [one for one in packed.infolist() if one.filename.startswith("INN") and "ZM_" in one.filename]
            if len(found) != 1:
                raise unreadable("zip", "it holds no single ZM file")
            day = datetime.strptime(found[0].filename[3:9], "%y%m%d").replace(tzinfo=BEIJING).date()
            with packed.open(found[0]) as file:
                content = file.read(UNPACKED_MAX + 1)
    except (zlib.error, zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise unreadable("zip", "it is damaged, or its name says no day") from error
    if len(content) > UNPACKED_MAX:
        raise unreadable("zip", f"it unpacks to more than {UNPACKED_MAX} bytes")
    return day, content


def _cut(line: bytes, place: int, number: int) -> str:
    start = _STARTS[place]
    try:
        return line[start : start + WIDTHS[place]].decode("gbk").strip()
    except UnicodeDecodeError as error:
        raise unreadable(f"line {number}", f"field {place + 1} is not GBK") from error


def _instant(text: str, day: date, number: int) -> datetime:
    try:
        found = read_beijing(f"{day.year}{text}", COMPACT)
        if found.astimezone(BEIJING).date() > day:
            found = read_beijing(f"{day.year - 1}{text}", COMPACT)
    except RefusalError as error:
        raise unreadable(f"line {number}", str(error)) from error
    return found


def _count(text: str, number: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise unreadable(f"line {number}", f"{text!r} is not a count of fen")
    return int(text)


def _signed(text: str, number: int) -> int:
    """Return an amount that starts with C (to the merchant) or D (from him)."""
    sign = _SIGNS.get(text[:1])
    if sign is None:
        raise unreadable(f"line {number}", f"{text!r} says neither C nor D")
    return sign * _count(text[1:], number)
