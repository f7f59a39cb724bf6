"""The jobs of notices: look each morning who is to be reminded, tell what is written, say that the inbox has it."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from cloud.billing import service as billing
from cloud.deposits.events import DeductionProposed
from cloud.estate import service as estate
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from cloud.kit.tables import JsonObject
from cloud.mandates.events import DebitAnnounced, DebitFailed
from cloud.notices import dunning, service
from cloud.notices.courier import Courier
from cloud.notices.kinds import INBOX, NoticeKind, Way
from cloud.notices.service import TELL, Draft
from common.civil import civil_day
from common.ids import AccountId
from common.money.amount import format_minor

REMIND = "notices.remind"
DEDUCTION = "notices.deduction"
DEBIT = "notices.debit"
SCHEDULE = Schedule(name="reminders", kind=REMIND, at=time(9, 30))


class LocalInbox:
    """The sender of the channel that is always there: the pages show every notice that was told."""

    async def send(self, message_id: UUID, payload: JsonObject) -> str:
        """Return the receipt; the notice stands in the inbox already."""
        del message_id
        return f"{INBOX}:{payload['notice_id']}"


SENDERS = {INBOX: LocalInbox()}


def couriers(courier: Courier) -> dict[str, Courier]:
    """Return the sender of every way but the inbox."""
    return {way.value: courier for way in Way}


def deduction_job(event: DeductionProposed) -> NewJob:
    """Return the job that tells a payer what is proposed to be kept of his deposit."""
    return NewJob(
        kind=DEDUCTION,
        key=f"{DEDUCTION}:{event.deduction_id}",
        payload={
            "account_id": str(event.account_id),
            "deduction_id": str(event.deduction_id),
            "amount_fen": event.amount_fen,
            "objection_until": event.objection_until.isoformat(),
        },
    )


def debit_job(event: DebitAnnounced) -> NewJob:
    """Return the job that tells a payer what will be deducted from him and when."""
    return _debit_job(NoticeKind.DEBIT, event, event.first_on)


def debit_failed_job(event: DebitFailed) -> NewJob:
    """Return the job that tells a payer that an announced deduction did not succeed."""
    return _debit_job(NoticeKind.DEBIT_FAILED, event, event.execute_on)


def _debit_job(kind: NoticeKind, event: DebitAnnounced | DebitFailed, day: date) -> NewJob:
    return NewJob(
        kind=DEBIT,
        key=f"{DEBIT}:{kind}:{event.debit_id}",
        payload={
            "kind": kind.value,
            "account_id": str(event.account_id),
            "debit_id": str(event.debit_id),
            "amount_fen": event.amount_fen,
            "day": day.isoformat(),
        },
    )


async def tell(context: JobContext) -> None:
    """Tell a notice whose time has come."""
    async with context.finishing_unit() as unit:
        await service.tell(unit, UUID(str(context.job.payload["notice_id"])))


async def remind(context: JobContext) -> None:
    """Remind the payers of every community, a chunk of accounts at a time, each bill in a unit of its own."""
    today = date.fromisoformat(str(context.job.payload["day"]))
    async with context.view() as session:
        communities = await estate.communities(session)
    for community in communities:
        async with context.view() as session:
            accounts = await billing.accounts_in(session, community.id)
        for start in range(0, len(accounts), dunning.CHUNK_ACCOUNTS):
            async with context.view() as session:
                found = await dunning.reminders(session, accounts[start : start + dunning.CHUNK_ACCOUNTS], today)
            for reminder in found:
                async with context.unit() as unit:
                    await dunning.remind(unit, reminder)


async def tell_deduction(context: JobContext) -> None:
    """Tell a payer what is proposed to be kept of his deposit and until when he may object."""
    payload = context.job.payload
    async with context.finishing_unit() as unit:
        account = await billing.account(unit.session, AccountId(UUID(str(payload["account_id"]))))
        community = await estate.community(unit.session, account.community_id)
        until = datetime.fromisoformat(str(payload["objection_until"]))
        facts = {
            "number": "",
            "amount": format_minor(int(str(payload["amount_fen"]))),
            "due": civil_day(until, community.zone).isoformat(),
        }
        subject_id = UUID(str(payload["deduction_id"]))
        draft = Draft(
            kind=NoticeKind.DEDUCTION,
            account=account,
            subject_id=subject_id,
            key=f"deduction:{subject_id}",
            facts=facts,
        )
        await service.write(unit, draft)


async def tell_debit(context: JobContext) -> None:
    """Tell a payer about an automatic deduction."""
    payload = context.job.payload
    kind, debit_id = NoticeKind(str(payload["kind"])), UUID(str(payload["debit_id"]))
    async with context.finishing_unit() as unit:
        account = await billing.account(unit.session, AccountId(UUID(str(payload["account_id"]))))
        amount = format_minor(int(str(payload["amount_fen"])))
        draft = Draft(
            kind=kind,
            account=account,
            subject_id=debit_id,
            key=f"{kind}:{debit_id}",
            facts={"number": "", "amount": amount, "due": str(payload["day"])},
        )
        await service.write(unit, draft)


HANDLERS = {TELL: tell, REMIND: remind, DEDUCTION: tell_deduction, DEBIT: tell_debit}
