"""The columns of each kind of import, and how a cell becomes a value. Pure.

A cell that cannot be read is a fault with its row and column; all faults of a table are found before anything is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from cloud.estate.kinds import PremisesKind
from cloud.imports.kinds import ImportKind
from common.errors import Fault, RefusalError, ensure
from common.money.amount import parse_scaled
from common.reading.reading import Resource

_MILLI_DIGITS = 3
_FEN_DIGITS = 2
_TEXT_MAX = 100
_DIGITS = range(1, 16)

PREMISES_KINDS: Mapping[str, PremisesKind] = MappingProxyType(
    {
        "住宅": PremisesKind.RESIDENCE,
        "商铺": PremisesKind.SHOP,
        "办公": PremisesKind.OFFICE,
        "车位": PremisesKind.SPACE,
        "公共": PremisesKind.PUBLIC,
    }
)
RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {
        "电": Resource.ELECTRICITY,
        "水": Resource.WATER,
        "热水": Resource.HOT_WATER,
        "气": Resource.GAS,
        "暖": Resource.HEAT,
    }
)
ensure(set(PREMISES_KINDS.values()) == set(PremisesKind), "every kind of premises has a word in a table")
ensure(set(RESOURCES.values()) == set(Resource), "every resource has a word in a table")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: its headers, what a cell becomes, and an example."""

    key: str
    zh: str
    en: str
    read: Callable[[str], Any]
    example: str
    required: bool = True


def _words(text: str) -> str:
    if len(text) > _TEXT_MAX or any(ord(letter) < ord(" ") for letter in text):
        raise RefusalError(f"write at most {_TEXT_MAX} plain letters")
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError as error:
        raise RefusalError("write a day such as 2026-05-01") from error


def _milli(text: str) -> int:
    value = parse_scaled(text, _MILLI_DIGITS, "number")
    if value < 0:
        raise RefusalError("write a number that is not negative")
    return value


def _area(text: str) -> int:
    value = _milli(text)
    if value == 0:
        raise RefusalError("an area of nothing is unknown; leave the row out until it is measured")
    return value


def _fen(text: str) -> int:
    value = parse_scaled(text, _FEN_DIGITS, "amount")
    if value == 0:
        raise RefusalError("a balance of nothing is not brought in; leave the row out")
    return value


def _digits(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in _DIGITS:
        raise RefusalError("write how many whole digits the dial has, 1 to 15")
    return int(text)


def _multiplier(text: str) -> int:
    value = _milli(text)
    if value == 0:
        raise RefusalError("a multiplier is above zero; write 1 when there is none")
    return value


def _phone_tail(text: str) -> str:
    if not text.isascii() or not text.isdigit():
        raise RefusalError("write the digits of the telephone number; only the last four are kept")
    return text[-4:]


def _one_of(words: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        known = {**words, **{value.value: value for value in words.values()}}
        if text not in known:
            raise RefusalError(f"write one of {', '.join(words)}")
        return known[text]

    return read


_LABEL = Column(key="label", zh="房号", en="premises", read=_words, example="1-2-301")
_SERIAL = Column(key="serial", zh="表号", en="serial", read=_words, example="E20260001")
_COLUMNS: Mapping[ImportKind, tuple[Column, ...]] = MappingProxyType(
    {
        ImportKind.ESTATE: (
            Column(key="building", zh="楼栋", en="building", read=_words, example="1", required=False),
            _LABEL,
            Column(key="kind", zh="类型", en="kind", read=_one_of(PREMISES_KINDS), example="住宅"),
            Column(key="area", zh="建筑面积", en="area m2", read=_area, example="88.53", required=False),
            Column(key="persons", zh="人数", en="persons", read=_milli, example="3", required=False),
            Column(key="owner", zh="业主", en="owner", read=_words, example="王小明", required=False),
            Column(key="phone", zh="电话", en="telephone", read=_phone_tail, example="13800001234", required=False),
            Column(key="since", zh="起始日", en="since", read=_day, example="2026-01-01"),
        ),
        ImportKind.METERS: (
            _SERIAL,
            Column(key="resource", zh="种类", en="resource", read=_one_of(RESOURCES), example="电"),
            Column(
                key="label", zh="房号", en="premises (empty: public)", read=_words, example="1-2-301", required=False
            ),
            Column(key="start", zh="启用日", en="counts from", read=_day, example="2026-01-01"),
            Column(key="digits", zh="位数", en="digits", read=_digits, example="6", required=False),
            Column(key="multiplier", zh="倍率", en="multiplier", read=_multiplier, example="1", required=False),
            Column(key="parent", zh="总表表号", en="master meter", read=_words, example="", required=False),
        ),
        ImportKind.OPENINGS: (
            _LABEL,
            Column(key="code", zh="收费项代码", en="charge item", read=_words, example="service"),
            Column(key="fen", zh="欠费金额", en="owed (minus: ahead)", read=_fen, example="350.20"),
            Column(key="due", zh="应缴日", en="due on", read=_day, example="2025-12-31"),
        ),
        ImportKind.READINGS: (
            _SERIAL,
            Column(key="day", zh="日期", en="midnight beginning", read=_day, example="2026-01-01"),
            Column(key="value", zh="读数", en="dial", read=_milli, example="1234.5"),
            Column(key="note", zh="备注", en="note", read=_words, example="", required=False),
        ),
    }
)
ensure(set(_COLUMNS) == set(ImportKind), "every kind of import has its columns")


def columns_of(kind: ImportKind) -> tuple[Column, ...]:
    """Return the columns of a kind of import, in the order of its template."""
    return _COLUMNS[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row that can be read: its number in the file, and its values; a cell left empty has no value."""

    row: int
    values: Mapping[str, Any]

    def fault(self, column: str, what: str, remedy: str) -> Fault:
        """Return a fault of the row."""
        return Fault(where=f"第 {self.row} 行 row {self.row}, {column}", what=what, remedy=remedy)


def read_records(
    kind: ImportKind, rows: tuple[tuple[int, Mapping[str, str]], ...]
) -> tuple[tuple[Record, ...], tuple[Fault, ...]]:
    """Return the rows that can be read, and every fault of those that cannot, each with its row and column."""
    columns = columns_of(kind)
    present = set(rows[0][1]) if rows else set()
    missing = [column for column in columns if column.required and column.zh not in present]
    if missing:
        names = ", ".join(f"{column.zh} {column.en}" for column in missing)
        return (), (Fault(where="表头 header", what=f"there is no column {names}", remedy="start from the template"),)
    records: list[Record] = []
    faults: list[Fault] = []
    for number, cells in rows:
        values: dict[str, Any] = {}
        found: list[Fault] = []
        for column in columns:
            text = cells.get(column.zh, "")
            where = f"第 {number} 行 row {number}, {column.zh} {column.en}"
            if not text:
                if column.required:
                    found.append(Fault(where=where, what="it is empty", remedy=f"fill it in, such as {column.example}"))
                continue
            try:
                values[column.key] = column.read(text)
            except RefusalError as refusal:
                found.append(Fault(where=where, what=f"{text!r} cannot be read", remedy=str(refusal)))
        faults += found
        if not found:
            records.append(Record(row=number, values=values))
    return tuple(records), tuple(faults)
