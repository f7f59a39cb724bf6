"""The jobs of reconciliation: fetch yesterday's bills in the morning, keep them, compare, and look again on news."""

from __future__ import annotations

from datetime import date, time, timedelta
from uuid import UUID

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.db import Unit
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobBatch, JobContext, Together
from cloud.kit.schedules import Schedule
from cloud.kit.secretbox import SecretBox
from cloud.payments import booking, merchants
from cloud.payments.channel import ONLINE
from cloud.payments.channels.provider import EmptyDay, NotReady, Refused, TradeBill, Unknown
from cloud.payments.events import PaymentBooked
from cloud.payments.merchants import MerchantAccount
from cloud.payments.providers import Providers
from cloud.reconciliation import legs, service, statements
from cloud.refunds import service as refunds
from cloud.refunds.events import RefundMoved
from cloud.refunds.rules import RefundState
from common.ids import PaymentId

BEGIN = "reconciliation.begin"
FETCH = "reconciliation.fetch"
COMPARE = "reconciliation.compare"
RECHECK = "reconciliation.recheck"
RECHECK_REFUND = "reconciliation.recheck_refund"
TRIES_MAX = 48
SCHEDULE = Schedule(name="reconciliation", kind=BEGIN, at=time(10, 5))
_AGAIN = timedelta(minutes=30)
_GATHER_MS = 250
_DAY = timedelta(days=1)


def on_payment_booked(event: PaymentBooked) -> NewJob:
    """Return the job that looks whether a payment explains a break."""
    return NewJob(kind=RECHECK, key=f"{RECHECK}:{event.payment_id}", payload={"payment_id": str(event.payment_id)})


def on_refund_moved(event: RefundMoved) -> NewJob:
    """Return the job that looks whether a refund explains a break."""
    return NewJob(
        kind=RECHECK_REFUND,
        key=f"{RECHECK_REFUND}:{event.refund_id}:{event.state}",
        payload={"refund_id": str(event.refund_id)},
    )


def fetch_job(merchant_account_id: UUID, day: date, cause: str, tries: int = 0) -> NewJob:
    """Return the job that fetches a day's bill; `cause` tells one occasion from another."""
    return NewJob(
        kind=FETCH,
        key=f"{FETCH}:{merchant_account_id}:{day}:{cause}:{tries}",
        payload={
            "merchant_account_id": str(merchant_account_id),
            "day": day.isoformat(),
            "cause": cause,
            "tries": tries,
        },
        partition=f"recon:{merchant_account_id}",
    )


