"""What each paper says, as plain data from values: nothing is looked up, rated or rounded here.

A sheet is JSON: title, facts, columns, rows, totals, words, notes; the template draws any of them. Every text is
data, never markup. Names of natural persons are masked on papers that whoever holds a bill's address can open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cloud.documents.kinds import KINDS, PaperKind
from common.money.amount import format_minor
from common.money.words import amount_in_words

Pair = tuple[str, str]
Sheet = dict[str, Any]
_CHARGES = [["项目", "Charge", "wide"], ["服务期", "Service", "text"], ["金额(元)", "Amount", "money"]]
NOT_AN_INVOICE: Pair = (
    "本单不是发票。需要发票请向收款单位申请数电发票。",
    "This is not a tax invoice; ask the receiver for one if you need it.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands on every paper: who issues it, its number, and the place it is about."""

    kind: PaperKind
    number: str
    issuer: str
    community: str
    room: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of a paper; `fen` is signed as it is printed."""

    name_zh: str
    name_en: str
    detail: str
    fen: int


def sheet(
    head: Head, facts: Sequence[tuple[str, str, str]], items: Sequence[Item], total: tuple[str, str, int]
) -> Sheet:
    """Return a sheet with items and one total, which is repeated in words."""
    zh, en, fen = total
    return {
        "title": list(KINDS[head.kind]),
        "number": head.number,
        "issuer": head.issuer,
        "facts": [["房屋", "Premises", f"{head.community} {head.room}"], *(list(fact) for fact in facts)],
        "columns": _CHARGES if items else [],
        "rows": [[f"{item.name_zh} {item.name_en}", item.detail, yuan(item.fen)] for item in items],
        "totals": [[zh, en, f"¥{yuan(fen)}"]],
        "words": amount_in_words(fen),
        "notes": [],
    }


def with_notes(made: Sheet, *notes: Pair) -> Sheet:
    """Return a sheet with sentences below its total."""
    return {**made, "notes": [*made["notes"], *(list(note) for note in notes)]}


def with_totals(made: Sheet, *totals: tuple[str, str, int]) -> Sheet:
    """Return a sheet with more totals above the one it has."""
    more = [[zh, en, f"¥{yuan(fen)}"] for zh, en, fen in totals]
    return {**made, "totals": [*more, *made["totals"]]}


def yuan(fen: int) -> str:
    """Return fen as yuan with grouped digits."""
    whole, _, fraction = format_minor(abs(fen)).partition(".")
    return f"{'-' if fen < 0 else ''}{int(whole):,}.{fraction}"


def minute(value: datetime, zone: ZoneInfo) -> str:
    """Return an instant as civil date and minute."""
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def masked(name: str) -> str:
    """Return a name with all but its first letter hidden."""
    return name[:1] + "*" * (len(name) - 1)
