"""Which transfers each business movement makes: one pure function per movement, amounts in fen.

The functions say what is booked; they read no database and decide nothing else. A line that moves no money makes no
transfer. What a resident owes is kept per bill line: a transfer on a receivable names the line whose open amount it
moves, so that receivable debits less credits of a line are what is open on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cloud.ledger.accounts import EARNED_AS, AccountType, Book, LedgerAccountRef
from cloud.ledger.journals import LineRef, TransferDraft, TransferKind, TransferRef
from cloud.ledger.routes import Route
from cloud.tariffs.charge import Nature
from common.errors import ensure
from common.ids import AccountId, ChargeItemId

_MONEY = frozenset({AccountType.CLEARING, AccountType.CASH, AccountType.BANK})


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePosting:
    """A line of a bill or an adjustment, as the book needs it.

    `n` is the number of the line in its own document. `line` is the line whose open amount moves: the line itself, or
    for a credit the line that it corrects. `fen` is negative for a credit.
    """

    n: int
    account_id: AccountId
    book: Book
    charge_item_id: ChargeItemId
    nature: Nature
    fen: int
    line: LineRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A part of a payment, or of a balance paid ahead, that settles one open line."""

    account_id: AccountId
    line: LineRef
    fen: int


def receivable(book: Book, account_id: AccountId) -> LedgerAccountRef:
    """Return what a billing account owes in a book."""
    return book.account(AccountType.RECEIVABLE, account_id)


def prepayment(book: Book, account_id: AccountId) -> LedgerAccountRef:
    """Return what a billing account has paid ahead in a book."""
    return book.account(AccountType.PREPAYMENT, account_id)


def clearing(book: Book, merchant_account_id: UUID) -> LedgerAccountRef:
    """Return what residents paid into a merchant account and the bank has not yet received."""
    return book.account(AccountType.CLEARING, merchant_account_id)


def cash(book: Book, cash_box_id: UUID) -> LedgerAccountRef:
    """Return what lies in a cash box."""
    return book.account(AccountType.CASH, cash_box_id)


def bank(book: Book, bank_account_id: UUID) -> LedgerAccountRef:
    """Return what lies in a bank account."""
    return book.account(AccountType.BANK, bank_account_id)


def earned(posting: LinePosting) -> LedgerAccountRef:
    """Return where the charge of a line is booked: income, collected for another, or held in a fund."""
    return posting.book.account(EARNED_AS[posting.nature], posting.charge_item_id)


def lines_issued(postings: Sequence[LinePosting]) -> tuple[TransferDraft, ...]:
    """Return one transfer per line of an issued bill or adjustment, numbered as the line.

    A charge makes the account owe; a credit takes back what was earned and lowers what the corrected line owes.
    """
    return tuple(_line_issued(posting) for posting in postings if posting.fen)


def _line_issued(posting: LinePosting) -> TransferDraft:
    owed = receivable(posting.book, posting.account_id)
    if posting.fen > 0:
        return TransferDraft(
            n=posting.n, debit=owed, credit=earned(posting), fen=posting.fen, route=Route.ISSUE, line=posting.line
        )
    return TransferDraft(
        n=posting.n, debit=earned(posting), credit=owed, fen=-posting.fen, route=Route.CREDIT_NOTE, line=posting.line
    )


def lines_opened(postings: Sequence[LinePosting]) -> tuple[TransferDraft, ...]:
    """Return one transfer per line of debts brought in from an older book: owed, and earned before this book began."""
    ensure(all(posting.fen > 0 for posting in postings), "a debt that is brought in is above zero")
    return tuple(
        TransferDraft(
            n=posting.n,
            debit=receivable(posting.book, posting.account_id),
            credit=opening(posting.book),
            fen=posting.fen,
            route=Route.OPENING,
            line=posting.line,
        )
        for posting in postings
    )


def opening(book: Book) -> LedgerAccountRef:
    """Return the account against which balances are brought in from an older book."""
    return book.account(AccountType.OPENING, book.legal_entity_id)


def ahead_opened(book: Book, payer: AccountId, fen: int) -> TransferDraft:
    """Return the bringing in of what an account had paid ahead in an older book."""
    return TransferDraft(debit=opening(book), credit=prepayment(book, payer), fen=fen, route=Route.OPENING)


