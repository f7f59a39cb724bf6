"""The lines of a bank statement in one shape, and what proves a file: every balance follows from the one before.

Positive is money that came, negative money that went; the labels of banks are never believed for that, their running
balance is. A file may be written newest first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from common.errors import Fault, FaultsError

LINES_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLine:
    """One movement of a bank account, as the bank tells it."""

    n: int
    day: date
    time: str
    fen: int
    balance_fen: int | None
    serial: str
    name: str = field(repr=False)
    account: str = field(repr=False)
    memo: str = field(repr=False)

    def key(self, account: str) -> str:
        """Return what the same movement is known by in every file: the bank's serial, or else all that it says.

        The balance after it tells two equal payments of one day apart.
        """
        if self.serial:
            return f"serial:{self.day.isoformat()}:{self.serial}"
        told = (account, self.day, self.time, self.fen, self.balance_fen, self.name, self.account, self.memo)
        return f"digest:{hashlib.sha256(repr(told).encode()).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankStatement:
    """A checked statement, oldest line first; the balances are None where the file states none."""

    kind: str
    lines: tuple[BankLine, ...]
    opening_fen: int | None
    closing_fen: int | None


def proved(lines: Sequence[BankLine]) -> tuple[BankLine, ...]:
    """Return lines oldest first, after proving that every balance follows from the one before.

    Raises:
        FaultsError: in neither direction do the balances follow, or there are too many lines.
    """
    if len(lines) > LINES_MAX:
        raise fault("rows", f"the file has more than {LINES_MAX} lines")
    forward, backward = tuple(lines), tuple(reversed(lines))
    broken = _break_of(forward)
    if broken is None:
        return forward
    if _break_of(backward) is None:
        return backward
    raise fault(
        f"line {broken.n}",
        f"the balance {broken.balance_fen} does not follow; a row is missing or a sign is turned round",
    )


def require_total(name: str, rows_fen: int, told_fen: int) -> None:
    """Go on only when the rows give what the file says of itself.

    Raises:
        FaultsError: they do not.
    """
    if rows_fen != told_fen:
        raise fault(name, f"the rows give {rows_fen} fen, the file says {told_fen}")


def fault(where: str, what: str) -> FaultsError:
    """Return the refusal of a whole file for one reason."""
    return FaultsError("bank statement", [Fault(where=where, what=what, remedy="export the file from the bank again")])


def _break_of(lines: Sequence[BankLine]) -> BankLine | None:
    before: int | None = None
    for line in lines:
        if line.balance_fen is None:
            before = None
            continue
        if before is not None and before + line.fen != line.balance_fen:
            return line
        before = line.balance_fen
    return None
