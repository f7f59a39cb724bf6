"""Rated lines of many households as columns: what a bill run writes, and what its input is made of. Values.

A group holds the lines of one charge item at one price; `rows` are the positions of the households it charges. The
figures of a row are those that `service.rate_period` gives for the same household: a property test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

from cloud.kit.images import Ids
from cloud.metering.usage import RegisterRef
from cloud.rating.columns import Column
from cloud.tariffs.charge import ChargeItem
from common.civil import Period
from common.ids import MeterId, TariffId
from common.reading.reading import Quantity
from common.tariff.revision import RevisionRef

Rows: TypeAlias = npt.NDArray[np.intp]
Flags: TypeAlias = npt.NDArray[np.bool_]

# The names of request columns; one of a fact or a window carries its key behind the colon.
QUANTITY, PRIOR, PART_FEN, WEIGHT = "quantity", "prior", "part_fen", "weight"
FACT, WINDOW = "fact:", "window:"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterColumns:
    """The registers at the midnights that begin two days, before the multiplier, each from the block of that day."""

    quantity: Quantity
    start: date
    end: date
    from_milli: Column
    from_quality: Column
    from_rev: Column
    to_milli: Column
    to_quality: Column
    to_rev: Column

    def taken(self, chosen: Flags) -> RegisterColumns:
        """Return the registers of some rows."""
        columns = ("from_milli", "from_quality", "from_rev", "to_milli", "to_quality", "to_rev")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPool:
    """The pool that the lines of a group are parts of; weights are counted in `scale`-ths."""

    pool_id: UUID
    meter_id: MeterId
    sha: str
    pool_fen: int
    weights: int
    scale: int
    sharers: int
    from_register: RegisterRef
    to_register: RegisterRef


@dataclass(frozen=True, slots=True, kw_only=True)
class LineColumns:
    """The lines of one charge item at one price.

    `price_micro` is `columns.NO_PRICE` where the explanation has more than one component. `quantity_milli` is None
    where nothing is measured, `meters` where no meter of the household is. `request` holds the columns of the requests.
    """

    item: ChargeItem
    tariff_id: TariffId
    revision: RevisionRef
    period: Period
    rows: Rows
    fen: Column
    price_micro: Column
    estimated: Flags
    request: Mapping[str, Column]
    quantity_milli: Column | None = None
    meters: Ids | None = None
    registers: RegisterColumns | None = None
    pool: SharedPool | None = None
    calendar_sha: str | None = None

    def taken(self, chosen: Flags) -> LineColumns:
        """Return the lines of some of the rows."""
        return replace(
            self,
            rows=self.rows[chosen],
            fen=self.fen[chosen],
            price_micro=self.price_micro[chosen],
            estimated=self.estimated[chosen],
            request={name: column[chosen] for name, column in self.request.items()},
            quantity_milli=None if self.quantity_milli is None else self.quantity_milli[chosen],
            meters=None if self.meters is None else self.meters[chosen],
            registers=None if self.registers is None else self.registers.taken(chosen),
        )
