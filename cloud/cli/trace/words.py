"""The chain as lines of text, one step an indent. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cloud.billing.tracing import LineTrace, TracedBatch, TracedPosting, TracedRegister
from cloud.payments.tracing import PaymentTrace
from common.measure.quantity import format_milli
from common.money.amount import format_minor


def payment_words(payment: PaymentTrace) -> Iterator[str]:
    """Yield a receipt and the chain of each line that it settled."""
    yield f"payment {payment.number} 收款 {format_minor(payment.amount_fen)} by {payment.channel} at {payment.paid_at}"
    if payment.order_number:
        yield f"  channel order {payment.order_number}, transaction {payment.transaction_id or '-'}"
    yield f"  journal {payment.journal_id} sha {payment.request_sha}"
    for settled in payment.settled:
        yield f"  settled {format_minor(settled.fen)} of {settled.line.number}/{settled.line.n}"
        for words in line_words(settled.line):
            yield f"    {words}"
    if payment.ahead_fen:
        yield f"  paid ahead 预存 {format_minor(payment.ahead_fen)}"


def line_words(line: LineTrace) -> Iterator[str]:
    """Yield a bill line with its postings, its ground and its registers."""
    yield (
        f"bill line {line.number}/{line.n} {line.name_zh} {line.name_en} "
        f"{line.service_start}..{line.service_end} {format_minor(line.fen)}, open {format_minor(line.open_fen)}"
    )
    if line.corrects:
        yield f"  corrects {line.corrects}"
    if line.corrected_by:
        yield f"  corrected by {', '.join(line.corrected_by)}"
    for posting in line.postings:
        yield f"  {_posting(posting)}"
    rated = line.rated
    yield (
        f"  rated by {rated.tariff_code} from {rated.effective_from} rev {rated.rev} sha {rated.tariff_sha}, "
        f"engine {rated.engine_version}"
    )
    yield f"    input sha {rated.input_sha} {'kept' if rated.input_kept else 'not kept'}"
    for words in (*rated.words_zh, *rated.words_en):
        yield f"    {words}"
    if line.session is not None:
        used = line.session
        yield f"  session {used.session_id} at {used.place} {used.started_at} .. {used.ended_at}"
        for told in used.batches:
            yield from _signed(told)
    for register in line.registers:
        yield from _register(register)


def _posting(posting: TracedPosting) -> str:
    return (
        f"posting {posting.journal_id}/{posting.n} {posting.journal_kind} {posting.business_date} "
        f"{posting.debit} <- {posting.credit} {format_minor(posting.fen)} for {posting.document_kind} "
        f"{posting.document_id} sha {posting.request_sha}"
    )


def _register(register: TracedRegister) -> Iterator[str]:
    yield (
        f"  reading {format_milli(register.value_milli)} {register.quantity} of meter {register.serial} "
        f"({register.meter_id}) at {register.read_at}"
    )
    if register.revision is not None:
        was = "nothing" if register.original_milli is None else format_milli(register.original_milli)
        yield f"    corrected, revision {register.revision}: {register.reason or '-'}; the gateway sent {was}"
    if register.batch is None:
        yield "    entered by hand, no batch"
        return
    yield from _batch(register.batch)


def _batch(batch: TracedBatch) -> Iterator[str]:
    yield from _signed(batch)
    if batch.frame is None:
        yield "      no raw frame of this meter in the batch"
        return
    frame = batch.frame
    yield f"      raw frame of device {frame.serial} ({frame.profile}) at {frame.slot_at}"
    yield f"        request  {frame.request}"
    yield f"        response {frame.response}"


def _signed(batch: TracedBatch) -> Iterator[str]:
    yield (
        f"    signed batch {batch.sequence} of epoch {batch.epoch} of gateway {batch.gateway_id} "
        f"made {batch.made_at}, signature verified"
    )
    yield f"      sha {batch.digest}"
    yield f"      after {batch.previous_hash}"
    yield f"      key {batch.key_id}"
