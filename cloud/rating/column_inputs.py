"""The bytes that replay the lines of many households: their requests in columns, compressed, named by their hash.

    magic, then zstd over: length of the head (4 bytes), head (canonical JSON), columns in the order that the head names

The head says for each group of lines the charge, the tariff by hash, and which columns follow; a column is 64-bit
little-endian integers, ids are 16 bytes. A line that is asked for is rated again by value, from a request that is built
here, so its explanation is the one that the by-value road would have stored. Pure.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import zstandard

from cloud.estate.in_columns import ABSENT
from cloud.kit.images import ID, Ids, id_at
from cloud.metering.usage import RegisterRef
from cloud.rating.column_lines import FACT, PART_FEN, PRIOR, QUANTITY, WEIGHT, WINDOW, LineColumns
from cloud.rating.columns import Column
from cloud.rating.lines import RatingInput
from cloud.rating.replay import ReplaySources
from common.civil import Period, midnight
from common.errors import InvariantError, ensure
from common.ids import ChargeItemId, MeterId, PremisesId
from common.rating.engine import ENGINE_VERSION, rate
from common.rating.line import RatedLine
from common.rating.request import RatingRequest, Share
from common.reading.reading import Quality, Quantity
from common.tariff.canonical import Json, canonical_json
from common.tariff.compile import compile_tariff
from common.tariff.daytype import parse_calendar
from common.tariff.document import parse_tariff

FORMAT = "gatehouse-rating-columns/1"
MAGIC = b"GHRC\x01"
UNPACKED_MAX = 1 << 28
_COMPRESSION_LEVEL = 1
_REGISTERS = ("from_milli", "from_quality", "from_rev", "to_milli", "to_quality", "to_rev")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedLine:
    """A line rated again, with the registers behind it, under the charge item and the thing that was measured."""

    premises_id: PremisesId
    charge_item_id: ChargeItemId
    subject: str
    line: RatedLine
    from_register: RegisterRef | None
    to_register: RegisterRef | None
    pool_id: UUID | None


def is_columns(body: bytes) -> bool:
    """Return whether a kept input is of columns."""
    return body.startswith(MAGIC)


def pack(premises: Ids, groups: Sequence[LineColumns], zone_name: str) -> RatingInput:
    """Return the input of some lines."""
    head: dict[str, Json] = {
        "format": FORMAT,
        "engine": ENGINE_VERSION,
        "zone": zone_name,
        "premises": len(premises),
        "groups": [_head(group) for group in groups],
    }
    named = canonical_json(head)
    parts = [struct.pack("<I", len(named)), named, premises.tobytes()]
    for group in groups:
        parts += [_bytes(column) for column in _columns(group)]
        if group.meters is not None:
            parts.append(group.meters.tobytes())
    body = MAGIC + zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).compress(b"".join(parts))
    return RatingInput(sha=hashlib.sha256(body).hexdigest(), body=body)


def named_in(body: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hashes of the tariffs and of the calendars that an input names."""
    groups = _opened(body)[0]["groups"]
    calendars = {group["calendar"] for group in groups if group["calendar"] is not None}
    return frozenset(group["tariff"] for group in groups), frozenset(calendars)


def replay(
    body: bytes, sources: ReplaySources, calendar_code: str, premises_id: PremisesId | None = None
) -> Iterator[ReplayedLine]:
    """Yield the lines of an input, rated again: all of them, or those of some premises.

    Raises:
        InvariantError: another engine made it.
    """
    head, raw = _opened(body)
    ensure(head["engine"] == ENGINE_VERSION, f"the input was rated by engine {head['engine']}")
    reader = _Reader(raw)
    premises = reader.ids(head["premises"])
    calendars = {sha: parse_calendar(calendar_code, documents) for sha, documents in sources.calendars.items()}
    zone = ZoneInfo(head["zone"])
    for group in head["groups"]:
        rows = _Rows(group, reader)
        wanted = list(range(group["count"]))
        if premises_id is not None:
            (places,) = np.nonzero(premises == premises_id.bytes.rstrip(b"\0"))
            wanted = np.flatnonzero(np.isin(rows.columns["rows"], places)).tolist()
        if not wanted:
            continue
        tariff = compile_tariff(parse_tariff(sources.tariffs[group["tariff"]]))
        calendar = None if group["calendar"] is None else calendars[group["calendar"]]
        for n in wanted:
            from_register, to_register = rows.registers(n, zone)
            yield ReplayedLine(
                premises_id=PremisesId(id_at(premises, int(rows.columns["rows"][n]))),
                charge_item_id=ChargeItemId(UUID(group["item"])),
                subject=rows.subject(n),
                line=rate(tariff, rows.request(n, calendar)),
                from_register=from_register,
                to_register=to_register,
                pool_id=None if group["pool"] is None else UUID(group["pool"]["pool_id"]),
            )


def _head(group: LineColumns) -> dict[str, Json]:
    registers, pool = group.registers, group.pool
    return {
        "charge": group.item.code,
        "item": str(group.item.charge_item_id),
        "tariff": group.revision.body_sha,
        "period": str(group.period),
        "count": len(group.rows),
        "columns": sorted(group.request),
        "meters": group.meters is not None,
        "calendar": group.calendar_sha,
        "registers": None
        if registers is None
        else [registers.quantity, registers.start.isoformat(), registers.end.isoformat()],
        "pool": None
        if pool is None
        else {
            "pool_id": str(pool.pool_id),
            "meter_id": str(pool.meter_id),
            "sha": pool.sha,
            "pool_fen": pool.pool_fen,
            "weights": pool.weights,
            "scale": pool.scale,
            "sharers": pool.sharers,
            "from": _ref_plain(pool.from_register),
            "to": _ref_plain(pool.to_register),
        },
    }


