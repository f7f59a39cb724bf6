"""The lines of bills, as values: what was charged, for which days, at which price, and what a credit corrects.

A line is known within its account by its key: charge item, what was measured, the days it serves and its component.
What is issued for a key is the sum of its lines, so a correction is one more line and never a change. Values only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from cloud.ledger.accounts import Book
from cloud.ledger.journals import LineRef
from cloud.tariffs.charge import ChargeItem, FundClass, Nature
from common.civil import Period
from common.errors import ensure
from common.ids import AccountId, BillId, ChargeItemId, CommunityId, LegalEntityId, TariffId
from common.money.amount import MICRO, check_int64
from common.money.rounding import RoundingMode, divide


class LineComponent(StrEnum):
    """Which part of what is owed for a charge item a line is."""

    CHARGE = "charge"


class BillKind(StrEnum):
    """Why a bill was made."""

    REGULAR = "regular"
    ADJUSTMENT = "adjustment"
    ONE_OFF = "one_off"
    LATE = "late"
    FINAL = "final"
    OPENING = "opening"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LineKey:
    """What a line is for, within one account; `subject` is the meter or session measured, or empty."""

    charge_item_id: ChargeItemId
    subject: str
    service_start: date
    service_end: date
    component: str = LineComponent.CHARGE

    @property
    def service(self) -> Period:
        """Return the days that the line serves."""
        return Period(self.service_start, self.service_end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The facts of a charge item that a line keeps as they were when it was made; the tax rate is in millionths."""

    charge_code: str
    name_zh: str
    name_en: str
    basis: str
    nature: Nature
    fund_class: FundClass
    legal_entity_id: LegalEntityId
    tax_code: str
    tax_rate_micro: int
    bears_late_charge: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSource:
    """The revision of the tariff that priced a line."""

    tariff_id: TariffId
    tariff_code: str
    effective_from: date
    rev: int
    body_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDraft:
    """A line before it has a bill and a number. `fen` includes the tax; quantities are in thousandths.

    `trace` explains the amount: the components of the rating and the registers or sessions it was rated from.
    """

    key: LineKey
    charge: Charge
    fen: int
    net_fen: int
    quantity_milli: int | None
    price_micro: int | None
    tariff: TariffSource
    input_sha: str
    estimated: bool
    trace: Mapping[str, Any] = field(hash=False)
    corrects: LineRef | None = None

    def __post_init__(self) -> None:
        """Check the 64-bit range and that net and tax have the sign of the whole."""
        check_int64(self.fen, "line")
        ensure(abs(self.net_fen) <= abs(self.fen), "the net amount of a line is at most the whole")
        ensure(self.net_fen * self.fen >= 0, "the net amount of a line has the sign of the whole")

    @property
    def tax_fen(self) -> int:
        """Return the tax within the amount."""
        return self.fen - self.net_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLine:
    """A line that stands on an issued bill."""

    ref: LineRef
    line: LineDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class BillDraft:
    """All lines of one document of one account, in the order they are printed."""

    account_id: AccountId
    lines: tuple[LineDraft, ...]

    def __post_init__(self) -> None:
        """Check that the document says something."""
        ensure(len(self.lines) > 0, "a bill has at least one line")

    @property
    def total_fen(self) -> int:
        """Return the sum of the lines."""
        return check_int64(sum(line.fen for line in self.lines), "bill")

    @property
    def sha(self) -> bytes:
        """Return the SHA-256 over what the document charges and on what ground, whenever it is computed."""
        return hashlib.sha256(canonical([_said(line) for line in self.lines])).digest()


def net_of(fen: int, tax_rate_micro: int) -> int:
    """Return the part of an amount that is not tax, half up; a credit mirrors its charge."""
    return divide(fen * MICRO, MICRO + tax_rate_micro, RoundingMode.HALF_UP)


def charge_of(item: ChargeItem) -> Charge:
    """Return what a line keeps of a charge item."""
    return Charge(
        charge_code=item.code,
        name_zh=item.name_zh,
        name_en=item.name_en,
        basis=item.basis.value,
        nature=item.nature,
        fund_class=item.fund_class,
        legal_entity_id=item.legal_entity_id,
        tax_code=item.tax_code,
        tax_rate_micro=item.tax_rate_micro,
        bears_late_charge=item.bears_late_charge,
    )


def book_of(community_id: CommunityId, charge: Charge) -> Book:
    """Return the book in which a charge is booked."""
    return Book(community_id=community_id, legal_entity_id=charge.legal_entity_id, fund_class=charge.fund_class)


def in_print_order(lines: Sequence[LineDraft]) -> tuple[LineDraft, ...]:
    """Return lines ordered by charge item, days and what was measured, charges before the credits of the same key."""
    return tuple(
        sorted(
            lines,
            key=lambda line: (line.charge.charge_code, line.key, line.fen < 0, _ref_order(line.corrects)),
        )
    )


def documents_sha(drafts: Sequence[BillDraft]) -> bytes:
    """Return the SHA-256 over several documents, whatever their order: what was previewed is what is approved."""
    shas = sorted(draft.account_id.bytes + draft.sha for draft in drafts)
    return hashlib.sha256(b"".join(shas)).digest()


def _ref_order(ref: LineRef | None) -> tuple[UUID, int]:
    return (BillId(UUID(int=0)), 0) if ref is None else (ref.bill_id, ref.n)


def _said(line: LineDraft) -> dict[str, Any]:
    return {
        "charge_item": str(line.key.charge_item_id),
        "subject": line.key.subject,
        "service": str(line.key.service),
        "component": line.key.component,
        "fen": line.fen,
        "net_fen": line.net_fen,
        "quantity_milli": line.quantity_milli,
        "tariff": f"{line.tariff.body_sha}/{line.tariff.effective_from}/{line.tariff.rev}",
        "input": line.input_sha,
        "corrects": f"{line.corrects.bill_id}/{line.corrects.n}" if line.corrects else None,
    }


def canonical(value: Any) -> bytes:
    """Return the bytes of what a document says, over which its hash is taken."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
