"""The second leg of a day written down: the fund bill kept as it came, compared with the trade bill in force.

A file that is another one for the same day is a new version; findings of the newest version stand. What is found opens
one case a day with the count and the sum; the findings themselves are listed on the day's page.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.db import Unit
from cloud.kit.secretbox import SecretBox
from cloud.payments.channels.bill import BillKind, BillRow, FlowRow
from cloud.payments.channels.provider import Provider
from cloud.payments.merchants import MerchantAccount
from cloud.reconciliation import repository
from cloud.reconciliation.flows import Finding, Flow, FlowFinding, LegOutcome, Trade, match_flows
from cloud.reconciliation.tables import FundDayRow
from common.errors import FaultsError


@dataclass(frozen=True, slots=True, kw_only=True)
class FundDay:
    """How the second leg of a day stands; `faults` say why a file could not be used."""

    merchant_account_id: UUID
    day: date
    version: int
    compared_at: datetime
    traded_fen: int
    moved_fen: int
    fees_fen: int
    withdrawn_fen: int
    findings: tuple[Finding, ...]
    faults: tuple[str, ...]

    @property
    def explained(self) -> bool:
        """Return whether every movement of the day is explained."""
        return not self.findings and not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class FundFile:
    """A day's fund bill beside its trade bill, both as the channel reads them."""

    raw: bytes
    trades: tuple[BillRow, ...]
    flows: tuple[FlowRow, ...]
    faults: tuple[str, ...] = ()


def read(provider: Provider, trade_raw: bytes, fund_raw: bytes) -> FundFile:
    """Return both files of a day as their channel reads them; empty bytes are a day without any."""
    try:
        trades = provider.read_trade_bill(trade_raw) if trade_raw else ()
        flows = provider.read_fund_bill(fund_raw) if fund_raw else ()
    except FaultsError as error:
        return FundFile(raw=fund_raw, trades=(), flows=(), faults=tuple(str(fault) for fault in error.faults))
    return FundFile(raw=fund_raw, trades=trades, flows=flows)


async def store(unit: Unit, box: SecretBox, account: MerchantAccount, day: date, file: FundFile) -> FundDay:
    """Keep a fund bill and what comparing it found; the same file again changes nothing."""
    await repository.lock_day(unit.session, account.merchant_account_id, day)
    digest = hashlib.sha256(repr(file.trades).encode() + file.raw).digest()
    versions = await repository.fund_days(unit.session, account.merchant_account_id, day)
    if versions and versions[0].digest == digest:
        return _fund_day(versions[0])
    outcome = _outcome(file)
    row = FundDayRow(
        tenant_id=unit.tenant,
        merchant_account_id=account.merchant_account_id,
        day=day,
        version=1 + (versions[0].version if versions else 0),
        digest=digest,
        raw_sealed=box.seal(unit.tenant, f"fund_day:{account.merchant_account_id}:{day}", file.raw),
        compared_at=unit.now,
        traded_fen=outcome.traded_fen,
        moved_fen=outcome.moved_fen,
        fees_fen=outcome.fees_fen,
        withdrawn_fen=outcome.withdrawn_fen,
        findings=[[one.kind.value, one.number, one.trade_fen, one.flow_fen] for one in outcome.findings],
        faults=list(file.faults),
    )
    unit.session.add(row)
    await unit.session.flush()
    after = {"day": day.isoformat(), "version": row.version, "findings": len(row.findings)}
    unit.record("compared", "fund_day", account.merchant_account_id, after=after)
    await _tell(unit, account, _fund_day(row))
    return _fund_day(row)


async def fund_day(session: AsyncSession, merchant_account_id: UUID, day: date) -> FundDay | None:
    """Return how the second leg of a day stands, None when it was not compared yet."""
    versions = await repository.fund_days(session, merchant_account_id, day)
    return _fund_day(versions[0]) if versions else None


async def _tell(unit: Unit, account: MerchantAccount, found: FundDay) -> None:
    """Open the case of a day that is not explained, or close it when a newer file explains it."""
    if not found.explained:
        await cases.raise_case(unit, _report(account, found))
        return
    for case in await cases.open_about(unit.session, [account.merchant_account_id]):
        if case.reason == "fund_flow_differs" and case.subject == found.day.isoformat():
            await cases.close_case(unit, case.case_id, reason=f"explained by version {found.version}")


def _outcome(file: FundFile) -> LegOutcome:
    if file.faults:
        return LegOutcome(findings=(), traded_fen=0, moved_fen=0, fees_fen=0, withdrawn_fen=0)
    trades = [
        Trade(
            number=row.order_number if row.kind is BillKind.PAYMENT else row.refund_number,
            order_number=row.order_number,
            fen=row.amount_fen if row.kind is BillKind.PAYMENT else -row.amount_fen,
            fee_millifen=row.fee_millifen,
        )
        for row in file.trades
    ]
    return match_flows(trades, [Flow(kind=row.kind, number=row.number, fen=row.fen) for row in file.flows])


def _fund_day(row: FundDayRow) -> FundDay:
    return FundDay(
        merchant_account_id=row.merchant_account_id,
        day=row.day,
        version=row.version,
        compared_at=row.compared_at,
        traded_fen=row.traded_fen,
        moved_fen=row.moved_fen,
        fees_fen=row.fees_fen,
        withdrawn_fen=row.withdrawn_fen,
        findings=tuple(
            Finding(kind=FlowFinding(kind), number=number, trade_fen=trade_fen, flow_fen=flow_fen)
            for kind, number, trade_fen, flow_fen in row.findings
        ),
        faults=tuple(row.faults),
    )


def _report(account: MerchantAccount, found: FundDay) -> CaseReport:
    why = found.faults[0] if found.faults else f"{len(found.findings)}"
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason="fund_flow_differs",
        origin="reconciliation",
        object_kind="merchant_account",
        object_id=account.merchant_account_id,
        subject=found.day.isoformat(),
        community_id=None,
        owner_role=OwnerRole.CASHIER,
        detail_zh=f"{found.day} 资金账单与交易账单不一致: {why}",
        detail_en=f"{found.day}: the fund bill does not agree with the trade bill: {why}",
        figures={"findings": len(found.findings), "moved_fen": found.moved_fen},
    )
