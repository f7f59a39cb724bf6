"""Statement files: kept as they came before anybody reads them, then read, then either used whole or not at all.

The same file again is known by its digest and changes nothing. Another file for the same day is a new version; the
newest readable one is the one in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.db import Unit
from cloud.kit.secretbox import SecretBox
from cloud.payments.channels.bill import BillKind, BillRow
from cloud.payments.channels.provider import Provider
from cloud.payments.merchants import MerchantAccount
from cloud.reconciliation import repository
from cloud.reconciliation.matching import EntryKind
from cloud.reconciliation.tables import StatementFileRow, StatementLineRow
from common.errors import FaultsError

PARSER = "{channel}-trade-bill/1"
_LINE_COLUMNS = ("statement_id", "line", "kind", "number", "transaction_id", "fen", "at", "fee_millifen")
_MILLIFEN_PER_FEN = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStatement:
    """A file in the house: which version it is, whether it can be used, and whether it was known already."""

    statement_id: UUID
    version: int
    faults: tuple[str, ...]
    known: bool

    @property
    def usable(self) -> bool:
        """Return whether the file may be compared."""
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class BillFile:
    """A file as it came, with its rows, or with what is wrong with it."""

    raw: bytes
    rows: tuple[BillRow, ...] = ()
    faults: tuple[str, ...] = ()


async def store(unit: Unit, box: SecretBox, account: MerchantAccount, day: date, file: BillFile) -> StoredStatement:
    """Keep a day's trade bill and its rows.

    A file that contradicts itself or is not the merchant's is kept with its faults, opens a case and is not used.
    """
    await repository.lock_day(unit.session, account.merchant_account_id, day)
    digest = hashlib.sha256(file.raw).digest()
    known = await repository.statement_with(unit.session, account.merchant_account_id, day, digest)
    if known is not None:
        return _stored(known, known=True)
    earlier = await repository.statements(unit.session, account.merchant_account_id, day)
    rows, faults = file.rows, file.faults
    statement_id = unit.new_id()
    row = StatementFileRow(
        tenant_id=unit.tenant,
        statement_id=statement_id,
        merchant_account_id=account.merchant_account_id,
        day=day,
        version=1 + (earlier[0].version if earlier else 0),
        digest=digest,
        raw_sealed=box.seal(unit.tenant, f"statement_file:{statement_id}", file.raw),
        parser=PARSER.format(channel=account.channel),
        received_at=unit.now,
        rows=len(rows),
        payments_fen=sum(line.amount_fen for line in rows if line.kind is BillKind.PAYMENT),
        refunds_fen=sum(line.amount_fen for line in rows if line.kind is not BillKind.PAYMENT),
        fees_fen=sum(line.fee_millifen for line in rows) // _MILLIFEN_PER_FEN,
        faults=list(faults),
    )
    unit.session.add(row)
    await unit.session.flush()
    await unit.load(cast("Table", StatementLineRow.__table__), _LINE_COLUMNS, _lines(statement_id, rows))
    after = {"day": day.isoformat(), "version": row.version, "rows": row.rows, "faults": len(faults)}
    unit.record("stored", "statement_file", statement_id, after=after)
    if faults:
        await cases.raise_case(unit, _report(account, day, faults))
    return _stored(row, known=False)


async def in_force(session: AsyncSession, merchant_account_id: UUID, day: date) -> StatementFileRow | None:
    """Return the newest usable file of a day."""
    files = await repository.statements(session, merchant_account_id, day)
    return next((file for file in files if not file.faults), None)


def read(provider: Provider, raw: bytes) -> BillFile:
    """Return a file as its channel reads it; empty bytes are the channel's word that nothing happened that day."""
    if not raw:
        return BillFile(raw=raw)
    try:
        return BillFile(raw=raw, rows=provider.read_trade_bill(raw))
    except FaultsError as error:
        return BillFile(raw=raw, faults=tuple(str(fault) for fault in error.faults))


def _lines(statement_id: UUID, rows: Iterable[BillRow]) -> Iterable[tuple[object, ...]]:
    for row in rows:
        paid = row.kind is BillKind.PAYMENT
        kind = EntryKind.PAYMENT if paid else EntryKind.REFUND
        number = row.order_number if paid else row.refund_number
        yield statement_id, row.line, kind.value, number, row.transaction_id, row.amount_fen, row.at, row.fee_millifen


def _stored(row: StatementFileRow, *, known: bool) -> StoredStatement:
    return StoredStatement(statement_id=row.statement_id, version=row.version, faults=tuple(row.faults), known=known)


def _report(account: MerchantAccount, day: date, faults: tuple[str, ...]) -> CaseReport:
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason="statement_unusable",
        origin="reconciliation",
        object_kind="merchant_account",
        object_id=account.merchant_account_id,
        subject=day.isoformat(),
        community_id=None,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"{day} 的对账单未通过校验, 未使用: {faults[0]}",
        detail_en=f"the statement of {day} fails its checks and is not used: {faults[0]}",
        figures={"faults": len(faults)},
    )
