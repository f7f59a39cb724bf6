"""What a change of prices for the past comes to, added up chunk by chunk without a line being made. Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from uuid import UUID

import numpy as np

from cloud.billing.corrections import CorrectionPreview
from cloud.billing.repriced_columns import Compared
from common.civil import Period
from common.ids import AccountId

LARGEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodSums:
    """What a change of prices adds and takes back in one period, in fen."""

    period: Period
    charged_fen: int
    credited_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSum:
    """What the one document of an account comes to, in fen."""

    account_id: AccountId
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePreview:
    """What a change of prices comes to; `by_value` premises were not plain, `exceptions` could not be rated now.

    `credits_` of the documents give something back; `largest` are the documents that move most, either way.
    """

    documents: int
    credits_: int
    largest: tuple[AccountSum, ...]
    lines: int
    periods: tuple[PeriodSums, ...]
    premises: int
    by_value: int
    exceptions: int
    known_at: datetime
    sha: bytes

    @property
    def net_fen(self) -> int:
        """Return the sum of all documents."""
        return sum(one.charged_fen + one.credited_fen for one in self.periods)


class Sums:
    """The sums of a preview while chunk after chunk is added."""

    def __init__(self, periods: Sequence[Period]) -> None:
        """Begin with nothing."""
        self._periods = periods
        self._charged = [0] * len(periods)
        self._credited = [0] * len(periods)
        self._said = hashlib.sha256()
        self._documents = self._credits = self._lines = self._premises = self._by_value = self._exceptions = 0
        self._largest: list[AccountSum] = []

    def add(self, compared: Compared, by_value: Sequence[CorrectionPreview]) -> None:
        """Add a chunk."""
        self._premises += len(compared.premises)
        self._by_value += len(compared.odd)
        accounts: dict[bytes, int] = defaultdict(int)
        for one in compared.differences:
            accounts[one.account] += one.now_fen - one.was_fen
            self._count(one.period, one.now_fen - one.was_fen)
            self._said.update(one.account + one.group.item.charge_item_id.bytes)
            self._said.update(np.array([one.period, one.was_fen, one.now_fen], dtype="<i8").tobytes())
        self._add_documents(
            AccountSum(account_id=AccountId(UUID(bytes=raw.ljust(16, b"\0"))), fen=fen) for raw, fen in accounts.items()
        )
        for found in by_value:
            self._exceptions += len(found.exceptions)
            self._add_documents(
                AccountSum(account_id=one.account.account_id, fen=one.draft.total_fen) for one in found.adjustments
            )
            self._said.update(found.sha)
            for adjustment in found.adjustments:
                for line in adjustment.draft.lines:
                    self._count(self._place(line.key.service), line.fen)

    def _add_documents(self, sums: Iterable[AccountSum]) -> None:
        added = list(sums)
        self._documents += len(added)
        self._credits += sum(1 for one in added if one.fen < 0)
        self._largest = nlargest(LARGEST, [*self._largest, *added], key=lambda one: (abs(one.fen), one.account_id))

    def _count(self, period: int, fen: int) -> None:
        self._lines += 1
        self._charged[period] += max(fen, 0)
        self._credited[period] += min(fen, 0)

    def _place(self, service: Period) -> int:
        return next((n for n, period in enumerate(self._periods) if period.overlap(service)), 0)

    def preview(self, known_at: datetime) -> PricePreview:
        """Return the sums."""
        periods: Iterator[tuple[Period, int, int]] = zip(self._periods, self._charged, self._credited, strict=True)
        return PricePreview(
            documents=self._documents,
            credits_=self._credits,
            largest=tuple(self._largest),
            lines=self._lines,
            periods=tuple(PeriodSums(period=one, charged_fen=up, credited_fen=down) for one, up, down in periods),
            premises=self._premises,
            by_value=self._by_value,
            exceptions=self._exceptions,
            known_at=known_at,
            sha=self._said.digest(),
        )
