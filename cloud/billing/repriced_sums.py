"""What a change of prices for the past comes to, added up chunk by chunk without a line being made. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cloud.billing.corrections import CorrectionPreview
from cloud.billing.repriced_columns import Compared
from common.civil import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodSums:
    """What a change of prices adds and takes back in one period, in fen."""

    period: Period
    charged_fen: int
    credited_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePreview:
    """What a change of prices comes to; `by_value` premises were not plain, `exceptions` could not be rated now."""

    documents: int
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
        self._documents = self._lines = self._premises = self._by_value = self._exceptions = 0

    def add(self, compared: Compared, by_value: Sequence[CorrectionPreview]) -> None:
        """Add a chunk."""
        self._premises += len(compared.premises)
        self._by_value += len(compared.odd)
        self._documents += len({one.account for one in compared.differences})
        for one in compared.differences:
            self._count(one.period, one.now_fen - one.was_fen)
            self._said.update(one.account + one.group.item.charge_item_id.bytes)
            self._said.update(np.array([one.period, one.was_fen, one.now_fen], dtype="<i8").tobytes())
        for found in by_value:
            self._exceptions += len(found.exceptions)
            self._documents += len(found.adjustments)
            self._said.update(found.sha)
            for adjustment in found.adjustments:
                for line in adjustment.draft.lines:
                    self._count(self._place(line.key.service), line.fen)

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
            lines=self._lines,
            periods=tuple(PeriodSums(period=one, charged_fen=up, credited_fen=down) for one, up, down in periods),
            premises=self._premises,
            by_value=self._by_value,
            exceptions=self._exceptions,
            known_at=known_at,
            sha=self._said.digest(),
        )
