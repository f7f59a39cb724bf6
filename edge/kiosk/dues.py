"""Dues as of the last sync: found by room and code, shown with their date, never invented.

The bundle holds no name, and a room is found only by the hash of room and code together, so the file tells a thief
little and a guesser nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from common.errors import Fault, FaultsError

ROOMS_MAX = 20_000
TOKEN_CHARACTERS_LEAST = 22


class Words(msgspec.Struct, kw_only=True, frozen=True):
    """A text in both languages."""

    zh: str
    en: str


class DueLine(msgspec.Struct, kw_only=True, frozen=True):
    """One line of a bill."""

    name: Words
    amount_fen: int
    detail: Words | None = None


class DueBill(msgspec.Struct, kw_only=True, frozen=True):
    """One bill of a room; `open_fen` is what is still owed."""

    number: str
    period: str
    total_fen: int
    open_fen: int
    due: str = ""
    lines: tuple[DueLine, ...] = ()
    pay_address: str = ""

    @property
    def token(self) -> str:
        """Return the last part of the cashier address, empty without one."""
        return self.pay_address.rpartition("/")[2]

    @property
    def span(self) -> str:
        """Return the first and the last day of the period; a period that is no two days stays as it was written."""
        start, _, end = self.period.partition("..")
        try:
            last = date.fromisoformat(end) - timedelta(days=1)
            return f"{date.fromisoformat(start)} – {last}"
        except ValueError:
            return self.period


class _Room(msgspec.Struct, kw_only=True, frozen=True):
    room: str
    lookup_sha: str
    bills: tuple[DueBill, ...] = ()


class _Dues(msgspec.Struct, kw_only=True, frozen=True):
    as_of: datetime
    rooms: tuple[_Room, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomDues:
    """What one room owed when the snapshot was made."""

    room: str
    as_of: datetime
    bills: tuple[DueBill, ...]

    @property
    def open_fen(self) -> int:
        """Return the sum owed."""
        return sum(bill.open_fen for bill in self.bills)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuesBook:
    """The snapshot in force; empty before the first."""

    as_of: datetime | None = None
    rooms: Mapping[str, _Room] = field(default_factory=dict)

    def find_bill(self, code: str) -> tuple[RoomDues, DueBill] | None:
        """Return the bill whose cashier address or its token a scanned code is, or None."""
        token = code.strip().rstrip("/").rpartition("/")[2]
        if len(token) < TOKEN_CHARACTERS_LEAST or self.as_of is None:
            return None
        for room in self.rooms.values():
            for bill in room.bills:
                if bill.token == token:
                    return RoomDues(room=room.room, as_of=self.as_of, bills=room.bills), bill
        return None

    def find(self, room: str, code: str) -> RoomDues | None:
        """Return what a room owes, or None when room and code do not belong together."""
        held = self.rooms.get(lookup_sha(room, code))
        if held is None or self.as_of is None:
            return None
        return RoomDues(room=held.room, as_of=self.as_of, bills=held.bills)


def lookup_sha(room: str, code: str) -> str:
    """Return the name under which a room's dues are found."""
    return hashlib.sha256(f"{room.strip().upper()}:{code.strip()}".encode()).hexdigest()


def parse_dues(body: Mapping[str, Any]) -> DuesBook:
    """Return the book of a dues bundle.

    Raises:
        FaultsError: with the fault of the payload.
    """
    try:
        document = msgspec.convert(dict(body), _Dues)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error
    if len(document.rooms) > ROOMS_MAX:
        raise _refusal(f"{len(document.rooms)} rooms; a gateway takes {ROOMS_MAX}")
    if document.as_of.tzinfo is None:
        raise _refusal("as_of has no zone; write it in UTC with Z")
    return DuesBook(as_of=document.as_of, rooms={room.lookup_sha: room for room in document.rooms})


def _refusal(what: str) -> FaultsError:
    return FaultsError("dues bundle", [Fault(where="dues", what=what, remedy="mend it and publish it again")])