def debt_unopened(book: Book, allocation: Allocation) -> TransferDraft:
    """Return the taking back of a debt that was brought in by mistake."""
    return TransferDraft(
        debit=opening(book),
        credit=receivable(book, allocation.account_id),
        fen=allocation.fen,
        route=Route.OPENING_UNDONE,
        line=allocation.line,
    )


def ahead_unopened(book: Book, payer: AccountId, fen: int) -> TransferDraft:
    """Return the taking back of money paid ahead that was brought in by mistake; what is used cannot be."""
    return TransferDraft(debit=prepayment(book, payer), credit=opening(book), fen=fen, route=Route.OPENING_UNDONE)


def overpaid_released(book: Book, allocation: Allocation) -> TransferDraft:
    """Return the move of what is paid above a line, after a credit, into the balance paid ahead."""
    return TransferDraft(
        debit=receivable(book, allocation.account_id),
        credit=prepayment(book, allocation.account_id),
        fen=allocation.fen,
        route=Route.OVERPAID,
        line=allocation.line,
    )


def payment_received(
    into: LedgerAccountRef, allocations: Sequence[Allocation], *, payer: AccountId, ahead_fen: int = 0
) -> tuple[TransferDraft, ...]:
    """Return the receipt of money: each allocation settles its line, the rest is paid ahead.

    The money lies in clearing, cash or bank. The lines are of the same book, because no company's or fund's money
    pays another's bill.
    """
    ensure(into.type in _MONEY, f"money is not received into {into.type}")
    ensure(ahead_fen >= 0, "what is paid ahead is not negative")
    settled = tuple(
        TransferDraft(
            debit=into,
            credit=receivable(into.book, allocation.account_id),
            fen=allocation.fen,
            route=Route.RECEIPT,
            line=allocation.line,
        )
        for allocation in allocations
    )
    if not ahead_fen:
        return settled
    ahead = TransferDraft(debit=into, credit=prepayment(into.book, payer), fen=ahead_fen, route=Route.PREPAY)
    return (*settled, ahead)


def prepayment_used(book: Book, payer: AccountId, allocations: Sequence[Allocation]) -> tuple[TransferDraft, ...]:
    """Return the use of a balance paid ahead to settle open lines."""
    return tuple(
        TransferDraft(
            debit=prepayment(book, payer),
            credit=receivable(book, allocation.account_id),
            fen=allocation.fen,
            route=Route.OFFSET,
            line=allocation.line,
        )
        for allocation in allocations
    )


def written_off(book: Book, given_up: Allocation) -> TransferDraft:
    """Return the giving up of a part of an open line, against the legal entity that loses it; a person approves."""
    return TransferDraft(
        debit=book.account(AccountType.WRITE_OFF, book.legal_entity_id),
        credit=receivable(book, given_up.account_id),
        fen=given_up.fen,
        route=Route.WRITE_OFF,
        line=given_up.line,
    )


def refund_reserved(payer: AccountId, out_of: LedgerAccountRef, fen: int) -> TransferDraft:
    """Return the reservation of a refund of a balance paid ahead, until the channel has answered."""
    ensure(out_of.type in _MONEY, f"money is not refunded out of {out_of.type}")
    return TransferDraft(
        debit=prepayment(out_of.book, payer),
        credit=out_of,
        fen=fen,
        route=Route.REFUND,
        kind=TransferKind.PENDING,
    )


def deposit(book: Book, deposit_id: UUID) -> LedgerAccountRef:
    """Return what is held of a deposit, and owed back to its payer."""
    return book.account(AccountType.DEPOSIT_HELD, deposit_id)


def deposit_held(book: Book, payer: AccountId, deposit_id: UUID, fen: int) -> TransferDraft:
    """Return the holding of money that a payer brought for a deposit; it waited in the deposit fund, nowhere else."""
    return TransferDraft(
        debit=prepayment(book, payer), credit=deposit(book, deposit_id), fen=fen, route=Route.DEPOSIT_HOLD
    )


def deposit_deducted(book: Book, deposit_id: UUID, into: Book, kept: Allocation) -> TransferDraft:
    """Return the use of a part of a deposit for one open line; it leaves the deposit fund, so a person approves."""
    return TransferDraft(
        debit=deposit(book, deposit_id),
        credit=receivable(into, kept.account_id),
        fen=kept.fen,
        route=Route.DEPOSIT_DEDUCTION,
        line=kept.line,
    )


