"""Bank transfers: a statement is imported whole or not at all, its new lines go to suspense, and leave it by name.

A line with a valid remittance code is posted at once. For any other a person says whose it is; what he confirms is
learnt, proposes the next time, and can be taken back. Money that went out is explained by the payout it names, or in
words. The ledger's suspense
account of a bank account always holds exactly its open lines.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.ledger import postings
from cloud.ledger.accounts import Book
from cloud.payments import booking, remittance
from cloud.payments.channel import Channel, Method
from cloud.payments.channels.bank.camt053 import read_camt053
from cloud.payments.channels.bank.csv_file import read_csv
from cloud.payments.channels.bank.lines import BankLine, BankStatement
from cloud.payments.channels.bank.mt940 import read_mt940
from cloud.payments.channels.bank.profiles import profiles
from cloud.reconciliation import bank_repository as repository
from cloud.reconciliation import settlements
from cloud.reconciliation.remitting import BankLineState
from cloud.reconciliation.tables import BankAccountRow, BankFileRow, BankLineRow, PayerLinkRow
from cloud.reconciliation.values import BankAccount
from cloud.refunds import payouts
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError
from common.ids import AccountId, CommunityId, LegalEntityId, PaymentId

_NUMBER = re.compile(r"[0-9]{8,32}", re.ASCII)
_READERS: dict[str, Callable[[bytes], BankStatement]] = {"mt940": read_mt940, "camt053": read_camt053}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file: lines in it, lines that were new, lines that were posted at once."""

    bank_file_id: UUID
    lines: int
    fresh: int
    posted: int


def kinds() -> tuple[str, ...]:
    """Return how a file may be written: the banks' profiles and the two standards."""
    return (*profiles(), *_READERS)


def read(raw: bytes, kind: str) -> BankStatement:
    """Return the checked statement of a file.

    Raises:
        FaultsError: the file is not what its kind says, or contradicts itself.
        RefusalError: there is no such kind.
    """
    if kind in _READERS:
        return _READERS[kind](raw)
    profile = profiles().get(kind)
    if profile is None:
        raise RefusalError(f"{kind!r} is no kind of statement; choose {', '.join(kinds())}")
    return read_csv(raw, profile)


async def add_bank_account(unit: Unit, book: Book, *, bank: str, number: str) -> UUID:
    """Add a bank account; only the last four digits of its number are kept.

    Raises:
        NotFoundError: there is no such community.
        RefusalError: the number is no number, or the bank has no name.
    """
    digits = number.replace(" ", "").replace("-", "")
    if _NUMBER.fullmatch(digits) is None or not bank.strip():
        raise RefusalError("a bank account has its bank's name and a number of at least eight digits; write both")
    await estate.community(unit.session, book.community_id)
    row = BankAccountRow(
        tenant_id=unit.tenant,
        community_id=book.community_id,
        bank_account_id=unit.new_id(),
        legal_entity_id=book.legal_entity_id,
        fund_class=book.fund_class,
        bank=bank.strip(),
        number_tail=digits[-4:],
        opened_at=unit.now,
    )
    unit.session.add(row)
    await unit.session.flush()
    unit.record("added", "bank_account", row.bank_account_id, after={"bank": row.bank, "fund_class": row.fund_class})
    return row.bank_account_id


async def bank_accounts(session: AsyncSession, community_id: CommunityId) -> tuple[BankAccount, ...]:
    """Return the bank accounts of a community."""
    return tuple(_account(row) for row in await repository.bank_accounts(session, community_id))


