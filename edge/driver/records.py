"""The records of a readout that a profile's points name, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from edge.device.model import Point, RecordPlace
from edge.protocol.mbus_records import Record, Telegram, check_status, parse_telegram, split_telegrams
from edge.protocol.values import ValueRefusedError

KWH_PER_UNIT = {"kWh": Fraction(1), "GJ": Fraction(10**6, 3600)}


def find_records(telegrams: Sequence[Telegram], place: RecordPlace) -> list[Record]:
    """Return the records that are what the place names, and nothing that only looks like it."""
    return [
        record
        for telegram in telegrams
        for record in telegram.records
        if record.kind == place.record
        and record.function == place.function
        and (record.storage, record.tariff, record.subunit) == (place.storage, place.tariff, place.subunit)
        and record.qualifiers == place.qualifiers
    ]


def telegrams_of(data: bytes, maker: str) -> list[Telegram]:
    """Return the telegrams of a readout of one meter.

    Raises:
        ValueRefusedError: a telegram is cut, the meter does not vouch for it, or another maker's meter answered.
    """
    telegrams = [parse_telegram(frame) for frame in split_telegrams(data)]
    for telegram in telegrams:
        check_status(telegram)
        if maker and telegram.maker != maker:
            raise ValueRefusedError(f"a meter of maker {telegram.maker} answers where the profile is for {maker}")
        if telegram.serial != telegrams[0].serial:
            raise ValueRefusedError("telegrams of two meters in one readout")
    return telegrams


def record_value(telegrams: Sequence[Telegram], point: Point, place: RecordPlace) -> tuple[bytes, Fraction]:
    """Return the raw bytes and the value of the record that a point names, in the point's unit before its scale.

    Raises:
        ValueRefusedError: there is no such record, there are several that differ, or its bytes are no number.
    """
    found = find_records(telegrams, place)
    if not found:
        raise ValueRefusedError(f"the meter sends no {place.record} of storage {place.storage}, tariff {place.tariff}")
    values = {(record.digits * record.factor, record.unit) for record in found}
    if len(values) > 1:
        raise ValueRefusedError(f"the meter sends {len(found)} records of {place.record} that differ")
    value, unit = values.pop()
    if unit != point.unit:
        if unit != "kWh" or point.unit not in KWH_PER_UNIT:
            raise ValueRefusedError(f"the meter counts {unit}, the profile expects {point.unit}")
        value /= KWH_PER_UNIT[point.unit]
    return found[0].raw, value
