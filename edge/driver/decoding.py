"""From the data of an answer to point values: exact, scaled, or refused; never a guess and never a zero for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from edge.device.model import Point, Profile, RecordPlace, UnitCodes
from edge.device.plan import Block, Field
from edge.driver.outcome import Exchange, FailureKind, PointValue, ReadFailure
from edge.driver.records import KWH_PER_UNIT, record_value, telegrams_of
from edge.driver.tariff_sum import TARIFFS, tariffs_off
from edge.protocol.cjt188_items import UnitCode, heat_unit_stands_first, split_group
from edge.protocol.values import (
    ByteOrder,
    RegisterType,
    ValueRefusedError,
    bcd_low_first,
    number,
    ratio_milli,
    to_milli,
    whole_number,
)


def decode_block(
    profile: Profile, block: Block, data: bytes, parameters: Mapping[str, str], exchange: Exchange
) -> tuple[list[PointValue], list[ReadFailure]]:
    """Return the values of a block's points, and a failure for each point whose bytes must not be used."""
    values: list[PointValue] = []
    failures: list[ReadFailure] = []
    size = len(data)
    for field in block.fields:
        point, whole = field.point, field.whole
        if whole is not None and size >= whole.end:  # a plain integer, as most registers are
            raw = data[whole.start : whole.end]
            if raw != point.not_available:
                milli = int.from_bytes(raw, signed=whole.signed) * whole.milli
                values.append(PointValue(quantity=point.quantity, raw=raw, value_milli=milli, exchange=exchange))
                continue
        try:
            values.append(_decode(profile, field, data, parameters, exchange))
        except ValueRefusedError as refusal:
            failures.append(
                ReadFailure(
                    kind=FailureKind.BAD_VALUE,
                    points=(field.point.quantity,),
                    detail=f"{field.point.id}: {refusal}",
                    exchange=exchange,
                )
            )
    if profile.tariff_total is None:
        return values, failures
    off = tariffs_off(
        profile, block, lambda point, at: _exact(point, data[at : at + point.size], at, data) * point.scale
    )
    doubted = tuple(value.quantity for value in values if value.quantity in TARIFFS)
    if not off or not doubted:
        return values, failures
    failures.append(ReadFailure(kind=FailureKind.BAD_VALUE, points=doubted, detail=off, exchange=exchange))
    return [value for value in values if value.quantity not in TARIFFS], failures


def _decode(
    profile: Profile, field: Field, data: bytes, parameters: Mapping[str, str], exchange: Exchange
) -> PointValue:
    point = field.point
    if isinstance(point.place, RecordPlace):
        raw, exact = record_value(telegrams_of(data, profile.maker), point, point.place)
    else:
        raw = data[field.offset : field.offset + point.size]
        milli = _plain_milli(point, raw)
        if milli is not None:
            return PointValue(quantity=point.quantity, raw=raw, value_milli=milli, exchange=exchange)
        exact = _exact(point, raw, field.offset, data)
    return PointValue(
        quantity=point.quantity,
        raw=raw,
        value_milli=to_point_milli(profile, point, exact, parameters),
        exchange=exchange,
    )


def to_point_milli(profile: Profile, point: Point, exact: Fraction, parameters: Mapping[str, str]) -> int:
    """Return a register's number scaled, multiplied and offset as its point says, in milli-units.

    Raises:
        ValueRefusedError: the value lies beyond the dial.
    """
    value = exact * point.scale
    for name in point.multiply_by:
        value *= Fraction(parameters.get(name, profile.parameters[name].default))
    for name in point.add:
        value += Fraction(parameters.get(name, profile.parameters[name].default))
    if point.wrap is not None and value >= point.wrap:
        raise ValueRefusedError(f"the value lies beyond the dial, which starts again at {point.wrap}")
    return to_milli(value)


def _plain_milli(point: Point, raw: bytes) -> int | None:
    """Return the value of a plain integer register, which needs no fractions; None for every other kind of point."""
    special = point.multiply_by or point.add or point.wrap is not None or point.unit_codes is not UnitCodes.NONE
    if special or len(raw) != point.size or raw == point.not_available:
        return None
    whole = whole_number(raw, RegisterType(point.type), ByteOrder(point.order))
    return None if whole is None else ratio_milli(whole * point.scale.numerator, point.scale.denominator)


def _exact(point: Point, raw: bytes, offset: int, data: bytes) -> Fraction:
    if len(raw) != point.size:
        raise ValueRefusedError(f"the answer ends before byte {offset + point.size}")
    if raw == point.not_available:
        raise ValueRefusedError("the meter marks the value as not available")
    return _number(point, raw, data)


def _number(point: Point, raw: bytes, data: bytes) -> Fraction:
    """Return the register's number, brought to the point's unit where the frame carries its own."""
    if point.unit_codes is UnitCodes.NONE:
        return number(raw, RegisterType(point.type), ByteOrder(point.order))
    unit_first = point.unit_codes is UnitCodes.DETECT and heat_unit_stands_first(data)
    digits, unit = split_group(raw, unit_first=unit_first)
    return bcd_low_first(digits) * _factor(point, unit)


def _factor(point: Point, unit: UnitCode) -> Fraction:
    if unit.base == point.unit:
        return unit.factor
    if unit.base == "kWh" and point.unit in KWH_PER_UNIT:
        return unit.factor / KWH_PER_UNIT[point.unit]
    raise ValueRefusedError(f"the meter counts {unit.name}, the profile expects {point.unit}")