async def bank_account(session: AsyncSession, bank_account_id: UUID) -> BankAccount:
    """Return a bank account.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.bank_account(session, bank_account_id)
    if row is None:
        raise NotFoundError("there is no such bank account")
    return _account(row)


async def book_of(session: AsyncSession, bank_account_id: UUID) -> Book:
    """Return the book whose money a bank account holds.

    Raises:
        NotFoundError: there is no such bank account.
    """
    return (await bank_account(session, bank_account_id)).book


async def import_file(unit: Unit, box: SecretBox, bank_account_id: UUID, raw: bytes, kind: str) -> Imported:
    """Import a statement: new lines are booked to suspense, those with a valid remittance code posted at once.

    Raises:
        NotFoundError: there is no such bank account.
        ConflictError: the same file was imported before.
        FaultsError: the file contradicts itself; nothing of it is used.
    """
    account = await bank_account(unit.session, bank_account_id)
    statement = read(raw, kind)
    digest = hashlib.sha256(raw).digest()
    await repository.lock_bank_account(unit.session, bank_account_id)
    if await repository.bank_file_with(unit.session, bank_account_id, digest) is not None:
        raise ConflictError("this file was imported before; nothing was changed")
    known = await repository.known_keys(unit.session, bank_account_id)
    fresh = [(line, line.key(account.number_tail)) for line in statement.lines if line.fen]
    fresh = [(line, key) for line, key in fresh if key not in known]
    file = BankFileRow(
        tenant_id=unit.tenant,
        community_id=account.book.community_id,
        bank_file_id=unit.new_id(),
        bank_account_id=bank_account_id,
        kind=statement.kind,
        digest=digest,
        raw_sealed=b"",
        received_at=unit.now,
        received_by=unit.actor.id,
        lines=len(statement.lines),
        fresh=len(fresh),
        closing_fen=statement.closing_fen,
    )
    file.raw_sealed = box.seal(unit.tenant, f"bank_file:{file.bank_file_id}", raw)
    unit.session.add(file)
    await unit.session.flush()
    posted = 0
    for line, key in fresh:
        posted += await _take(unit, box, account, file.bank_file_id, (line, key))
    after = {"lines": file.lines, "fresh": file.fresh, "posted": posted}
    unit.record("imported", "bank_file", file.bank_file_id, after=after)
    return Imported(bank_file_id=file.bank_file_id, lines=file.lines, fresh=file.fresh, posted=posted)


async def identify(unit: Unit, bank_line_id: UUID, account_id: AccountId, *, learn: bool = False) -> PaymentId:
    """Say whose a line in suspense is, in the acting person's name; with `learn` his bank account proposes from now on.

    Raises:
        NotFoundError: there is no such line or account.
        ConflictError: the line is not in suspense.
        RefusalError: the account is of another community.
    """
    row = await _open_line(unit, bank_line_id)
    bank = await bank_account(unit.session, row.bank_account_id)
    owner = await billing.account(unit.session, account_id)
    if owner.community_id != bank.book.community_id:
        raise RefusalError("this account is of another community than the bank account; its money cannot pay there")
    payment_id = await _post(unit, bank, row, account_id)
    if learn and row.payer_sha and await repository.payer_link(unit.session, row.payer_sha, account_id) is None:
        unit.session.add(
            PayerLinkRow(
                tenant_id=unit.tenant,
                community_id=row.community_id,
                payer_sha=row.payer_sha,
                account_id=account_id,
                confirmed_by=unit.actor.id,
                confirmed_at=unit.now,
            )
        )
        await unit.session.flush()
    return payment_id


async def explain(unit: Unit, bank_line_id: UUID, reason: str) -> None:
    """Explain a line of money that went out, in the acting person's name.

    Raises:
        NotFoundError: there is no such line.
        ConflictError: it is decided already, or it is money that came: that is identified.
        RefusalError: no reason is given.
    """
    if not reason.strip():
        raise RefusalError("money that went is explained with a reason; say what it was")
    row = await _open_line(unit, bank_line_id)
    if row.fen > 0:
        raise ConflictError("money that came is identified, not explained; say whose it is")
    _decide(unit, row, BankLineState.EXPLAINED, reason.strip())
    await _close_case(unit, row)


async def _take(
    unit: Unit, box: SecretBox, account: BankAccount, bank_file_id: UUID, told: tuple[BankLine, str]
) -> bool:
    """Keep a new line; money that came goes to suspense, and out of it at once when its code names an account."""
    line, key = told
    row = BankLineRow(
        tenant_id=unit.tenant,
        community_id=account.book.community_id,
        bank_line_id=unit.new_id(),
        bank_account_id=account.bank_account_id,
        bank_file_id=bank_file_id,
        key=key,
        day=line.day,
        fen=line.fen,
        payer_sha=_payer_sha(line),
        text_sealed=b"",
        state=BankLineState.SUSPENSE,
        reason="",
    )
    text = json.dumps({"name": line.name, "account": line.account, "memo": line.memo}, ensure_ascii=False)
    row.text_sealed = box.seal(unit.tenant, f"bank_line:{row.bank_line_id}", text.encode())
    unit.session.add(row)
    await unit.session.flush()
    if line.fen < 0:
        return await _went(unit, account, row, line)
    moves = postings.unknown_money_suspended(
        postings.bank(account.book, account.bank_account_id), account.bank_account_id, line.fen
    )
    await settlements.post(unit, account, row, "suspended", (moves,))
    if await settlements.settle(unit, account, row):
        return True
    owner = await remittance.account_of(unit.session, line.memo)
    if owner is None or (await billing.account(unit.session, owner)).community_id != account.book.community_id:
        await cases.raise_case(unit, _unknown_credit(row))
        return False
    await _post(unit, account, row, owner)
    return True


async def _went(unit: Unit, account: BankAccount, row: BankLineRow, line: BankLine) -> bool:
    """Explain money that went by the payout that the line names; any other is an alarm."""
    at = await _noon(unit, account, row)
    payout = await payouts.left_the_bank(unit, account.bank_account_id, -line.fen, (line.serial, line.memo), at)
    if payout is None:
        await cases.raise_case(unit, _unknown_debit(row))
        return False
    _decide(unit, row, BankLineState.EXPLAINED, f"refund {payout.refund_number}")
    return True


async def _noon(unit: Unit, account: BankAccount, row: BankLineRow) -> datetime:
    """Return the instant that stands for a line's day: its noon, or now when that is yet to come."""
    zone = (await estate.community(unit.session, account.book.community_id)).zone
    return min(unit.now, datetime.combine(row.day, time(12), zone).astimezone(UTC))


