"""The named queries of bank transfers; private to reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.reconciliation.remitting import BankLineState
from cloud.reconciliation.tables import BankAccountRow, BankFileRow, BankLineRow, FundDayRow, PayerLinkRow


async def bank_account(session: AsyncSession, bank_account_id: UUID) -> BankAccountRow | None:
    """Return a bank account."""
    return await session.scalar(select(BankAccountRow).where(BankAccountRow.bank_account_id == bank_account_id))


async def bank_accounts(session: AsyncSession, community_id: UUID) -> Sequence[BankAccountRow]:
    """Return the bank accounts of a community, the oldest first."""
    found = await session.scalars(
        select(BankAccountRow)
        .where(BankAccountRow.community_id == community_id)
        .order_by(BankAccountRow.bank_account_id)
    )
    return list(found)


async def lock_bank_account(session: AsyncSession, bank_account_id: UUID) -> None:
    """Hold a bank account until the unit ends: two imports happen one after the other."""
    key = f"bank:{bank_account_id}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


async def bank_file_with(session: AsyncSession, bank_account_id: UUID, digest: bytes) -> BankFileRow | None:
    """Return the file of a bank account with a digest."""
    return await session.scalar(
        select(BankFileRow).where(BankFileRow.bank_account_id == bank_account_id, BankFileRow.digest == digest)
    )


async def known_keys(session: AsyncSession, bank_account_id: UUID) -> frozenset[str]:
    """Return the keys of all lines of a bank account."""
    found = await session.scalars(select(BankLineRow.key).where(BankLineRow.bank_account_id == bank_account_id))
    return frozenset(found)


async def bank_line(session: AsyncSession, bank_line_id: UUID, *, lock: bool = False) -> BankLineRow | None:
    """Return a line, locked until the unit ends when asked."""
    statement = select(BankLineRow).where(BankLineRow.bank_line_id == bank_line_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def open_lines(session: AsyncSession, community_id: UUID) -> Sequence[BankLineRow]:
    """Return the lines of a community that nobody has decided, the oldest first."""
    found = await session.scalars(
        select(BankLineRow)
        .where(BankLineRow.community_id == community_id, BankLineRow.state == BankLineState.SUSPENSE)
        .order_by(BankLineRow.day, BankLineRow.bank_line_id)
    )
    return list(found)


async def withdrawals(session: AsyncSession, merchant_account_id: UUID, span: tuple[date, date]) -> dict[date, int]:
    """Return what a merchant account sent to its bank on each day of a span, both included, by the newest fund bill."""
    first, last = span
    rows = await session.execute(
        select(FundDayRow.day, FundDayRow.withdrawn_fen)
        .where(FundDayRow.merchant_account_id == merchant_account_id, FundDayRow.day >= first, FundDayRow.day <= last)
        .order_by(FundDayRow.day, FundDayRow.version)
    )
    return {row[0]: row[1] for row in rows}


async def settled_days(session: AsyncSession, merchant_account_id: UUID) -> list[date]:
    """Return the days of a merchant account that a bank line settled."""
    ending = f" {merchant_account_id}"
    reasons = await session.scalars(
        select(BankLineRow.reason).where(
            BankLineRow.state == BankLineState.SETTLEMENT, BankLineRow.reason.endswith(ending, autoescape=True)
        )
    )
    return [date.fromisoformat(reason.removesuffix(ending).rpartition(" ")[2]) for reason in reasons]


async def fees_between(session: AsyncSession, merchant_account_id: UUID, after: date, until: date) -> int:
    """Return what a channel kept on the days of `(after, until]`, by the newest fund bill of each."""
    rows = await session.execute(
        select(FundDayRow.day, FundDayRow.fees_fen)
        .where(FundDayRow.merchant_account_id == merchant_account_id, FundDayRow.day > after, FundDayRow.day <= until)
        .order_by(FundDayRow.day, FundDayRow.version)
    )
    return sum({row[0]: row[1] for row in rows}.values())


async def is_settled(session: AsyncSession, reason: str) -> bool:
    """Return whether a bank line settled a day of a merchant account already; `reason` names both."""
    found = await session.scalar(
        select(BankLineRow.bank_line_id)
        .where(BankLineRow.state == BankLineState.SETTLEMENT, BankLineRow.reason == reason)
        .limit(1)
    )
    return found is not None


async def payer_link(session: AsyncSession, payer_sha: str, account_id: UUID) -> PayerLinkRow | None:
    """Return what was learnt of a payer about an account, ended or not."""
    return await session.scalar(
        select(PayerLinkRow).where(PayerLinkRow.payer_sha == payer_sha, PayerLinkRow.account_id == account_id)
    )


async def payer_links(session: AsyncSession, payer_sha: str) -> Sequence[PayerLinkRow]:
    """Return what was learnt of a payer and stands."""
    found = await session.scalars(
        select(PayerLinkRow).where(PayerLinkRow.payer_sha == payer_sha, PayerLinkRow.revoked_at.is_(None))
    )
    return list(found)
