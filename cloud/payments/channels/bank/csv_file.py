"""A bank's CSV by its profile: decoded, its header found below any preamble, its rows read, its balance proved.

Full-width digits, thousands separators, tabs and signs are understood; a row that is neither skipped by the profile nor
readable refuses the whole file.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cloud.payments.channels.bank.lines import BankLine, BankStatement, fault, proved, require_total
from cloud.payments.channels.bank.profiles import Profile
from common.errors import RefusalError
from common.money.amount import parse_scaled

_FEN = 2
_BLANK = {"", "-", "--"}


@dataclass(frozen=True, slots=True)
class _Header:
    row: int
    places: Mapping[str, int]
    width: int


def read_csv(raw: bytes, profile: Profile) -> BankStatement:
    """Return the checked statement of a bank's CSV.

    Raises:
        FaultsError: an encoding, a column, a row, a total or the balance is not as the bank writes it.
    """
    rows = list(csv.reader(io.StringIO(_decoded(raw, profile))))
    header = _header(rows, profile)
    lines: list[BankLine] = []
    totals: dict[str, int] = {}
    for number, row in enumerate(rows[header.row + 1 :], start=header.row + 2):
        cells = [_plain(cell) for cell in row]
        if not any(cells):
            continue
        totals |= _totals(cells, profile)
        if any(cell.startswith(profile.skip) for cell in cells[:2] if profile.skip and cell):
            continue
        if set(profile.totals.values()) & set(cells):
            continue
        lines.append(_line(number, cells, header, profile))
    ordered = proved(lines)
    for name, told_fen in totals.items():
        came = sum(line.fen for line in ordered if line.fen > 0)
        went = -sum(line.fen for line in ordered if line.fen < 0)
        require_total(profile.totals[name], came if name == "in" else went, told_fen)
    return BankStatement(kind=profile.name, lines=ordered, opening_fen=_opening(ordered), closing_fen=_closing(ordered))


def _decoded(raw: bytes, profile: Profile) -> str:
    for encoding in profile.encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if profile.columns["day"] in text:
            return text.removeprefix("\ufeff")
    raise fault("encoding", f"the file is not {profile.title}'s in {' or '.join(profile.encodings)}")


def _header(rows: Sequence[Sequence[str]], profile: Profile) -> _Header:
    """Return where the header stands: the first row that has the profile's day and balance; all columns must be there.

    Raises:
        FaultsError: there is none, or columns are missing.
    """
    for number, row in enumerate(rows):
        cells = [_plain(cell) for cell in row]
        if {profile.columns["day"], profile.columns["balance"]} <= set(cells):
            missing = [name for name in profile.columns.values() if name not in cells]
            if missing:
                raise fault(f"line {number + 1}", f"the columns {', '.join(missing)} are missing")
            return _Header(number, {name: cells.index(title) for name, title in profile.columns.items()}, len(cells))
    raise fault("header", f"no row has the columns of {profile.title}")


def _line(number: int, cells: Sequence[str], header: _Header, profile: Profile) -> BankLine:
    if len(cells) < header.width - 1:
        raise fault(f"line {number}", f"{len(cells)} cells where {header.width} belong")

    def cell(name: str) -> str:
        place = header.places.get(name)
        return cells[place] if place is not None and place < len(cells) else ""

    try:
        return BankLine(
            n=number,
            day=_day(cell("day"), profile),
            time=cell("time"),
            fen=_moved(cell, profile),
            balance_fen=_yuan(cell("balance")),
            serial=cell("serial"),
            name=cell("name"),
            account=cell("account"),
            memo=cell("memo"),
        )
    except RefusalError as error:
        raise fault(f"line {number}", str(error)) from error


def _moved(cell: object, profile: Profile) -> int:
    read = cell if callable(cell) else str
    if "amount" not in profile.columns:
        came, went = _yuan_or_none(read("in")), _yuan_or_none(read("out"))
        if bool(came) == bool(went):
            raise RefusalError("the row has money both in and out, or neither")
        return abs(came) if came else -abs(went or 0)
    fen = _yuan(read("amount"))
    if "sign" not in profile.columns:
        return fen
    sign = profile.signs.get(read("sign"))
    if sign is None:
        raise RefusalError(f"{read('sign')!r} says neither in nor out")
    return sign * abs(fen)


def _totals(cells: Sequence[str], profile: Profile) -> dict[str, int]:
    found = {}
    for name, title in profile.totals.items():
        if title in cells and cells.index(title) + 1 < len(cells):
            found[name] = _yuan(cells[cells.index(title) + 1])
    return found


def _day(text: str, profile: Profile) -> date:
    for form in profile.dates:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a civil day of the bank
        except ValueError:
            continue
    raise RefusalError(f"{text!r} is not a day as {profile.title} writes it")


def _plain(cell: str) -> str:
    return (
        unicodedata.normalize("NFKC", cell).strip().strip("`'\t").strip() if _is_figure(cell) else cell.strip("`'\t ")
    )


def _is_figure(cell: str) -> bool:
    return all(not char.isalpha() for char in cell)


def _yuan(text: str) -> int:
    return parse_scaled(text.replace(",", "").removeprefix("+"), _FEN, "amount in yuan")


def _yuan_or_none(text: str) -> int | None:
    return None if text in _BLANK else _yuan(text)


def _opening(lines: Sequence[BankLine]) -> int | None:
    return None if not lines or lines[0].balance_fen is None else lines[0].balance_fen - lines[0].fen


def _closing(lines: Sequence[BankLine]) -> int | None:
    return lines[-1].balance_fen if lines else None
