"""What is written down of each answer of a tax platform: every move of an invoice stands here.

An invoice counts as issued only with a number that nobody else has and the very amounts that were asked for. A
refusal lets its lines go, so that they can be invoiced anew; unknown keeps them.
"""

from __future__ import annotations

from uuid import UUID

from cloud.cases import service as cases
from cloud.invoices import reports, repository, rules, service
from cloud.invoices.providers.values import AskOutcome, NeverCame, Numbered, Pending, SendOutcome, Taken
from cloud.invoices.tables import TaxInvoiceRow
from cloud.invoices.values import ASKED, ENDED, MOVES, Colour, InvoiceState
from cloud.kit.calls import Later, Refused
from cloud.kit.db import Unit
from cloud.kit.jobs import NewJob
from common.errors import ensure

FOLLOW = "invoices.follow"
_DETAIL_LENGTH_MAX = 300
_FILE_URL_LENGTH_MAX = 1_000


async def note_sending(unit: Unit, invoice_id: UUID) -> None:
    """Note that an invoice is about to be handed over: from now on it may have arrived."""
    row = await service.locked(unit, invoice_id)
    if row.state is InvoiceState.REQUESTED:
        row.attempts += 1
        _move(unit, row, InvoiceState.SENDING)


async def note_sent(unit: Unit, invoice_id: UUID, outcome: SendOutcome) -> None:
    """Note what came of handing an invoice over."""
    row = await service.locked(unit, invoice_id)
    if row.state is not InvoiceState.SENDING:
        return
    if isinstance(outcome, Taken):
        _move(unit, row, InvoiceState.ACCEPTED)
        _ask_on(unit, row)
    elif isinstance(outcome, Refused):
        await _refuse(unit, row, outcome.reason)
    elif isinstance(outcome, Later):
        await _try_later(unit, row, outcome.reason)
    else:
        row.detail = outcome.reason[:_DETAIL_LENGTH_MAX]
        unit.record("noted", "tax_invoice", invoice_id, after={"state": row.state})
        _ask_on(unit, row)


async def note_asked(unit: Unit, invoice_id: UUID, outcome: AskOutcome) -> None:
    """Note what the platform answered about an invoice."""
    row = await service.locked(unit, invoice_id)
    if row.state not in ASKED:
        return
    row.asked += 1
    if isinstance(outcome, Numbered):
        await _number(unit, row, outcome)
    elif isinstance(outcome, Refused):
        await _refuse(unit, row, outcome.reason)
    elif isinstance(outcome, Pending):
        wanted = InvoiceState.CONFIRMING if outcome.needs_buyer else InvoiceState.ACCEPTED
        if row.state is not wanted and wanted in MOVES[row.state]:
            _move(unit, row, wanted)
        await _ask_or_give_up(unit, row, "平台仍在处理 still under way")
    elif isinstance(outcome, NeverCame):
        await _ask_or_give_up(unit, row, "平台无此申请 the platform has no such order", never_came=True)
    else:
        await _ask_or_give_up(unit, row, outcome.reason)
    unit.record("noted", "tax_invoice", invoice_id, after={"state": row.state, "asked": row.asked})


async def _number(unit: Unit, row: TaxInvoiceRow, told: Numbered) -> None:
    wrong = await _differences(unit, row, told)
    if wrong:
        row.detail = wrong[:_DETAIL_LENGTH_MAX]
        if row.state is not InvoiceState.UNKNOWN:
            _move(unit, row, InvoiceState.UNKNOWN)
        await cases.raise_case(unit, reports.differs(service.invoice_of(row), wrong))
        return
    row.number, row.issued_at = told.number, told.at or unit.now
    row.file_url = told.file_url if _is_address(told.file_url) else ""
    row.detail, row.ended_at = "", unit.now
    _move(unit, row, InvoiceState.ISSUED)
    await _close_cases(unit, row)
    if row.colour is Colour.BLUE:
        unit.enqueue(follow_job(row.bill_id, f"issued:{row.invoice_id}"))


async def _differences(unit: Unit, row: TaxInvoiceRow, told: Numbered) -> str:
    if rules.NUMBER.fullmatch(told.number) is None:
        return "发票号码不是 20 位 the number is none of 20 digits"
    other = await repository.invoice_at(unit.session, told.number)
    if other is not None and other.invoice_id != row.invoice_id:
        return f"发票号码 {told.number} 已属于另一张 the number is another invoice's"
    asked = (row.net_fen, row.total_fen - row.net_fen)
    if (told.net_fen, told.tax_fen) != asked:
        return f"金额 asked {asked[0]}+{asked[1]} fen, issued {told.net_fen}+{told.tax_fen} fen"
    return ""


async def _refuse(unit: Unit, row: TaxInvoiceRow, why: str) -> None:
    row.detail, row.ended_at = why[:_DETAIL_LENGTH_MAX], unit.now
    _move(unit, row, InvoiceState.REFUSED)
    await _close_cases(unit, row)
    await cases.raise_case(unit, reports.refused(service.invoice_of(row), row.detail))


async def _try_later(unit: Unit, row: TaxInvoiceRow, why: str) -> None:
    pause = rules.pause_before_sending(row.attempts)
    if pause is None:
        await _refuse(unit, row, f"{why} ({row.attempts} tries)")
        return
    row.detail = why[:_DETAIL_LENGTH_MAX]
    _move(unit, row, InvoiceState.REQUESTED)
    unit.enqueue(service.send_job(row, unit.now + pause))


async def _ask_or_give_up(unit: Unit, row: TaxInvoiceRow, why: str, *, never_came: bool = False) -> None:
    if never_came and row.asked > rules.NEVER_CAME_ASKS and row.state in {InvoiceState.SENDING, InvoiceState.UNKNOWN}:
        await _refuse(unit, row, why)
        return
    if _ask_on(unit, row):
        return
    row.detail = why[:_DETAIL_LENGTH_MAX]
    if row.state is not InvoiceState.UNKNOWN:
        _move(unit, row, InvoiceState.UNKNOWN)
        await cases.raise_case(unit, reports.unknown(service.invoice_of(row)))


def _ask_on(unit: Unit, row: TaxInvoiceRow) -> bool:
    """Plan the next question and return whether there is one."""
    pause = rules.pause_before_asking(row.asked)
    if pause is None:
        return False
    unit.enqueue(service.ask_job(row, unit.now + pause))
    return True


def follow_job(bill_id: UUID, cause: str) -> NewJob:
    """Return the job that compares what of a bill is invoiced with what is paid."""
    return NewJob(kind=FOLLOW, key=f"{FOLLOW}:{bill_id}:{cause}", payload={"bill_id": str(bill_id)})


async def _close_cases(unit: Unit, row: TaxInvoiceRow) -> None:
    for reason in ("invoice_unknown", "invoice_differs"):
        await cases.close_settled(
            unit, row.invoice_id, reason_code=reason, subject="", because="平台已答复 the platform has answered"
        )


def _move(unit: Unit, row: TaxInvoiceRow, state: InvoiceState) -> None:
    ensure(state in MOVES[row.state], f"an invoice does not go from {row.state} to {state}")
    before, row.state = row.state, state
    unit.record("moved", "tax_invoice", row.invoice_id, before={"state": before}, after={"state": state})
    ensure((row.state in ENDED) == (row.ended_at is not None), "an invoice has an end when it is over")


def _is_address(text: str) -> bool:
    return text.startswith(("https://", "http://")) and len(text) <= _FILE_URL_LENGTH_MAX and text.isprintable()
