"""Taking batches in: verify, judge, keep once, answer with a signed receipt; and opening them again for the domains.

A batch that is stored twice is stored once and answered with the same receipt. A batch that contradicts the stream is
refused with a signed receipt, kept as evidence and told to a person. Whatever cannot prove its gateway is refused
without one. Nothing is unpacked here beyond what the bounds of the wire allow, and no reading becomes a row here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet import enrolment as fleet_keys
from cloud.fleet import service as fleet
from cloud.fleet.values import GatewayKey
from cloud.ingest import repository
from cloud.ingest.events import BatchStored, EpochOpened, HistoryForked
from cloud.ingest.tables import BatchRefusalRow, GatewayBatchRow, PersonalItemRow, StreamRow
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.errors import NotFoundError
from common.clock import to_epoch_ms
from common.errors import InvariantError, ensure
from common.ids import GatewayId
from common.wire import codec
from common.wire.batch import BatchContent, PersonalItem
from common.wire.codec import Parcel
from common.wire.limits import ASKED_RANGES_MAX
from common.wire.receipt import ItemOutcome, ItemVerdict, Receipt, Section, SequenceRange, sign_receipt
from common.wire.refusal import Refusal, WireError
from common.wire.sequence import Arrival, Outcome, Stream, Verdict, judge, judge_key
from common.wire.signing import Purpose, SigningKey, open_envelope, verify

UNKNOWN_METER = "unknown meter"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRef:
    """Which batch."""

    gateway_id: GatewayId
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """How far a stream is complete: all sequences up to `contiguous` are stored and chained."""

    epoch: int
    contiguous: int
    highest: int
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a gateway is told: the signed receipt, and the outcome for counting."""

    receipt: bytes
    outcome: Outcome
    refusal: Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """A verified batch on its way into the store."""

    parcel: Parcel
    content: BatchContent
    digest: bytes
    key_id: bytes


class Ingest:
    """The way in for batches; holds the database and the cloud's signing key."""

    def __init__(self, database: Database, key: SigningKey) -> None:
        self._database = database
        self._key = key

    async def take(self, body: bytes) -> Answer:
        """Take one POST in.

        Raises:
            WireError: the sender proved no enrolled gateway, so nothing is signed for it.
        """
        parcel = codec.unpack_parcel(body)
        envelope = open_envelope(parcel.signed, Purpose.BATCH)
        key = await fleet_keys.find_key(self._database, envelope.key_id)
        if key is None:
            raise WireError(Refusal.UNKNOWN_KEY, f"no gateway enrolled with key {envelope.key_id.hex()}")
        payload = verify(envelope, key.public_key)
        if refusal := judge_key(key.standing, self._database.clock.now()):
            raise WireError(refusal, f"key {key.key_id.hex()} of gateway {key.gateway_id} may not sign any more")
        try:
            content = codec.unpack_content(payload)
            self._require_own(content, key)
            codec.open_personal(content.personal, parcel.personal)
        except WireError as refused:
            return self._refuse_unread(parcel, key, refused.reason)
        return await self._keep(_Delivery(parcel=parcel, content=content, digest=parcel.digest, key_id=key.key_id), key)

    @staticmethod
    def _require_own(content: BatchContent, key: GatewayKey) -> None:
        if content.header.gateway_id != key.gateway_id:
            raise WireError(
                Refusal.FOREIGN_GATEWAY, f"gateway {key.gateway_id} signed in the name of {content.header.gateway_id}"
            )

    def _refuse_unread(self, parcel: Parcel, key: GatewayKey, reason: Refusal) -> Answer:
        receipt = Receipt(
            gateway_id=key.gateway_id,
            epoch=0,
            sequence=0,
            digest=parcel.digest,
            outcome=Outcome.REFUSED,
            refusal=reason,
            contiguous=0,
            received_ms=to_epoch_ms(self._database.clock.now()),
        )
        return Answer(receipt=sign_receipt(receipt, self._key), outcome=Outcome.REFUSED, refusal=reason)

    async def _keep(self, delivery: _Delivery, key: GatewayKey) -> Answer:
        gateway_id, header = key.gateway_id, delivery.content.header
        actor = Actor(kind="gateway", id=gateway_id, name=f"gateway {gateway_id}")
        async with self._database.unit(key.tenant, actor) as unit:
            await fleet.locked_gateway(unit.session, gateway_id)
            ref = BatchRef(gateway_id=gateway_id, epoch=header.epoch, sequence=header.sequence)
            known = await _surroundings(unit.session, ref)
            verdict = judge(Arrival.of(header, delivery.digest), known)
            if verdict.outcome is Outcome.REPEATED:
                return Answer(receipt=await _given(unit.session, ref), outcome=verdict.outcome, refusal=None)
            if verdict.outcome is Outcome.REFUSED:
                receipt = await self._refuse(unit, delivery, ref, verdict)
            else:
                receipt = await self._store(unit, delivery, ref, verdict)
        return Answer(receipt=receipt, outcome=verdict.outcome, refusal=verdict.refusal)

    async def _refuse(self, unit: Unit, delivery: _Delivery, ref: BatchRef, verdict: Verdict) -> bytes:
        reason = verdict.refusal
        if reason is not None and verdict.alarm:
            await _keep_evidence(unit, delivery, ref, reason)
        return await self._sign(unit, delivery, ref, verdict, ())

    async def _store(self, unit: Unit, delivery: _Delivery, ref: BatchRef, verdict: Verdict) -> bytes:
        await _advance(unit, ref, verdict)
        receipt = await self._sign(unit, delivery, ref, verdict, await _kept_items(unit.session, delivery.content))
        batch_id = unit.new_id()
        header = delivery.content.header
        unit.session.add(
            GatewayBatchRow(
                tenant_id=unit.tenant,
                gateway_id=ref.gateway_id,
                epoch=ref.epoch,
                sequence=ref.sequence,
                batch_id=batch_id,
                digest=delivery.digest,
                previous_hash=header.previous_hash,
                key_id=delivery.key_id,
                made_at=header.made.at,
                received_at=unit.now,
                signed=delivery.parcel.signed,
                receipt=receipt,
            )
        )
        await unit.session.flush()
        unit.session.add_all(_personal_rows(unit, delivery, ref))
        unit.record("stored", "gateway_batch", batch_id, after={"epoch": ref.epoch, "sequence": ref.sequence})
        unit.publish(BatchStored(tenant=unit.tenant, gateway_id=ref.gateway_id, epoch=ref.epoch, sequence=ref.sequence))
        return receipt

    async def _sign(
        self, unit: Unit, delivery: _Delivery, ref: BatchRef, verdict: Verdict, items: Sequence[ItemOutcome]
    ) -> bytes:
        arrived = ref.sequence if verdict.outcome is Outcome.PENDING else verdict.contiguous
        missing = await repository.missing(
            unit.session, (ref.gateway_id, ref.epoch), verdict.contiguous, arrived, ASKED_RANGES_MAX
        )
        receipt = Receipt(
            gateway_id=ref.gateway_id,
            epoch=ref.epoch,
            sequence=ref.sequence,
            digest=delivery.digest,
            outcome=verdict.outcome,
            refusal=verdict.refusal,
            items=tuple(items),
            contiguous=verdict.contiguous,
            asked=tuple(SequenceRange(first=first, last=last) for first, last in missing),
            received_ms=to_epoch_ms(unit.now),
        )
        return sign_receipt(receipt, self._key)