class ReconciliationTasks:
    """The handlers of reconciliation jobs, with the clients they call."""

    def __init__(self, providers: Providers, box: SecretBox) -> None:
        self._providers = providers
        self._box = box

    async def begin(self, context: JobContext) -> None:
        """Have yesterday's bill of every merchant account fetched."""
        day = date.fromisoformat(str(context.job.payload["day"])) - _DAY
        async with context.finishing_unit() as unit:
            for account in await merchants.merchant_accounts(unit.session):
                if account.channel not in ONLINE:
                    continue
                unit.enqueue(fetch_job(account.merchant_account_id, day, "daily"))

    async def fetch(self, context: JobContext) -> None:
        """Fetch a day's bill and keep it; one that is not ready is asked for again in half an hour, for a day."""
        payload = context.job.payload
        day, tries = date.fromisoformat(str(payload["day"])), int(payload["tries"])
        cause = str(payload["cause"]).removesuffix(":funds")
        async with context.view() as session:
            account = await merchants.merchant_account(session, UUID(str(payload["merchant_account_id"])))
        provider = self._providers.of(account)
        outcome = await provider.trade_bill(day)
        funds = await provider.fund_bill(day) if isinstance(outcome, TradeBill | EmptyDay) else outcome
        async with context.finishing_unit() as unit:
            if isinstance(outcome, TradeBill | EmptyDay):
                raw = outcome.raw if isinstance(outcome, TradeBill) else b""
                stored = await statements.store(unit, self._box, account, day, statements.read(provider, raw))
                if isinstance(funds, TradeBill | EmptyDay) and stored.usable:
                    flows = legs.read(provider, raw, funds.raw if isinstance(funds, TradeBill) else b"")
                    await legs.store(unit, self._box, account, day, flows)
                elif stored.usable and tries < TRIES_MAX:
                    unit.enqueue(_later(fetch_job(account.merchant_account_id, day, f"{cause}:funds", tries + 1), unit))
                if stored.usable and not stored.known:
                    version = f"version:{stored.version}"
                    unit.enqueue(service.compare_job(account.merchant_account_id, day, version))
            elif tries < TRIES_MAX:
                again = fetch_job(account.merchant_account_id, day, str(payload["cause"]), tries + 1)
                unit.enqueue(_later(again, unit))
            else:
                await cases.raise_case(unit, _missing(account, day, outcome))

    async def compare(self, context: JobContext) -> None:
        """Compare a day."""
        payload = context.job.payload
        async with context.finishing_unit() as unit:
            await service.compare(
                unit, UUID(str(payload["merchant_account_id"])), date.fromisoformat(str(payload["day"]))
            )

    async def recheck(self, context: JobContext) -> None:
        """Compare again the days on which a payment that was just booked has an open break."""
        async with context.view() as session:
            payment = await booking.payment(session, PaymentId(UUID(str(context.job.payload["payment_id"]))))
            if payment.merchant_account_id is None or payment.order_number is None:
                return
            days = await service.open_break_days(session, payment.merchant_account_id, payment.order_number)
        async with context.finishing_unit() as unit:
            for day in days:
                cause = f"booked:{payment.payment_id}"
                unit.enqueue(service.compare_job(payment.merchant_account_id, day, cause))

    async def recheck_all(self, batch: JobBatch) -> None:
        """Do as `recheck` for some payments at once; hardly any of them has an open break."""
        ids = [PaymentId(UUID(str(job.payload["payment_id"]))) for job in batch.jobs]
        async with batch.finishing_unit() as unit:
            orders = await booking.orders_of(unit.session, ids)
            for payment_id, merchant_account_id, day in await service.open_break_days_of(unit.session, orders):
                unit.enqueue(service.compare_job(merchant_account_id, day, f"booked:{payment_id}"))

    def recheck_together(self) -> Together:
        """Return how payments are looked at many at once."""
        return Together(handle=self.recheck_all, gather_ms=_GATHER_MS)

    async def recheck_refund(self, context: JobContext) -> None:
        """Compare again the days on which a refund that has just arrived has an open break."""
        async with context.view() as session:
            refund = await refunds.find(session, UUID(str(context.job.payload["refund_id"])))
            if refund is None or refund.merchant_account_id is None or refund.state is not RefundState.ARRIVED:
                return
            days = await service.open_break_days(session, refund.merchant_account_id, refund.refund_number)
        async with context.finishing_unit() as unit:
            for day in days:
                cause = f"refunded:{refund.refund_id}"
                unit.enqueue(service.compare_job(refund.merchant_account_id, day, cause))


def _later(job: NewJob, unit: Unit) -> NewJob:
    return NewJob(kind=job.kind, key=job.key, payload=job.payload, run_at=unit.now + _AGAIN, partition=job.partition)


def _missing(account: MerchantAccount, day: date, outcome: NotReady | Refused | Unknown) -> CaseReport:
    why = "not ready" if isinstance(outcome, NotReady) else outcome.detail
    return CaseReport(
        kind=CaseKind.ALARM,
        reason="statement_missing",
        origin="reconciliation",
        object_kind="merchant_account",
        object_id=account.merchant_account_id,
        subject=day.isoformat(),
        community_id=None,
        owner_role=OwnerRole.MANAGER,
        detail_zh=f"{day} 的对账单一天内未能取得 ({why})",
        detail_en=f"the statement of {day} could not be had for a whole day ({why})",
    )
