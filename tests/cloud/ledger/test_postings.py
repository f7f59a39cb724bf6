"""Each business movement makes the transfers it should, and no movement can be expressed that mixes funds or owners."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ledger import postings
from cloud.ledger.accounts import CHART, AccountType, Book, Guard, Side
from cloud.ledger.journals import LineRef, TransferDraft, TransferKind, TransferRef, facts_of, fingerprint
from cloud.ledger.routes import Route, route_rows
from cloud.tariffs.charge import FundClass, Nature
from common.errors import InvariantError
from common.ids import CommunityId
from tests.cloud.ledger import builders as b

SETTLED = LineRef(bill_id=b.BILL, n=1)


@pytest.mark.parametrize(
    ("nature", "earned"),
    [
        (Nature.REVENUE, AccountType.INCOME),
        (Nature.AGENCY, AccountType.AGENCY),
        (Nature.LIABILITY, AccountType.FUND),
    ],
)
def test_a_charge_is_owed_and_booked_as_what_it_is_in_law(nature: Nature, earned: AccountType) -> None:
    (transfer,) = postings.lines_issued([b.line(3, 1250, nature=nature)])
    assert (transfer.debit.type, transfer.credit.type, transfer.fen) == (AccountType.RECEIVABLE, earned, 1250)
    assert transfer.n == 3
    assert transfer.line == LineRef(bill_id=b.BILL, n=3)


def test_a_credit_mirrors_the_charge_it_takes_back() -> None:
    (charge,) = postings.lines_issued([b.line(1, 700)])
    (credit,) = postings.lines_issued([b.line(1, -700)])
    assert (credit.debit, credit.credit, credit.fen) == (charge.credit, charge.debit, charge.fen)


def test_a_line_of_zero_makes_no_transfer_and_keeps_the_numbers_of_the_others() -> None:
    transfers = postings.lines_issued([b.line(1, 5), b.line(2, 0), b.line(3, 7)])
    assert [transfer.n for transfer in transfers] == [1, 3]


@given(
    parts=st.lists(st.integers(min_value=1, max_value=10**9), max_size=6),
    ahead=st.integers(min_value=0, max_value=10**9),
)
def test_a_payment_is_settled_and_paid_ahead_to_the_fen(parts: list[int], ahead: int) -> None:
    allocations = [
        postings.Allocation(account_id=b.ACCOUNT, line=LineRef(bill_id=b.BILL, n=n), fen=fen)
        for n, fen in enumerate(parts, start=1)
    ]
    into = postings.clearing(b.book(), b.MERCHANT)
    moves = postings.payment_received(into, allocations, payer=b.ACCOUNT, ahead_fen=ahead)
    assert sum(move.fen for move in moves) == sum(parts) + ahead
    assert all(move.debit == into for move in moves)
    assert sum(move.fen for move in moves if move.credit.type is AccountType.PREPAYMENT) == ahead


@pytest.mark.parametrize("fen", [0, -1])
def test_a_transfer_of_nothing_or_less_cannot_be_expressed(fen: int) -> None:
    owed = postings.receivable(b.book(), b.ACCOUNT)
    with pytest.raises(InvariantError, match="positive"):
        TransferDraft(debit=owed, credit=b.book().account(AccountType.INCOME, b.ITEM), fen=fen, route=Route.ISSUE)


def test_deposit_money_cannot_be_booked_as_income() -> None:
    held = b.book(FundClass.DEPOSIT).account(AccountType.DEPOSIT_HELD, UUID(int=9))
    income = b.book().account(AccountType.INCOME, b.ITEM)
    for route in Route:
        with pytest.raises(InvariantError, match="does not lead"):
            TransferDraft(debit=held, credit=income, fen=1, route=route)


@pytest.mark.parametrize("other", [FundClass.MAINTENANCE, FundClass.COMMON_INCOME, FundClass.DEPOSIT])
def test_money_of_one_fund_pays_no_bill_of_another(other: FundClass) -> None:
    into = postings.clearing(b.book(other), b.MERCHANT)
    owed = postings.receivable(b.book(), b.ACCOUNT)
    with pytest.raises(InvariantError, match="does not lead"):
        TransferDraft(debit=into, credit=owed, fen=1, route=Route.RECEIPT)


def test_money_of_one_company_pays_no_bill_of_another() -> None:
    into = postings.clearing(b.book(), b.MERCHANT)
    owed = postings.receivable(b.book(entity=b.COMMITTEE), b.ACCOUNT)
    with pytest.raises(InvariantError, match="one legal entity"):
        TransferDraft(debit=into, credit=owed, fen=1, route=Route.RECEIPT)


def test_money_of_one_community_pays_no_bill_of_another() -> None:
    there = Book(community_id=CommunityId(UUID(int=2)), legal_entity_id=b.COMPANY, fund_class=FundClass.OPERATING)
    with pytest.raises(InvariantError, match="one community"):
        TransferDraft(
            debit=postings.clearing(b.book(), b.MERCHANT),
            credit=postings.receivable(there, b.ACCOUNT),
            fen=1,
            route=Route.RECEIPT,
        )


def test_a_route_that_leaves_its_fund_or_gives_up_a_debt_needs_approval() -> None:
    needing = {route for route in Route if route.needs_approval}
    assert needing == {Route.DEPOSIT_DEDUCTION, Route.WRITE_OFF, Route.FUND_SPENT}
    written_off = TransferDraft(
        debit=b.book().account(AccountType.WRITE_OFF, b.COMPANY),
        credit=postings.receivable(b.book(), b.ACCOUNT),
        fen=5,
        route=Route.WRITE_OFF,
        line=SETTLED,
    )
    with pytest.raises(InvariantError, match="needs approval"):
        b.journal("w", [written_off])
    assert b.journal("w", [written_off], approved_by=UUID(int=7)).approved_by == UUID(int=7)


def test_only_the_named_crossing_leaves_a_fund() -> None:
    crossing = {row for row in route_rows() if row[1] != row[2]}
    assert crossing == {("deposit_deduction", "deposit", "operating", True)}


def test_a_reservation_is_resolved_by_at_most_what_it_holds() -> None:
    reserved = postings.refund_reserved(b.ACCOUNT, postings.clearing(b.book(), b.MERCHANT), 500)
    ref = TransferRef(journal_id=UUID(int=1), n=1)
    assert reserved.kind is TransferKind.PENDING
    assert postings.reservation_posted(reserved, ref, 300).fen == 300
    assert postings.reservation_voided(reserved, ref).kind is TransferKind.VOID
    with pytest.raises(InvariantError, match="more than"):
        postings.reservation_posted(reserved, ref, 501)


def test_only_a_guarded_account_can_be_reserved() -> None:
    with pytest.raises(InvariantError, match="guarded"):
        TransferDraft(
            debit=postings.receivable(b.book(), b.ACCOUNT),
            credit=b.book().account(AccountType.INCOME, b.ITEM),
            fen=1,
            route=Route.ISSUE,
            kind=TransferKind.PENDING,
        )


def test_what_the_channel_keeps_is_booked_apart_from_what_the_bank_gets() -> None:
    merchant = postings.clearing(b.book(), b.MERCHANT)
    settled, fee = postings.channel_settled(merchant, postings.bank(b.book(), UUID(int=5)), net_fen=9940, fee_fen=60)
    assert (settled.debit.type, settled.fen) == (AccountType.BANK, 9940)
    assert (fee.debit.type, fee.fen) == (AccountType.CHANNEL_FEE, 60)
    assert settled.credit == fee.credit == merchant


def test_a_counted_box_holds_what_was_counted_and_the_difference_stands_apart() -> None:
    box = postings.cash(b.book(), UUID(int=6))
    over, short = postings.cash_counted(box, 30), postings.cash_counted(box, -20)
    assert (over.debit, over.credit.type, over.fen) == (box, AccountType.CASH_DIFFERENCE, 30)
    assert (short.credit, short.debit.type, short.fen) == (box, AccountType.CASH_DIFFERENCE, 20)


def test_the_chart_guards_what_must_not_go_below_nothing() -> None:
    guards = {kind: CHART[kind].guard for kind in AccountType if CHART[kind].guard is not Guard.NONE}
    assert guards == {
        AccountType.PREPAYMENT: Guard.CREDIT,
        AccountType.DEPOSIT_HELD: Guard.CREDIT,
        AccountType.SUSPENSE: Guard.CREDIT,
        AccountType.CASH: Guard.DEBIT,
    }
    assert all(CHART[kind].grows_on is Side(CHART[kind].guard.value) for kind in guards)


def test_an_accounts_id_follows_from_its_name_and_from_nothing_else() -> None:
    one = postings.receivable(b.book(), b.ACCOUNT)
    again = postings.receivable(b.book(), b.ACCOUNT)
    assert one.account_id(b.TENANT) == again.account_id(b.TENANT)
    assert one.account_id(b.TENANT).version == 8
    others = {
        postings.receivable(b.book(), b.OTHER_ACCOUNT),
        postings.receivable(b.book(FundClass.MAINTENANCE), b.ACCOUNT),
        postings.receivable(b.book(entity=b.COMMITTEE), b.ACCOUNT),
        postings.prepayment(b.book(), b.ACCOUNT),
    }
    assert len({other.account_id(b.TENANT) for other in others} | {one.account_id(b.TENANT)}) == 5


def test_the_fingerprint_covers_everything_a_movement_says() -> None:
    def sha(fen: int = 100, key: str = "k", day: int = 1) -> bytes:
        draft = b.journal(key, postings.lines_issued([b.line(1, fen)]), day=b.DAY.replace(day=day))
        return fingerprint(*facts_of(draft, b.TENANT))

    assert sha() == sha()
    assert len({sha(), sha(fen=101), sha(key="other"), sha(day=2)}) == 4


def test_transfers_without_a_number_are_counted_on_from_the_highest_given() -> None:
    released = postings.overpaid_released(b.book(), postings.Allocation(account_id=b.ACCOUNT, line=SETTLED, fen=5))
    draft = b.journal("k", [*postings.lines_issued([b.line(1, 5), b.line(4, 6)]), released])
    assert [n for n, _ in draft.numbered()] == [1, 4, 5]
