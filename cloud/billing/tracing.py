"""The chain behind a bill line: postings, the rated line, the registers, the signed batches and the raw frames.

Nothing here is computed anew except what proves the chain: the words of the explanation come from the stored trace, the
signature of each batch is verified again, and its hash is taken over the bytes as they came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import repository, service
from cloud.billing.documents import BillView, LineView
from cloud.billing.errors import UnknownBillError
from cloud.fleet import service as fleet
from cloud.ingest import service as ingest
from cloud.ingest.service import BatchRef
from cloud.ledger import reports
from cloud.ledger.journals import LineRef
from cloud.metering import claims, origins
from cloud.metering.origins import RegisterOrigin
from cloud.metering.usage import RegisterRef
from cloud.rating import service as rating
from common.clock import from_epoch_ms, to_epoch_ms
from common.ids import CommunityId, GatewayId, MeterId
from common.rating.explain import explain
from common.rating.plain import line_from_plain
from common.reading.reading import Quality, Quantity
from common.wire.batch import BatchContent
from common.wire.records import Evidence
from common.wire.signing import Purpose, open_envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedFrame:
    """The raw bytes that a device exchanged, in hexadecimal."""

    serial: str
    profile: str
    slot_at: datetime
    request: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedBatch:
    """A signed batch as it came: its place in the stream, its hash and the key whose signature was verified again."""

    gateway_id: UUID
    epoch: int
    sequence: int
    digest: str
    previous_hash: str
    key_id: str
    made_at: datetime
    frame: TracedFrame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRegister:
    """A register that a line was rated from, and where it came from.

    `original_milli` is what the gateway sent where a correction stands over it, with the reason.
    """

    meter_id: UUID
    serial: str
    quantity: str
    read_at: datetime
    value_milli: int
    revision: int | None
    reason: str | None
    original_milli: int | None
    batch: TracedBatch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedSession:
    """A session that a line charges, and the signed batches that told of it."""

    session_id: UUID
    place: str
    started_at: datetime
    ended_at: datetime
    batches: tuple[TracedBatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedPosting:
    """A transfer of the book that moved what is open on the line."""

    journal_id: UUID
    n: int
    journal_kind: str
    route: str
    business_date: date
    document_kind: str
    document_id: UUID
    request_sha: str
    debit: str
    credit: str
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedGround:
    """By which tariff revision and engine a line was rated, the hash of its input, and whether that input is kept."""

    tariff_code: str
    effective_from: date
    rev: int
    tariff_sha: str
    engine_version: int
    input_sha: str
    input_kept: bool
    words_zh: tuple[str, ...]
    words_en: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTrace:
    """The whole chain of one bill line, both ways."""

    number: str
    bill_id: UUID
    n: int
    charge_code: str
    name_zh: str
    name_en: str
    service_start: date
    service_end: date
    fen: int
    open_fen: int
    corrects: str | None
    corrected_by: tuple[str, ...]
    postings: tuple[TracedPosting, ...]
    rated: RatedGround
    registers: tuple[TracedRegister, ...]
    session: TracedSession | None


async def trace_bill(session: AsyncSession, view: BillView) -> tuple[LineTrace, ...]:
    """Return the chain of every line of a bill."""
    return tuple([await trace_line(session, view, line.n) for line in view.lines])


async def trace_line(session: AsyncSession, view: BillView, n: int) -> LineTrace:
    """Return the chain of one line of a bill.

    Raises:
        UnknownBillError: the bill has no such line.
        InvariantError: a kept batch is no longer what its gateway signed.
    """
    found = next((line for line in view.lines if line.n == n), None)
    if found is None:
        raise UnknownBillError(f"{view.summary.number} line {n}")
    community_id, line = view.summary.community_id, found.line
    return LineTrace(
        number=view.summary.number,
        bill_id=view.summary.bill_id,
        n=n,
        charge_code=line.charge.charge_code,
        name_zh=line.charge.name_zh,
        name_en=line.charge.name_en,
        service_start=line.key.service_start,
        service_end=line.key.service_end,
        fen=line.fen,
        open_fen=found.open_fen,
        corrects=await _name_of(session, line.corrects),
        corrected_by=tuple([str(await _name_of(session, ref)) for ref in found.corrected_by]),
        postings=await _postings(session, view, found),
        rated=await _ground(session, community_id, found),
        registers=await _registers(session, community_id, line.trace),
        session=await _session(session, view, found),
    )


async def _name_of(session: AsyncSession, ref: LineRef | None) -> str | None:
    if ref is None:
        return None
    bills = await repository.bills_at(session, [ref.bill_id])
    return f"{bills[ref.bill_id].number}/{ref.n}"


async def _postings(session: AsyncSession, view: BillView, found: LineView) -> tuple[TracedPosting, ...]:
    """Return the postings on the line, and for a credit the one that booked it on the line it takes back."""
    own = [p for p in await reports.postings_of_bill(session, view.summary.bill_id) if p.line_n == found.n]
    booked = [
        p
        for p in await reports.postings_of_document(session, view.summary.bill_id)
        if p.n == found.n and p.journal_kind == f"bill_{view.summary.kind}"
    ]
    unique = {(p.journal_id, p.n): p for p in (*booked, *own)}
    return tuple(
        TracedPosting(
            journal_id=p.journal_id,
            n=p.n,
            journal_kind=p.journal_kind,
            route=p.route,
            business_date=p.business_date,
            document_kind=p.document_kind,
            document_id=p.document_id,
            request_sha=p.request_sha,
            debit=f"{p.debit.book.fund_class}/{p.debit.type}",
            credit=f"{p.credit.book.fund_class}/{p.credit.type}",
            fen=p.fen,
        )
        for p in unique.values()
    )


async def _ground(session: AsyncSession, community_id: CommunityId, found: LineView) -> RatedGround:
    line = found.line
    rated = line_from_plain(line.trace["line"])
    kept = await rating.inputs(session, community_id, [line.input_sha])
    return RatedGround(
        tariff_code=line.tariff.tariff_code,
        effective_from=line.tariff.effective_from,
        rev=line.tariff.rev,
        tariff_sha=line.tariff.body_sha,
        engine_version=rated.engine_version,
        input_sha=line.input_sha,
        input_kept=line.input_sha in kept,
        words_zh=tuple(explain(rated, "zh")),
        words_en=tuple(explain(rated, "en")),
    )


async def _registers(
    session: AsyncSession, community_id: CommunityId, trace: Mapping[str, Any]
) -> tuple[TracedRegister, ...]:
    refs = [_ref(trace[name]) for name in ("from_register", "to_register") if trace.get(name) is not None]
    meters = await fleet.meters(session, {ref.meter_id for ref in refs}) if refs else {}
    traced = []
    for ref in refs:
        origin = await origins.origin(session, community_id, ref)
        corrected = ref.revision is not None
        traced.append(
            TracedRegister(
                meter_id=ref.meter_id,
                serial=meters[ref.meter_id].serial if ref.meter_id in meters else "",
                quantity=ref.quantity.value,
                read_at=ref.read_at,
                value_milli=ref.value_milli,
                revision=ref.revision,
                reason=origin.reason,
                original_milli=origin.original_milli if corrected else None,
                batch=await _batch(session, origin, ref),
            )
        )
    return tuple(traced)


def _ref(plain: Mapping[str, Any]) -> RegisterRef:
    """Return the register that `intake` wrote into a trace."""
    day = plain["block_day"]
    return RegisterRef(
        meter_id=MeterId(UUID(plain["meter_id"])),
        quantity=Quantity(plain["quantity"]),
        read_at=datetime.fromisoformat(plain["read_at"]),
        value_milli=plain["value_milli"],
        quality=Quality(plain["quality"]),
        block_day=None if day is None else date.fromisoformat(day),
        block_rev=plain["block_rev"],
        revision=plain["revision"],
    )


async def _batch(session: AsyncSession, origin: RegisterOrigin, ref: RegisterRef) -> TracedBatch | None:
    if origin.gateway_id is None or origin.store_epoch is None or origin.sequence is None:
        return None
    batch = BatchRef(gateway_id=origin.gateway_id, epoch=origin.store_epoch, sequence=origin.sequence)
    return await _signed(session, batch, ref)


async def _signed(session: AsyncSession, batch: BatchRef, ref: RegisterRef | None) -> TracedBatch:
    """Open a batch once more, which verifies its signature; `ref` names the register whose raw frame is wanted."""
    content = await ingest.open_batch(session, batch)
    signed = await ingest.signed_bytes(session, batch)
    return TracedBatch(
        gateway_id=batch.gateway_id,
        epoch=batch.epoch,
        sequence=batch.sequence,
        digest=hashlib.sha256(signed).hexdigest(),
        previous_hash=content.header.previous_hash.hex(),
        key_id=open_envelope(signed, Purpose.BATCH).key_id.hex(),
        made_at=content.header.made.at,
        frame=None if ref is None else _frame(content, ref),
    )


def _frame(content: BatchContent, ref: RegisterRef) -> TracedFrame | None:
    """Return the raw frame of the meter nearest to the reading, of those that the batch keeps."""
    at_ms = to_epoch_ms(ref.read_at)
    frames = [record for _, record in content.records(Evidence) if record.meter_id == ref.meter_id]
    if not frames:
        return None
    nearest = min(frames, key=lambda frame: (abs(frame.slot_ms - at_ms), frame.slot_ms))
    return TracedFrame(
        serial=nearest.serial,
        profile=nearest.profile,
        slot_at=from_epoch_ms(nearest.slot_ms),
        request=nearest.request.hex(),
        response=nearest.response.hex(),
    )


async def _session(session: AsyncSession, view: BillView, found: LineView) -> TracedSession | None:
    named = found.line.trace.get("session_id")
    if named is None:
        return None
    used = await claims.session_of(session, view.summary.community_id, UUID(named))
    if used is None:
        return None
    refs = [
        BatchRef(gateway_id=GatewayId(one.gateway_id), epoch=one.epoch, sequence=one.sequence) for one in used.sources
    ]
    return TracedSession(
        session_id=used.session_id,
        place=used.place,
        started_at=used.started_at,
        ended_at=used.ended_at,
        batches=tuple([await _signed(session, ref, None) for ref in refs]),
    )


async def trace_number(session: AsyncSession, number: str) -> tuple[LineTrace, ...]:
    """Return the chains of a bill by its number, or of one line when the number ends with `/line`.

    Raises:
        UnknownBillError: the company has no such bill or line.
    """
    name, _, line = number.partition("/")
    view = await service.bill_numbered(session, name)
    if not line:
        return await trace_bill(session, view)
    if not line.isdigit():
        raise UnknownBillError(number)
    return (await trace_line(session, view, int(line)),)
