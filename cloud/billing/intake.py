"""From what rating hands over to the lines of bills: pure, one line for each rated item.

Nothing is invented here: an item becomes a line with its amount, its explanation and the registers or session it was
rated from; an exception becomes a line of the work list and leaves the lines it concerns as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from cloud.billing.lines import BillDraft, Charge, LineDraft, LineKey, TariffSource, in_print_order, net_of
from cloud.billing.rules import Blocked
from cloud.metering.usage import RegisterRef
from cloud.rating.lines import RatedItem, RatingException
from common.civil import Period
from common.errors import ensure
from common.ids import AccountId, PartyId, PremisesId
from common.rating.line import RatedLine
from common.rating.plain import line_to_plain

Payer = tuple[PremisesId, PartyId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An account that is to be billed."""

    account_id: AccountId
    premises_id: PremisesId
    party_id: PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDraft:
    """What a run makes of some due accounts: documents, and those without any, by the reason."""

    bills: tuple[BillDraft, ...]
    nothing_to_charge: tuple[AccountId, ...]
    waiting: tuple[AccountId, ...]


def line_of(item: RatedItem) -> LineDraft:
    """Return the bill line of a rated item."""
    fen = item.line.amount_fen
    ensure(fen >= 0, f"rating charges nothing below zero, and {item.charge_code} came to {fen} fen")
    single = item.line.components[0] if len(item.line.components) == 1 else None
    return LineDraft(
        key=LineKey(
            charge_item_id=item.charge_item_id,
            subject=_subject(item),
            service_start=item.service.start,
            service_end=item.service.end,
        ),
        charge=Charge(
            charge_code=item.charge_code,
            name_zh=item.charge_name_zh,
            name_en=item.charge_name_en,
            basis=item.kind.value,
            nature=item.nature,
            fund_class=item.fund_class,
            legal_entity_id=item.legal_entity_id,
            tax_code=item.tax_code,
            tax_rate_micro=item.tax_rate_micro,
            bears_late_charge=item.bears_late_charge,
        ),
        fen=fen,
        net_fen=net_of(fen, item.tax_rate_micro),
        quantity_milli=item.quantity_milli,
        price_micro=single.price_micro if single else None,
        tariff=TariffSource(
            tariff_id=item.tariff_id,
            tariff_code=item.revision.tariff_code,
            effective_from=item.revision.effective_from,
            rev=item.revision.rev,
            body_sha=item.revision.body_sha,
        ),
        input_sha=item.input_sha,
        estimated=item.estimated,
        trace=trace_of(item.line, item.from_reading, item.to_reading, session_id=item.session_id, pool_id=item.pool_id),
    )


def drafts_by_payer(items: Sequence[RatedItem]) -> dict[Payer, list[LineDraft]]:
    """Return the lines of each payer of each premises."""
    lines: dict[Payer, list[LineDraft]] = {}
    for item in items:
        lines.setdefault((item.premises_id, item.party_id), []).append(line_of(item))
    return lines


def run_draft(due: Sequence[Due], items: Sequence[RatedItem], exceptions: Sequence[RatingException]) -> RunDraft:
    """Return what is to be issued to the due accounts; lines of accounts that are not due are left alone.

    An account with nothing but exceptions waits; one with neither lines nor exceptions has nothing to be charged.
    """
    lines = drafts_by_payer(items)
    excepted = {exception.premises_id for exception in exceptions}
    bills: list[BillDraft] = []
    nothing: list[AccountId] = []
    waiting: list[AccountId] = []
    for account in due:
        own = lines.get((account.premises_id, account.party_id))
        if own:
            bills.append(BillDraft(account_id=account.account_id, lines=in_print_order(own)))
        elif account.premises_id in excepted or None in excepted:
            waiting.append(account.account_id)
        else:
            nothing.append(account.account_id)
    return RunDraft(bills=tuple(bills), nothing_to_charge=tuple(nothing), waiting=tuple(waiting))


def blocked_of(exceptions: Sequence[RatingException], premises_id: PremisesId, period: Period) -> tuple[Blocked, ...]:
    """Return the charge items that could not be rated for some premises in a period."""
    return tuple(
        Blocked(charge_item_id=exception.charge_item_id, service=period)
        for exception in exceptions
        if exception.premises_id in {premises_id, None}
    )


def _subject(item: RatedItem) -> str:
    subject = item.meter_id or item.session_id
    return str(subject) if subject is not None else ""


def trace_of(
    line: RatedLine,
    from_register: RegisterRef | None,
    to_register: RegisterRef | None,
    *,
    session_id: UUID | None,
    pool_id: UUID | None,
) -> dict[str, Any]:
    """Return what a line was made of, as it is kept beside it."""
    return {
        "line": line_to_plain(line),
        "from_register": _register(from_register),
        "to_register": _register(to_register),
        "session_id": _text(session_id),
        "pool_id": _text(pool_id),
    }


def _register(ref: RegisterRef | None) -> Mapping[str, Any] | None:
    if ref is None:
        return None
    return {
        "meter_id": str(ref.meter_id),
        "quantity": ref.quantity.value,
        "read_at": ref.read_at.isoformat(),
        "value_milli": ref.value_milli,
        "quality": int(ref.quality),
        "block_day": _day(ref.block_day),
        "block_rev": ref.block_rev,
        "revision": ref.revision,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
