"""From a profile and the wanted quantities to few questions: one block read instead of a request a register.

Registers are joined while they lie in one readable range, the gap between them is small and the span fits; a block
never crosses a gap that the meter refuses. Identifiers are one question each, shared by the points in their data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from common.reading.reading import Quantity
from edge.device.model import ItemPlace, Point, Profile, ReadableRange, RecordPlace, RegisterPlace, UnitCodes

_REGISTER_BYTES = 2
_MILLI = 1000
_SIGNED_OF = {"u16": False, "u32": False, "u64": False, "s16": True, "s32": True, "s64": True}
_PLAIN_ORDER = "ABCD"


class WholeField(NamedTuple):
    """Where a plain integer stands in an answer, and what one count of it is in milli-units."""

    start: int
    end: int
    signed: bool
    milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A point inside a block, and the byte of the answer's data at which it starts.

    `whole` is there for a plain integer in the order of the wire whose count is whole milli-units: most registers are,
    and they are decoded by it alone.
    """

    point: Point
    offset: int
    whole: WholeField | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Work out once how the point is decoded."""
        object.__setattr__(self, "whole", _whole_field(self.point, self.offset))


def _whole_field(point: Point, offset: int) -> WholeField | None:
    """Return how a plain integer is decoded; None for every point that needs more than a factor."""
    milli = point.scale * _MILLI
    special = point.multiply_by or point.add or point.wrap is not None or point.unit_codes is not UnitCodes.NONE
    ordered = isinstance(point.place, RegisterPlace) and point.order == _PLAIN_ORDER and point.type in _SIGNED_OF
    if special or not ordered or milli.denominator != 1:
        return None
    return WholeField(offset, offset + point.size, _SIGNED_OF[point.type], milli.numerator)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterBlock:
    """One Modbus question. `stretched_count` is a little more where the readable range allows, else the same."""

    function: int
    start: int
    count: int
    stretched_count: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemBlock:
    """One DL/T 645 or CJ/T 188 question, and how many data bytes its answer must have."""

    identifier: str
    data_bytes: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBlock:
    """One M-Bus readout: its telegrams hold the records of all points."""

    fields: tuple[Field, ...]


Block = RegisterBlock | ItemBlock | RecordBlock


def read_plan(profile: Profile, quantities: tuple[Quantity, ...]) -> tuple[Block, ...]:
    """Return the questions that give the wanted quantities, as far as the model has them."""
    return blocks_for(profile, profile.points_of(quantities))


def blocks_for(profile: Profile, points: Iterable[Point]) -> tuple[Block, ...]:
    """Return the questions that give the points."""
    wanted = tuple(points)
    registers = [(point.place, point) for point in wanted if isinstance(point.place, RegisterPlace)]
    items = [(point.place, point) for point in wanted if isinstance(point.place, ItemPlace)]
    records = tuple(Field(point=point, offset=0) for point in wanted if isinstance(point.place, RecordPlace))
    readout = (RecordBlock(fields=records),) if records else ()
    return (*_register_blocks(profile, registers), *_item_blocks(profile, items), *readout)


def range_of(profile: Profile, place: RegisterPlace, size: int) -> ReadableRange | None:
    """Return the readable range that holds a register of a size in bytes, or None."""
    last = place.register + -(-size // _REGISTER_BYTES) - 1
    for candidate in profile.ranges:
        if candidate.function == place.function and candidate.first <= place.register and last <= candidate.last:
            return candidate
    return None


def _register_blocks(profile: Profile, placed: list[tuple[RegisterPlace, Point]]) -> list[RegisterBlock]:
    groups: list[list[tuple[RegisterPlace, Point]]] = []
    for place, point in sorted(placed, key=lambda pair: (pair[0].function, pair[0].register)):
        if groups and _joins(profile, groups[-1], place, point):
            groups[-1].append((place, point))
        else:
            groups.append([(place, point)])
    return [_register_block(profile, group) for group in groups]


def _joins(profile: Profile, group: list[tuple[RegisterPlace, Point]], place: RegisterPlace, point: Point) -> bool:
    first, last, end = group[0][0], group[-1][0], _end(group)
    return (
        range_of(profile, place, point.size) == range_of(profile, last, group[-1][1].size)
        and place.register - end <= profile.gap_most
        and place.register + point.size // _REGISTER_BYTES - first.register <= profile.registers_most
    )


def _register_block(profile: Profile, group: list[tuple[RegisterPlace, Point]]) -> RegisterBlock:
    first = group[0][0]
    count = _end(group) - first.register
    readable = range_of(profile, first, group[0][1].size)
    stretchable = readable is not None and first.register + count + profile.stretch - 1 <= readable.last
    return RegisterBlock(
        function=first.function,
        start=first.register,
        count=count,
        stretched_count=count + profile.stretch * stretchable,
        fields=tuple(
            Field(point=point, offset=(place.register - first.register) * _REGISTER_BYTES) for place, point in group
        ),
    )


def _end(group: list[tuple[RegisterPlace, Point]]) -> int:
    return max(place.register + point.size // _REGISTER_BYTES for place, point in group)


def _item_blocks(profile: Profile, placed: list[tuple[ItemPlace, Point]]) -> list[ItemBlock]:
    sizes = {item.identifier: item.data_bytes for item in profile.items}
    identifiers = dict.fromkeys(place.identifier for place, _ in placed)
    return [
        ItemBlock(
            identifier=identifier,
            data_bytes=sizes[identifier],
            fields=tuple(
                Field(point=point, offset=place.offset) for place, point in placed if place.identifier == identifier
            ),
        )
        for identifier in identifiers
    ]