async def open_batch(session: AsyncSession, ref: BatchRef) -> BatchContent:
    """Return the content of a stored batch, its signature checked once more against the key that made it.

    Raises:
        NotFoundError: the company has no such batch.
        InvariantError: the kept bytes are not what was accepted.
    """
    row = await repository.batch(session, ref.gateway_id, ref.epoch, ref.sequence)
    if row is None:
        raise NotFoundError(f"there is no batch {ref.sequence} of epoch {ref.epoch} of gateway {ref.gateway_id}")
    key = await fleet_keys.key_of(session, row.tenant_id, row.key_id)
    ensure(key is not None, "the key of a stored batch is known")
    try:
        payload = verify(open_envelope(row.signed, Purpose.BATCH), key.public_key if key else b"")
        return codec.unpack_content(payload)
    except WireError as error:
        raise InvariantError(f"batch {row.batch_id} is damaged in the store: {error}") from error


async def signed_bytes(session: AsyncSession, ref: BatchRef) -> bytes:
    """Return the signed bytes of a batch as they came, the evidence in a dispute.

    Raises:
        NotFoundError: the company has no such batch.
    """
    row = await repository.batch(session, ref.gateway_id, ref.epoch, ref.sequence)
    if row is None:
        raise NotFoundError(f"there is no batch {ref.sequence} of epoch {ref.epoch} of gateway {ref.gateway_id}")
    return row.signed


async def personal_items(session: AsyncSession, ref: BatchRef) -> tuple[PersonalItem, ...]:
    """Return the personal items of a batch whose retention has not run out."""
    content = await open_batch(session, ref)
    rows = await repository.personal_bodies(session, ref.gateway_id, ref.epoch, ref.sequence)
    held = [(content.personal[row.place], row.body) for row in rows if row.body is not None]
    return codec.open_personal([personal for personal, _ in held], [body for _, body in held])


async def expire_personal(unit: Unit, keep: Mapping[str, timedelta], keep_others: timedelta, now: datetime) -> int:
    """Forget the personal bodies whose retention class allows no longer keeping by an instant; return how many."""
    forgotten = await repository.expire_personal(
        unit.session, {retention: now - kept for retention, kept in keep.items()}, now - keep_others
    )
    unit.record("expired", "personal_item", unit.new_id(), after={"count": forgotten})
    return forgotten