def _columns(group: LineColumns) -> list[Column]:
    columns = [group.rows.astype(np.int64), *(group.request[name] for name in sorted(group.request))]
    if group.registers is not None:
        columns += [getattr(group.registers, name) for name in _REGISTERS]
    return columns


def _bytes(column: Column) -> bytes:
    return np.ascontiguousarray(column, dtype="<i8").tobytes()


def _opened(body: bytes) -> tuple[dict[str, Any], memoryview]:
    ensure(is_columns(body), "an input of columns begins with its mark")
    packed = body[len(MAGIC) :]
    try:
        size = zstandard.frame_content_size(packed)
        ensure(0 < size <= UNPACKED_MAX, "an input unfolds to more than its bound")
        raw = memoryview(zstandard.ZstdDecompressor().decompress(packed, max_output_size=UNPACKED_MAX))
    except zstandard.ZstdError as error:
        raise InvariantError("the bytes of an input are damaged") from error
    (length,) = struct.unpack_from("<I", raw)
    head: dict[str, Any] = json.loads(bytes(raw[4 : 4 + length]))
    return head, raw[4 + length :]


class _Reader:
    """Takes columns off the front of the bytes."""

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        self._at = 0

    def integers(self, count: int) -> Column:
        column = np.frombuffer(self._raw, dtype="<i8", count=count, offset=self._at)
        self._at += 8 * count
        return column

    def ids(self, count: int) -> Ids:
        column = np.frombuffer(self._raw, dtype=ID, count=count, offset=self._at)
        self._at += ID.itemsize * count
        return column


class _Rows:
    """The columns of one group, and what one row of them says."""

    def __init__(self, group: Mapping[str, Any], reader: _Reader) -> None:
        self._group = group
        count = group["count"]
        self.columns = {name: reader.integers(count) for name in ("rows", *group["columns"])}
        if group["registers"] is not None:
            self.columns |= {name: reader.integers(count) for name in _REGISTERS}
        self._meters = reader.ids(count) if group["meters"] else None

    def subject(self, n: int) -> str:
        """Return the meter that a row is about."""
        if self._group["pool"] is not None:
            return str(self._group["pool"]["meter_id"])
        return "" if self._meters is None else str(id_at(self._meters, n))

    def request(self, n: int, calendar: Any) -> RatingRequest:
        """Return the request of a row."""
        start, end = (date.fromisoformat(day) for day in self._group["period"].split(".."))
        values = {name: int(self.columns[name][n]) for name in self._group["columns"]}
        return RatingRequest(
            period=Period(start, end),
            quantity_milli=values.get(QUANTITY),
            prior_milli=values.get(PRIOR, 0),
            windows_milli=_keyed(values, WINDOW),
            facts={key: value for key, value in _keyed(values, FACT).items() if value != ABSENT},
            calendar=calendar,
            share=self._share(values),
        )

    def _share(self, values: Mapping[str, int]) -> Share | None:
        pool = self._group["pool"]
        if pool is None:
            return None
        return Share(
            pool_fen=pool["pool_fen"],
            part_fen=values[PART_FEN],
            weight=Fraction(values[WEIGHT], pool["scale"]),
            weights=Fraction(pool["weights"], pool["scale"]),
            sharers=pool["sharers"],
        )

    def registers(self, n: int, zone: ZoneInfo) -> tuple[RegisterRef | None, RegisterRef | None]:
        """Return the registers at both ends of a row."""
        pool, named = self._group["pool"], self._group["registers"]
        if pool is not None:
            return _ref(pool["from"], pool["meter_id"]), _ref(pool["to"], pool["meter_id"])
        if named is None or self._meters is None:
            return None, None
        quantity, *days = named
        first, last = (
            RegisterRef(
                meter_id=MeterId(id_at(self._meters, n)),
                quantity=Quantity(quantity),
                read_at=midnight(date.fromisoformat(day), zone),
                value_milli=int(self.columns[f"{side}_milli"][n]),
                quality=Quality(int(self.columns[f"{side}_quality"][n])),
                block_day=date.fromisoformat(day),
                block_rev=int(self.columns[f"{side}_rev"][n]),
            )
            for side, day in zip(("from", "to"), days, strict=True)
        )
        return first, last


def _keyed(values: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _ref_plain(ref: RegisterRef) -> list[Json]:
    day = None if ref.block_day is None else ref.block_day.isoformat()
    return [ref.quantity, ref.read_at.isoformat(), ref.value_milli, int(ref.quality), day, ref.block_rev, ref.revision]


def _ref(plain: Sequence[Any], meter_id: str) -> RegisterRef:
    quantity, read_at, value, quality, day, block_rev, revision = plain
    return RegisterRef(
        meter_id=MeterId(UUID(meter_id)),
        quantity=Quantity(quantity),
        read_at=datetime.fromisoformat(read_at),
        value_milli=value,
        quality=Quality(quality),
        block_day=None if day is None else date.fromisoformat(day),
        block_rev=block_rev,
        revision=revision,
    )
