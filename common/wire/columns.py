"""Readings as columns on a grid, and columns as blocks of delta-coded typed arrays (RFC 8746).

`arrange` puts samples into columns where each series' slots are evenly spaced, and into rows where they are not or
where the clock cannot date them. `pack_blocks` groups columns of one grid and one delta width into a block:

    [start_ms, step_ms, count, boot_no, source, uncertainty_ms, within_ms, divisor,
     series numbers as differences, first values, deltas series by series, holes, flags]

Values are divided by the block's power of ten; a hole repeats the value before it and is named in `holes`, flat pairs
of (place of the series, position); `flags` are flat triples with the quality. Unpacking rebuilds nothing that the
bytes do not hold, so a small block cannot unfold into a large one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import gcd
from operator import sub
from typing import NamedTuple

from common.wire.batch import Column, Row
from common.wire.cbor import integer_width, pack_integers, pack_steps, unpack_integers, unpack_steps
from common.wire.limits import READINGS_MAX, SERIES_MAX, SLOTS_MAX
from common.wire.shapes import COUNT, INTEGER, Kind, Shape, choice, integer, many, refuse, shape_of
from common.wire.stamp import ClockSource, Stamp

LATE_MS_MAX = 600_000  # a reading taken later than this after its slot keeps its own stamp, in a row
UNCERTAIN_MS_MAX = 86_400_000  # so does one whose date is known to no better than a day
STEP_MS_MAX = 366 * 86_400_000
_DIVISORS = (1_000_000, 100_000, 10_000, 1_000, 100, 10)
_VALUE_LIMIT = 1 << 62  # two values of a column differ by less than 64 bits


class Sample(NamedTuple):
    """One reading before it is arranged: the series number, its slot, value, quality and stamp."""

    series: int
    slot_ms: int
    value_milli: int
    quality: int
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """The wire form of columns that share a grid, a clock and a delta width."""

    start_ms: int
    step_ms: int
    count: int
    boot_no: int
    source: ClockSource
    uncertainty_ms: int
    within_ms: int
    divisor: int
    series: tuple[int, ...]
    firsts: tuple[int, ...]
    deltas: tuple[int, ...]
    holes: tuple[int, ...]
    flags: tuple[int, ...]


def _integers(count_max: int, *, signed: bool) -> Kind:
    def pack(values: Sequence[int]) -> object:
        return pack_integers(values, signed=signed)

    def unpack(value: object, what: str) -> tuple[int, ...]:
        return unpack_integers(value, what, signed=signed, count_max=count_max)

    return Kind(pack, unpack)


def _steps(count_max: int) -> Kind:
    def unpack(value: object, what: str) -> tuple[int, ...]:
        return unpack_steps(value, what, count_max=count_max)

    return Kind(pack_steps, unpack)


_BLOCK: Shape[_Block] = shape_of(
    _Block,
    start_ms=INTEGER,
    step_ms=COUNT,
    count=integer(1, SLOTS_MAX),
    boot_no=COUNT,
    source=choice(ClockSource),
    uncertainty_ms=COUNT,
    within_ms=COUNT,
    divisor=integer(1, _DIVISORS[0]),
    series=_steps(SERIES_MAX),
    firsts=_integers(SERIES_MAX, signed=True),
    deltas=_integers(READINGS_MAX, signed=True),
    holes=_integers(2 * READINGS_MAX, signed=False),
    flags=_integers(3 * READINGS_MAX, signed=False),
)
BLOCKS = many(_BLOCK.kind(), SERIES_MAX)


def arrange(samples: Sequence[Sample]) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
    """Return the samples as columns, ordered by series and start, and as rows in the order given."""
    groups: dict[tuple[int, ClockSource], dict[int, dict[int, int]]] = defaultdict(dict)
    in_rows: set[int] = set()
    stamp, dated, members, at_ms = None, False, {}, 0
    for place, (series, slot_ms, value_milli, _, at) in enumerate(samples):
        if at is not stamp:  # all points of one answer share their stamp
            stamp, dated, members, at_ms = at, _is_dated(at), groups[at.boot_no, at.source], at.at_ms
        slots = members.get(series)
        if slots is None:
            slots = members[series] = {}
        timely = 0 <= at_ms - slot_ms <= LATE_MS_MAX
        if dated and timely and -_VALUE_LIMIT < value_milli < _VALUE_LIMIT and slot_ms not in slots:
            slots[slot_ms] = place
        else:
            in_rows.add(place)
    columns: list[Column] = []
    grids = _Grids()
    for slots in (slots for members in groups.values() for slots in members.values() if slots):
        if made := grids.column([samples[place] for _, place in sorted(slots.items())]):
            columns.append(made)
        else:
            in_rows.update(slots.values())
    rows = tuple(
        Row(series=s.series, slot_ms=s.slot_ms, value_milli=s.value_milli, quality=s.quality, stamp=s.stamp)
        for s in (samples[place] for place in sorted(in_rows))
    )
    return tuple(sorted(columns, key=_column_order)), rows


def _is_dated(stamp: Stamp) -> bool:
    """Return whether the clock dates a reading well enough for a grid."""
    return stamp.source is not ClockSource.BOUNDED and stamp.uncertainty_ms <= UNCERTAIN_MS_MAX


def _column_order(column: Column) -> tuple[int, int, int, ClockSource]:
    return column.series, column.start_ms, column.boot_no, column.source


class _Grids:
    """Makes columns; the grid of the column before is tried first, since all points of a meter share theirs."""

    def __init__(self) -> None:
        self._slots: tuple[int, ...] = ()
        self._grid: tuple[int, int] | None = None
        self._stamps: tuple[Stamp, ...] = ()
        self._bounds = (0, 0)

    def column(self, samples: Sequence[Sample]) -> Column | None:
        """Return the samples of one series as a column, or None when their slots are no grid worth its holes."""
        numbers, slots, values, qualities, stamps = zip(*samples, strict=True)
        if slots != self._slots or stamps != self._stamps:
            self._slots, self._stamps, self._grid, self._bounds = slots, stamps, _grid_of(slots), _bounds(slots, stamps)
        if self._grid is None:
            return None
        step_ms, count = self._grid
        start_ms = slots[0]
        if count != len(values) or any(qualities):
            places = [(slot_ms - start_ms) // step_ms if step_ms else 0 for slot_ms in slots]
            held = dict(zip(places, values, strict=True))
            values = tuple([held.get(place) for place in range(count)])
            flags = tuple([(place, quality) for place, quality in zip(places, qualities, strict=True) if quality])
        else:
            flags = ()
        return Column(
            series=numbers[0],
            start_ms=start_ms,
            step_ms=step_ms,
            values=values,
            flags=flags,
            boot_no=stamps[0].boot_no,
            source=stamps[0].source,
            uncertainty_ms=self._bounds[0],
            within_ms=self._bounds[1],
        )


def _grid_of(slots: Sequence[int]) -> tuple[int, int] | None:
    """Return the step of slots in order and the count of places they span; None when they are no grid worth it."""
    start_ms = slots[0]
    step_ms = min(map(sub, slots[1:], slots), default=0)
    count = (slots[-1] - start_ms) // step_ms + 1 if step_ms else 1
    if step_ms and any((slot_ms - start_ms) % step_ms for slot_ms in slots):
        return None
    if step_ms > STEP_MS_MAX or count > SLOTS_MAX or count > 2 * len(slots):
        return None
    return step_ms, count


def _bounds(slots: Sequence[int], stamps: Sequence[Stamp]) -> tuple[int, int]:
    """Return how uncertain the dates of a column are at most, and how long after its slot a reading was taken."""
    return (
        coarse(max([stamp.uncertainty_ms for stamp in stamps])),
        coarse(max([stamp.at_ms - slot_ms for stamp, slot_ms in zip(stamps, slots, strict=True)])),
    )


def coarse(bound_ms: int) -> int:
    """Return the smallest power of four that is not below the bound, so that many columns share one; 0 stays 0."""
    bits = max(bound_ms - 1, 0).bit_length()
    return 1 << (bits + bits % 2) if bound_ms else 0


def to_blocks(columns: Iterable[Column], kinds: Sequence[Hashable]) -> tuple[_Block, ...]:
    """Return columns as blocks of one grid, clock and kind of series, split by the width of their deltas.

    `kinds` says by series number what the series measures: like with like shares a divisor and packs well.
    """
    groups: dict[Hashable, list[Column]] = defaultdict(list)
    for column in columns:
        groups[_grid(column), kinds[column.series]].append(column)
    return tuple(block for group in groups.values() for block in _split_by_width(group, _divisor(group)))


def _grid(column: Column) -> Hashable:
    span = (column.start_ms, column.step_ms, len(column.values))
    return span, column.boot_no, column.source, column.uncertainty_ms, column.within_ms


def _divisor(columns: Iterable[Column]) -> int:
    common = gcd(*(value for column in columns for value in column.values if value is not None))
    return next((divisor for divisor in _DIVISORS if common and common % divisor == 0), 1)


def _split_by_width(columns: Sequence[Column], divisor: int) -> list[_Block]:
    widths: dict[int, list[tuple[Column, int, list[int]]]] = defaultdict(list)
    for column in columns:
        scaled = [value // divisor for value in _filled(column.values)]
        deltas = list(map(sub, scaled[1:], scaled))
        width = max(integer_width(min(deltas)), integer_width(max(deltas))) if deltas else 1
        widths[width].append((column, scaled[0], deltas))
    return [_block(members, divisor) for _, members in sorted(widths.items())]


def _filled(values: Iterable[int | None]) -> Iterator[int]:
    """Yield the values, in a hole the one before it."""
    before = 0
    for value in values:
        before = before if value is None else value
        yield before


def _block(members: Sequence[tuple[Column, int, list[int]]], divisor: int) -> _Block:
    model = members[0][0]
    return _Block(
        start_ms=model.start_ms,
        step_ms=model.step_ms,
        count=len(model.values),
        boot_no=model.boot_no,
        source=model.source,
        uncertainty_ms=model.uncertainty_ms,
        within_ms=model.within_ms,
        divisor=divisor,
        series=tuple(column.series for column, _, _ in members),
        firsts=tuple(first for _, first, _ in members),
        deltas=tuple(delta for _, _, deltas in members for delta in deltas),
        holes=tuple(
            number
            for place, (column, _, _) in enumerate(members)
            for position, value in enumerate(column.values)
            if value is None
            for number in (place, position)
        ),
        flags=tuple(
            number for place, (column, _, _) in enumerate(members) for flag in column.flags for number in (place, *flag)
        ),
    )


def from_blocks(blocks: Iterable[_Block], series_count: int) -> tuple[Column, ...]:
    """Return the columns of blocks, ordered by series and start.

    Raises:
        WireError: the parts of a block do not fit each other, or the readings exceed the bound of a batch.
    """
    columns: list[Column] = []
    readings = 0
    for number, block in enumerate(blocks):
        what = f"block {number}"
        _check(block, series_count, what)
        readings += len(block.series) * block.count
        if readings > READINGS_MAX:
            refuse(what, f"brings the batch above {READINGS_MAX} readings")
        columns.extend(_columns_of(block, what))
    return tuple(sorted(columns, key=_column_order))


def _check(block: _Block, series_count: int, what: str) -> None:
    members = len(block.series)
    if len(block.firsts) != members or len(block.deltas) != members * (block.count - 1):
        refuse(what, "has arrays that do not fit its count")
    if not all(0 <= series < series_count for series in block.series):
        refuse(what, "names a series that the dictionary does not hold")
    if block.count > 1 and block.step_ms == 0:
        refuse(what, "has positions but no step")
    if len(block.holes) % 2 or len(block.flags) % 3:
        refuse(what, "has broken holes or flags")
    places = (*block.holes[::2], *block.flags[::3])
    if max(places, default=0) >= max(members, 1) or max(block.flags[1::3], default=0) >= block.count:
        refuse(what, "has holes or flags outside its columns")
    if not all(0 < position < block.count - 1 for position in block.holes[1::2]):
        refuse(what, "has a hole where a column begins or ends")


def _columns_of(block: _Block, what: str) -> Iterator[Column]:
    holes: dict[int, list[int]] = defaultdict(list)
    for place, position in zip(block.holes[::2], block.holes[1::2], strict=True):
        holes[place].append(position)
    flags: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, position, quality in zip(block.flags[::3], block.flags[1::3], block.flags[2::3], strict=True):
        flags[place].append((position, quality))
    span = block.count - 1
    for place, series in enumerate(block.series):
        deltas = block.deltas[place * span : (place + 1) * span]
        values: list[int | None] = [value * block.divisor for value in accumulate(deltas, initial=block.firsts[place])]
        if not all(-_VALUE_LIMIT < value < _VALUE_LIMIT for value in values if value is not None):
            refuse(what, "holds a value outside the range")
        for position in holes[place]:
            values[position] = None
        yield Column(
            series=series,
            start_ms=block.start_ms,
            step_ms=block.step_ms,
            values=tuple(values),
            flags=tuple(flags[place]),
            boot_no=block.boot_no,
            source=block.source,
            uncertainty_ms=block.uncertainty_ms,
            within_ms=block.within_ms,
        )