async def _post(unit: Unit, account: BankAccount, row: BankLineRow, owner: AccountId) -> PaymentId:
    arrival = booking.Arrival(
        payment_id=PaymentId(row.bank_line_id),
        account_id=owner,
        channel=Channel.BANK,
        into=postings.suspense_of(account.book, account.bank_account_id),
        amount_fen=row.fen,
        paid_at=await _noon(unit, account, row),
        bill_ids=(),
        method=Method.TRANSFER,
        sub_method=account.bank,
    )
    payment = await booking.book(unit, arrival, booking.Traces(bank_line_id=row.bank_line_id))
    row.account_id = owner
    _decide(unit, row, BankLineState.IDENTIFIED, "")
    await _close_case(unit, row)
    return payment.payment_id


async def _open_line(unit: Unit, bank_line_id: UUID) -> BankLineRow:
    row = await repository.bank_line(unit.session, bank_line_id, lock=True)
    if row is None:
        raise NotFoundError("there is no such line of a statement")
    if row.state is not BankLineState.SUSPENSE:
        raise ConflictError(f"this line is {row.state} already")
    return row


def _decide(unit: Unit, row: BankLineRow, state: BankLineState, reason: str) -> None:
    row.state, row.decided_by, row.decided_at, row.reason = state, unit.actor.id, unit.now, reason
    unit.record("decided", "bank_line", row.bank_line_id, after={"state": state})


async def _close_case(unit: Unit, row: BankLineRow) -> None:
    for case in await cases.open_about(unit.session, [row.bank_line_id]):
        await cases.close_case(unit, case.case_id, reason=row.state)


def _payer_sha(line: BankLine) -> str:
    told = f"{line.account}|{line.name}"
    return hashlib.sha256(told.encode()).hexdigest() if line.account else ""


def _account(row: BankAccountRow) -> BankAccount:
    book = Book(
        community_id=row.community_id,
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        fund_class=FundClass(row.fund_class),
    )
    return BankAccount(bank_account_id=row.bank_account_id, book=book, bank=row.bank, number_tail=row.number_tail)


def _unknown_credit(row: BankLineRow) -> CaseReport:
    words = ("银行进账未认领, 已挂账", "a bank credit is nobody's yet")
    return _report(row, "bank_credit_unmatched", CaseKind.EXCEPTION, words)


def _unknown_debit(row: BankLineRow) -> CaseReport:
    return _report(row, "bank_debit_unknown", CaseKind.ALARM, ("银行出账原因不明", "money went from the bank account"))


def _report(row: BankLineRow, reason: str, kind: CaseKind, words: Sequence[str]) -> CaseReport:
    return CaseReport(
        kind=kind,
        reason=reason,
        origin="reconciliation",
        object_kind="bank_line",
        object_id=row.bank_line_id,
        community_id=row.community_id,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"{row.day} {words[0]}",
        detail_en=f"{row.day} {words[1]}",
        figures={"fen": row.fen},
    )
