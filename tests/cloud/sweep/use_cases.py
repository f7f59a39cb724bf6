"""The use cases that move money: how each is readied, and the one command that a client repeats until it is answered.

To sweep a new one, add an entry. `says_already` is what a repeated command may be told once it has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloud.arrears.values import ReliefKind
from cloud.disclosure.values import EntryKind
from tests.cloud.sweep import office, till
from tests.cloud.sweep.shop import Command, Facts, Shop


async def nothing(shop: Shop, facts: Facts) -> None:
    """Ready nothing beyond the shop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCase:
    """A money use case: `ready` runs once and leaves its ids in the facts; `command` is repeated after each fault."""

    command: Command
    ready: Command = nothing
    says_already: str | None = None


_ALREADY = "already|before|not issued|is not |cannot be|open shift|closed|is applied"
USE_CASES: Mapping[str, UseCase] = {
    "bill run, with money paid ahead": UseCase(ready=office.money_ahead, command=office.run_march),
    "one-off charge": UseCase(ready=office.one_off_drafted, command=office.one_off_issued),
    "withdrawal of a paid charge": UseCase(
        ready=office.one_off_paid, command=office.one_off_withdrawn, says_already=_ALREADY
    ),
    "correction": UseCase(ready=office.area_was_wrong, command=office.corrected),
    "change of past prices": UseCase(ready=office.prices_were_wrong, command=office.prices_corrected),
    "late charges": UseCase(command=office.charged_late),
    "waiver": UseCase(
        ready=office.relief_asked(ReliefKind.WAIVER), command=office.relief_granted, says_already=_ALREADY
    ),
    "write-off": UseCase(
        ready=office.relief_asked(ReliefKind.WRITE_OFF), command=office.relief_granted, says_already=_ALREADY
    ),
    "cash payment": UseCase(command=till.cash_taken),
    "card payment": UseCase(command=till.card_taken),
    "shift closed, cash short": UseCase(ready=till.cash_taken, command=till.shift_closed, says_already=_ALREADY),
    "shift opened, cash over": UseCase(ready=till.box_left_over, command=till.shift_opened, says_already=_ALREADY),
    "refund asked for": UseCase(ready=till.paid_too_much, command=till.refund_asked),
    "refund approved": UseCase(ready=till.refund_approval_waits, command=till.refund_approved, says_already=_ALREADY),
    "refund handed out": UseCase(ready=till.refund_reserved, command=till.refund_handed_out, says_already=_ALREADY),
    "refund withdrawn": UseCase(ready=till.refund_reserved, command=till.refund_withdrawn, says_already=_ALREADY),
    "payout arrived": UseCase(ready=till.payout_sent, command=till.payout_arrived, says_already=_ALREADY),
    "payout came back": UseCase(ready=till.payout_sent, command=till.payout_came_back, says_already=_ALREADY),
    "deposit taken": UseCase(ready=till.deposit_due, command=till.deposit_taken),
    "deposit deduction": UseCase(ready=till.deduction_agreed, command=till.deduction_applied, says_already=_ALREADY),
    "deposit returned": UseCase(ready=till.deposit_held, command=till.deposit_released, says_already=_ALREADY),
    "moving out": UseCase(ready=office.lodger_goes, command=office.moved_out),
    "income of an owners' fund": UseCase(command=office.fund_entry(EntryKind.INCOME)),
    "spending of an owners' fund": UseCase(
        ready=office.fund_entry(EntryKind.INCOME), command=office.fund_entry(EntryKind.SPENDING)
    ),
    "days sealed": UseCase(ready=till.cash_taken, command=office.days_sealed),
    "period closed": UseCase(command=office.period_closed),
    "balances imported": UseCase(command=office.balances_imported),
    "import undone": UseCase(ready=office.balances_imported, command=office.import_undone, says_already=_ALREADY),
    "bank statement": UseCase(ready=till.statement_written, command=till.statement_imported, says_already=_ALREADY),
    "bank line identified": UseCase(ready=till.line_in_suspense, command=till.line_identified, says_already=_ALREADY),
}
