"""The flow of the house, readable from top to bottom: who listens to which event, who does which job, what recurs.

An event becomes jobs in the transaction that published it; a job's effect commits with its completion. Each domain
gives its lines from its `tasks` module; nothing else joins one domain to a later one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from cloud.access import tasks as access
from cloud.access.events import CardsChanged
from cloud.arrears import tasks as arrears
from cloud.billing import nightly
from cloud.billing import tasks as billing
from cloud.billing.events import BillsIssued, PricesCorrected, RunRequested
from cloud.cases import tasks as cases
from cloud.deposits import tasks as deposits
from cloud.deposits.events import DeductionProposed, ReturnDue
from cloud.documents import tasks as documents
from cloud.ingest import tasks as ingest
from cloud.ingest.events import BatchStored, EpochOpened, HistoryForked
from cloud.invoices import tasks as invoices
from cloud.invoices.tasks import InvoiceTasks
from cloud.kit import outbox
from cloud.kit.events import Routes
from cloud.kit.runner import Handler, Together
from cloud.kit.schedules import Schedule
from cloud.ledger import tasks as ledger
from cloud.mandates import tasks as mandates
from cloud.mandates.events import DebitAnnounced, DebitFailed
from cloud.mandates.tasks import MandateTasks
from cloud.metering import daily
from cloud.metering import tasks as metering
from cloud.metering.events import EstimatesStored, OddityFound, ParkingReported, UseReported
from cloud.notices import courier
from cloud.notices import tasks as notices
from cloud.parking import tasks as parking
from cloud.parking.events import PermitsChanged
from cloud.payments import kiosk_dues
from cloud.payments import service as payments
from cloud.payments.events import AgreementNoticed, DeductionBooked, PaymentBooked, RefundNoticed
from cloud.payments.tasks import PaymentTasks
from cloud.rating import tasks as rating
from cloud.rating.column_run import prepare
from cloud.rating.service import rate_period
from cloud.reconciliation import tasks as reconciliation
from cloud.reconciliation import uploads
from cloud.reconciliation.tasks import ReconciliationTasks
from cloud.reconciliation.uploads import UploadTasks
from cloud.refunds import tasks as refunds
from cloud.refunds.events import RefundMoved
from cloud.refunds.tasks import RefundTasks
from cloud.services import Services
from cloud.tariffs import tasks as tariffs
from cloud.tariffs.events import PricesChanged

# event -> the jobs it becomes, in the order of the pipeline
ROUTES: Routes = {
    BatchStored: (metering.job_of, ingest.reports_job),
    EpochOpened: (cases.job_of_new_epoch,),
    HistoryForked: (cases.job_of_fork,),
    OddityFound: (cases.job_of,),
    PricesChanged: (tariffs.job_of,),
    ParkingReported: (parking.acts_job,),
    EstimatesStored: (rating.job_of,),
    PermitsChanged: (parking.permits_job,),
    UseReported: (access.uses_job,),
    CardsChanged: (access.cards_job,),
    RunRequested: (billing.bill_run_job,),
    PricesCorrected: (billing.price_correction_job,),
    BillsIssued: (billing.use_ahead_job, billing.dues_job_of_bills),
    PaymentBooked: (
        deposits.hold_job,
        reconciliation.on_payment_booked,
        lambda event: billing.dues_job(event.payment_id),
    ),
    RefundNoticed: (refunds.noticed_job,),
    RefundMoved: (
        lambda event: deposits.note_job(event.refund_id, event.state),
        reconciliation.on_refund_moved,
        invoices.refund_job,
    ),
    DeductionBooked: (mandates.note_job,),
    AgreementNoticed: (mandates.check_job,),
    DebitAnnounced: (notices.debit_job,),
    DebitFailed: (notices.debit_failed_job,),
    DeductionProposed: (notices.deduction_job,),
    ReturnDue: (lambda event: refunds.return_job(event.return_id, event.wish()),),
}

# work that recurs on civil days
SCHEDULES: Sequence[Schedule] = (
    tariffs.DAILY,
    billing.DUES_DAILY,
    arrears.SCHEDULE,
    arrears.MORNING,
    nightly.SCHEDULE,
    ledger.SCHEDULE,
    ingest.SCHEDULE,
    reconciliation.SCHEDULE,
    deposits.SCHEDULE,
    documents.SCHEDULE,
    notices.SCHEDULE,
    mandates.SCHEDULE,
    invoices.SCHEDULE,
    parking.MORNING,
    daily.SCHEDULE,
)


def together(services: Services) -> Mapping[str, Together]:
    """Return which jobs are done many at once, and how long they may gather."""
    books = ReconciliationTasks(services.providers, services.secret_box)
    return {
        payments.ASK: PaymentTasks(services.providers).together(),
        reconciliation.RECHECK: books.recheck_together(),
    }


def handlers(services: Services) -> Mapping[str, Handler]:
    """Return who does which kind of job."""
    books = ReconciliationTasks(services.providers, services.secret_box)
    refund_work = RefundTasks(services.providers, services.public_url, secrets.token_bytes)
    return {
        ingest.NOTE_REPORTS: ingest.note_reports,
        ingest.EXPIRE_PERSONAL: ingest.expire_personal,
        metering.UNPACK_BATCH: metering.unpack_batch,
        daily.LOOK_BACK: daily.look_back,
        cases.OPEN_CASE: cases.open_case,
        tariffs.PUBLISH_PRICES: tariffs.publish_prices,
        rating.CHECK_ESTIMATES: rating.compare_estimates,
        parking.TAKE_ACTS: parking.take_batch_acts,
        parking.PUBLISH_PERMITS: parking.tell_permits,
        parking.STATE_NIGHT: parking.state_nights,
        access.TAKE_USES: access.take_batch_uses,
        access.PUBLISH_CARDS: access.tell_cards,
        billing.BILL_RUN: billing.bill_run_handler(rate_period, prepare),
        billing.PRICE_CORRECTION: billing.price_correction_handler(rate_period),
        billing.USE_AHEAD: billing.use_ahead,
        billing.PUBLISH_DUES: kiosk_dues.publish_dues_handler(services.public_url),
        arrears.LATE_CHARGES: arrears.charge_late,
        arrears.LOOK: arrears.look,
        nightly.NIGHTLY_RUNS: nightly.ask_for_runs,
        ledger.SEAL: ledger.seal_days,
        payments.ASK: PaymentTasks(services.providers).ask,
        **refund_work.handlers(),
        **MandateTasks(services.providers, services.public_url, secrets.token_bytes).handlers(),
        **InvoiceTasks(services.issuers).handlers(),
        deposits.HOLD: deposits.hold,
        deposits.NOTE_REFUND: deposits.note_refund,
        deposits.LOOK: deposits.look,
        **notices.HANDLERS,
        **documents.handlers(services.press, services.secret_box, services.seal_keeper),
        outbox.DELIVER: outbox.deliver_by({**notices.SENDERS, **notices.couriers(services.courier)}),
        courier.RETRY: services.courier.retry_job,
        courier.LOOK: services.courier.look_job,
        reconciliation.BEGIN: books.begin,
        reconciliation.FETCH: books.fetch,
        reconciliation.COMPARE: books.compare,
        reconciliation.RECHECK: books.recheck,
        reconciliation.RECHECK_REFUND: books.recheck_refund,
        uploads.READ: UploadTasks(services.secret_box).read,
    }