def deposit_return_reserved(deposit_id: UUID, out_of: LedgerAccountRef, fen: int) -> TransferDraft:
    """Return the reservation of a part of a deposit that goes back, until the channel has answered."""
    ensure(out_of.type in _MONEY, f"money is not returned out of {out_of.type}")
    return TransferDraft(
        debit=deposit(out_of.book, deposit_id),
        credit=out_of,
        fen=fen,
        route=Route.DEPOSIT_OUT,
        kind=TransferKind.PENDING,
    )


def reservation_posted(reserved: TransferDraft, pending: TransferRef, fen: int) -> TransferDraft:
    """Return the resolution of a reservation by an amount of at most what was reserved; the rest is released."""
    ensure(fen <= reserved.fen, f"{fen} fen is more than the {reserved.fen} reserved")
    return _resolution(reserved, pending, TransferKind.POST, fen)


def reservation_voided(reserved: TransferDraft, pending: TransferRef) -> TransferDraft:
    """Return the release of a whole reservation."""
    return _resolution(reserved, pending, TransferKind.VOID, reserved.fen)


def _resolution(reserved: TransferDraft, pending: TransferRef, kind: TransferKind, fen: int) -> TransferDraft:
    ensure(reserved.kind is TransferKind.PENDING, "only a reservation is resolved")
    return TransferDraft(
        debit=reserved.debit,
        credit=reserved.credit,
        fen=fen,
        route=reserved.route,
        line=reserved.line,
        kind=kind,
        pending=pending,
    )


def unknown_money_suspended(into: LedgerAccountRef, owner_id: UUID, fen: int) -> TransferDraft:
    """Return the receipt of money that nobody is named for yet."""
    suspense = into.book.account(AccountType.SUSPENSE, owner_id)
    return TransferDraft(debit=into, credit=suspense, fen=fen, route=Route.SUSPEND)


def unknown_money_identified(
    suspense: LedgerAccountRef, allocations: Sequence[Allocation], *, payer: AccountId, ahead_fen: int = 0
) -> tuple[TransferDraft, ...]:
    """Return the naming of whose the money was that nobody was named for: each allocation settles its line."""
    ensure(suspense.type is AccountType.SUSPENSE, "only money in suspense is identified")
    settled = tuple(
        TransferDraft(
            debit=suspense,
            credit=receivable(suspense.book, allocation.account_id),
            fen=allocation.fen,
            route=Route.IDENTIFY,
            line=allocation.line,
        )
        for allocation in allocations
    )
    if not ahead_fen:
        return settled
    ahead = TransferDraft(debit=suspense, credit=prepayment(suspense.book, payer), fen=ahead_fen, route=Route.IDENTIFY)
    return (*settled, ahead)


def suspense_of(book: Book, owner_id: UUID) -> LedgerAccountRef:
    """Return what arrived at a merchant or bank account and nobody is named for yet."""
    return book.account(AccountType.SUSPENSE, owner_id)


def cash_counted(box: LedgerAccountRef, difference_fen: int) -> TransferDraft:
    """Return the move that makes a box hold what was counted in it: positive above its book, negative below."""
    difference = box.book.account(AccountType.CASH_DIFFERENCE, box.owner_id)
    if difference_fen > 0:
        return TransferDraft(debit=box, credit=difference, fen=difference_fen, route=Route.CASH_OVER)
    return TransferDraft(debit=difference, credit=box, fen=-difference_fen, route=Route.CASH_SHORT)


def channel_settled(
    merchant: LedgerAccountRef, into: LedgerAccountRef, *, net_fen: int, fee_fen: int
) -> tuple[TransferDraft, ...]:
    """Return the arrival of a settlement in the bank, and what the channel kept of it."""
    moves = []
    if net_fen:
        moves.append(TransferDraft(debit=into, credit=merchant, fen=net_fen, route=Route.SETTLE))
    if fee_fen:
        fee = merchant.book.account(AccountType.CHANNEL_FEE, merchant.owner_id)
        moves.append(TransferDraft(debit=fee, credit=merchant, fen=fee_fen, route=Route.CHANNEL_FEE))
    return tuple(moves)