async def watermarks(session: AsyncSession, gateway_id: GatewayId) -> list[Watermark]:
    """Return how far each stream of a gateway is complete, oldest stream first."""
    return [
        Watermark(epoch=row.epoch, contiguous=row.contiguous, highest=row.highest, opened_at=row.opened_at)
        for row in await repository.streams(session, gateway_id)
    ]


async def _surroundings(session: AsyncSession, ref: BatchRef) -> Stream:
    streams = {row.epoch: row for row in await repository.streams(session, ref.gateway_id)}
    held = streams.get(ref.epoch)
    around = await repository.neighbours(session, ref.gateway_id, ref.epoch, ref.sequence)
    at, before, after = (around.get(ref.sequence + step) for step in (0, -1, 1))
    return Stream(
        opened=held is not None,
        epochs=len(streams),
        contiguous=held.contiguous if held else 0,
        stored=at[0] if at else None,
        before=before[0] if before else None,
        after_previous=after[1] if after else None,
        run_end=await repository.run_end(session, ref.gateway_id, ref.epoch, ref.sequence) if after else ref.sequence,
    )


async def _given(session: AsyncSession, ref: BatchRef) -> bytes:
    receipt = await repository.receipt(session, ref.gateway_id, ref.epoch, ref.sequence)
    if receipt is None:
        raise InvariantError("a repeated batch has the receipt it was first given")
    return receipt


async def _advance(unit: Unit, ref: BatchRef, verdict: Verdict) -> None:
    """Open the stream or move it; the gateway's row is locked, so nobody else does at the same time."""
    if verdict.opens_epoch:
        await _open_stream(unit, ref, verdict)
        return
    row = await repository.stream(unit.session, ref.gateway_id, ref.epoch)
    if row is None:
        raise InvariantError("a stream that a verdict moves is known")
    row.contiguous = verdict.contiguous
    row.highest = max(row.highest, ref.sequence)
    row.received_at = unit.now


async def _open_stream(unit: Unit, ref: BatchRef, verdict: Verdict) -> None:
    before = await repository.streams(unit.session, ref.gateway_id)
    previous = before[-1].epoch if verdict.replaces_epoch else None
    unit.session.add(
        StreamRow(
            tenant_id=unit.tenant,
            gateway_id=ref.gateway_id,
            epoch=ref.epoch,
            previous_epoch=previous,
            opened_at=unit.now,
            contiguous=verdict.contiguous,
            highest=ref.sequence,
            received_at=unit.now,
        )
    )
    await unit.session.flush()
    if previous is not None:
        unit.publish(
            EpochOpened(tenant=unit.tenant, gateway_id=ref.gateway_id, epoch=ref.epoch, previous_epoch=previous)
        )


async def _kept_items(session: AsyncSession, content: BatchContent) -> list[ItemOutcome]:
    """Return an outcome for each series whose meter the company does not have: stored, and used once it is added."""
    known = await fleet.meters(session, {series.meter_id for series in content.series})
    return [
        ItemOutcome(section=Section.SERIES, place=place, verdict=ItemVerdict.KEPT, reason=UNKNOWN_METER)
        for place, series in enumerate(content.series)
        if series.meter_id not in known
    ]


async def _keep_evidence(unit: Unit, delivery: _Delivery, ref: BatchRef, reason: Refusal) -> None:
    row = BatchRefusalRow(
        tenant_id=unit.tenant,
        gateway_id=ref.gateway_id,
        digest=delivery.digest,
        refusal_id=unit.new_id(),
        epoch=ref.epoch,
        sequence=ref.sequence,
        reason=str(reason),
        received_at=unit.now,
        signed=delivery.parcel.signed,
    )
    refusal_id = await repository.note_refusal(unit.session, row)
    if refusal_id is None:
        unit.record("refused_again", "batch_refusal", row.refusal_id, after={"reason": str(reason)})
        return
    unit.record("refused", "batch_refusal", refusal_id, after={"reason": str(reason), "sequence": ref.sequence})
    unit.publish(
        HistoryForked(
            tenant=unit.tenant, gateway_id=ref.gateway_id, epoch=ref.epoch, sequence=ref.sequence, reason=reason
        )
    )


def _personal_rows(unit: Unit, delivery: _Delivery, ref: BatchRef) -> list[PersonalItemRow]:
    return [
        PersonalItemRow(
            tenant_id=unit.tenant,
            gateway_id=ref.gateway_id,
            epoch=ref.epoch,
            sequence=ref.sequence,
            place=place,
            item_id=personal.item_id,
            retention=personal.retention,
            received_at=unit.now,
            body=body,
        )
        for place, (personal, body) in enumerate(zip(delivery.content.personal, delivery.parcel.personal, strict=True))
    ]
