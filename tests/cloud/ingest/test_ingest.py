"""A batch is stored once whatever the order and number of its deliveries, and every wrong one is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
import zstandard
from sqlalchemy import text

from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.ingest import service as ingest
from cloud.ingest.events import BatchStored, EpochOpened, HistoryForked
from cloud.ingest.service import BatchRef, Watermark
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.kit.events import Event
from common.errors import InvariantError
from common.ids import MeterId, TenantId
from common.reading.reading import Resource
from common.wire import codec
from common.wire.batch import PersonalItem
from common.wire.limits import PARCEL_BYTES_MAX
from common.wire.receipt import ItemVerdict, SequenceRange
from common.wire.records import Note
from common.wire.refusal import Refusal
from common.wire.sequence import Outcome
from common.wire.signing import Purpose, SigningKey, sign
from tests.cloud.ingest.conftest import AsSuperuser, Door, Post, enrolled, receipt
from tests.support.clock import SettableClock
from tests.support.gateway import PaperGateway

Wrong = Callable[[PaperGateway], bytes]
PLATE = PersonalItem(item_id=UUID(int=5), retention="parking", kind="plate", value="沪A12345")


async def stored(database: Database, tenant: TenantId) -> dict[str, int]:
    """Return how many rows each table of ingest holds for the company."""
    tables = ("stream", "gateway_batch", "batch_refusal", "personal_item", "audit", "job")
    async with database.view(tenant) as session:
        return {
            table: int((await session.execute(text(f"select count(*) from {table}"))).scalar_one())  # noqa: S608 - names above
            for table in tables
        }


async def marks(database: Database, tenant: TenantId, gateway: PaperGateway) -> list[Watermark]:
    async with database.view(tenant) as session:
        return await ingest.watermarks(session, gateway.gateway_id)


async def test_a_batch_is_stored_and_answered_with_a_signed_receipt(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway, published: list[Event]
) -> None:
    answer = await post(gateway.seal(Note(what="boot", detail="")))
    given = receipt(answer)
    assert (answer.status_code, given.outcome, given.contiguous) == (200, Outcome.STORED, 1)
    assert (given.gateway_id, given.epoch, given.sequence) == (gateway.gateway_id, 77, 1)
    assert given.digest == gateway.digests[0]
    assert published == [BatchStored(tenant=tenant, gateway_id=gateway.gateway_id, epoch=77, sequence=1)]
    ref = BatchRef(gateway_id=gateway.gateway_id, epoch=77, sequence=1)
    async with database.view(tenant) as session:
        assert await ingest.signed_bytes(session, ref) == codec.unpack_parcel(gateway.sealed[0]).signed
        content = await ingest.open_batch(session, ref)
    assert [record for _, record in content.records(Note)] == [Note(what="boot", detail="")]


async def test_the_same_batch_again_gets_the_same_receipt_and_changes_nothing(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway
) -> None:
    first = await post(gateway.seal())
    before = await stored(database, tenant)
    again = await post(gateway.sealed[0])
    assert again.content == first.content
    assert await stored(database, tenant) == before


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_batches_may_come_in_any_order(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway, order: tuple[int, ...]
) -> None:
    batches = [gateway.seal() for _ in range(3)]
    for place in order:
        assert receipt(await post(batches[place])).outcome in {Outcome.STORED, Outcome.PENDING}
    (mark,) = await marks(database, tenant, gateway)
    assert (mark.contiguous, mark.highest) == (3, 3)


async def test_a_gap_is_asked_for_and_the_watermark_waits(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway
) -> None:
    batches = [gateway.seal() for _ in range(6)]
    await post(batches[0])
    third = receipt(await post(batches[2]))
    assert (third.outcome, third.contiguous, third.asked) == (Outcome.PENDING, 1, (SequenceRange(first=2, last=2),))
    sixth = receipt(await post(batches[5]))
    assert sixth.asked == (SequenceRange(first=2, last=2), SequenceRange(first=4, last=5))
    second = receipt(await post(batches[1]))
    assert (second.outcome, second.contiguous, second.asked) == (Outcome.STORED, 3, (SequenceRange(first=4, last=5),))
    (mark,) = await marks(database, tenant, gateway)
    assert (mark.contiguous, mark.highest) == (3, 6)


async def test_a_new_card_is_accepted_once_linked_and_told_to_a_person(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway, published: list[Event]
) -> None:
    await post(gateway.seal())
    card = PaperGateway(gateway_id=gateway.gateway_id, key=gateway.key, clock=gateway.clock, epoch=78)
    assert receipt(await post(card.seal())).outcome is Outcome.STORED
    assert receipt(await post(card.seal())).outcome is Outcome.STORED
    opened = [event for event in published if isinstance(event, EpochOpened)]
    assert opened == [EpochOpened(tenant=tenant, gateway_id=gateway.gateway_id, epoch=78, previous_epoch=77)]
    assert [(mark.epoch, mark.contiguous) for mark in await marks(database, tenant, gateway)] == [(77, 1), (78, 2)]


async def test_what_was_under_way_when_a_card_was_changed_still_counts(post: Post, gateway: PaperGateway) -> None:
    await post(gateway.seal())
    card = PaperGateway(gateway_id=gateway.gateway_id, key=gateway.key, clock=gateway.clock, epoch=78)
    await post(card.seal())
    assert receipt(await post(gateway.seal())).contiguous == 2


async def test_readings_of_a_meter_nobody_added_are_kept_and_said_to_be(
    post: Post, database: Database, tenant: TenantId, actor: Actor, gateway: PaperGateway
) -> None:
    async with database.unit(tenant, actor) as unit:
        known = await fleet.add_meter(unit, serial="202601010001", resource=Resource.ELECTRICITY)
    given = receipt(await post(gateway.seal(meters=(known, MeterId(UUID(int=7))))))
    assert given.outcome is Outcome.STORED
    assert [(item.place, item.verdict, item.reason) for item in given.items] == [(1, ItemVerdict.KEPT, "unknown meter")]


async def test_personal_bodies_expire_while_the_signed_batch_stays(
    post: Post, database: Database, tenant: TenantId, actor: Actor, gateway: PaperGateway, clock: SettableClock
) -> None:
    await post(gateway.seal(plates=(PLATE,)))
    ref = BatchRef(gateway_id=gateway.gateway_id, epoch=77, sequence=1)
    async with database.view(tenant) as session:
        assert await ingest.personal_items(session, ref) == (PLATE,)
    clock.advance(days=31)
    month, long = timedelta(days=30), timedelta(days=90)
    async with database.unit(tenant, actor) as unit:
        assert await ingest.expire_personal(unit, {"parking": long, "access": month}, month, clock.now()) == 0
        assert await ingest.expire_personal(unit, {"parking": month}, long, clock.now()) == 1
        assert await ingest.expire_personal(unit, {"parking": month}, long, clock.now()) == 0
    async with database.view(tenant) as session:
        assert await ingest.personal_items(session, ref) == ()
        assert (await ingest.open_batch(session, ref)).personal[0].item_id == PLATE.item_id


async def test_a_batch_nobody_stored_is_not_found(database: Database, tenant: TenantId, gateway: PaperGateway) -> None:
    async with database.view(tenant) as session:
        for read in (ingest.open_batch, ingest.signed_bytes):
            with pytest.raises(NotFoundError):
                await read(session, BatchRef(gateway_id=gateway.gateway_id, epoch=1, sequence=1))


async def test_a_batch_damaged_in_the_store_is_noticed(
    post: Post, as_superuser: AsSuperuser, database: Database, tenant: TenantId, gateway: PaperGateway
) -> None:
    await post(gateway.seal())
    as_superuser(
        "alter table gateway_batch disable trigger all;"
        "update gateway_batch set signed = set_byte(signed, octet_length(signed) - 1, 0)",
    )
    async with database.view(tenant) as session:
        with pytest.raises(InvariantError, match="damaged in the store"):
            await ingest.open_batch(session, BatchRef(gateway_id=gateway.gateway_id, epoch=77, sequence=1))


# ------------------------------------------------------------------------------------------------- refusals, by name


def signed_parcel(key: SigningKey, payload: bytes) -> bytes:
    return codec.pack_parcel(sign(key, Purpose.BATCH, payload), ())


def bad_signature(gateway: PaperGateway) -> bytes:
    parcel = codec.unpack_parcel(gateway.seal())
    return codec.pack_parcel(parcel.signed[:-1] + bytes([parcel.signed[-1] ^ 1]), ())


def unknown_key(gateway: PaperGateway) -> bytes:
    return signed_parcel(SigningKey(b"x" * 32), codec.pack_content(gateway.content((), ())))


def oversize(gateway: PaperGateway) -> bytes:
    return gateway.seal() + bytes(PARCEL_BYTES_MAX)


def garbage(gateway: PaperGateway) -> bytes:
    return b"\xff" + gateway.seal()


def receipt_for_a_batch(gateway: PaperGateway) -> bytes:
    return codec.pack_parcel(sign(gateway.key, Purpose.RECEIPT, b"x"), ())


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        (bad_signature, 401, Refusal.BAD_SIGNATURE),
        (unknown_key, 401, Refusal.UNKNOWN_KEY),
        (oversize, 413, Refusal.OVERSIZE),
        (garbage, 422, Refusal.MALFORMED),
        (receipt_for_a_batch, 422, Refusal.MALFORMED),
    ],
)
async def test_a_sender_who_proves_no_gateway_is_refused_without_a_receipt(
    door: Door, gateway: PaperGateway, wrong: Wrong, status: int, reason: Refusal
) -> None:
    before = await stored(door.database, door.tenant)
    answer = await door.post(wrong(gateway))
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await stored(door.database, door.tenant) == before
    assert door.counted(reason) == 1


def bomb(gateway: PaperGateway) -> bytes:
    return signed_parcel(gateway.key, zstandard.ZstdCompressor(level=19).compress(bytes(100 * 1024 * 1024)))


def unreadable(gateway: PaperGateway) -> bytes:
    return signed_parcel(gateway.key, codec.compress(b"\x80"))


def later_version(gateway: PaperGateway) -> bytes:
    return gateway.seal(version=2)


def foreign(gateway: PaperGateway) -> bytes:
    return gateway.seal(gateway_id=UUID(int=1))


def plate_left_out(gateway: PaperGateway) -> bytes:
    parcel = codec.unpack_parcel(gateway.seal(plates=(PLATE,)))
    return codec.pack_parcel(parcel.signed, ())


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        (bomb, 413, Refusal.BOMB),
        (unreadable, 422, Refusal.UNREADABLE),
        (later_version, 422, Refusal.UNKNOWN_VERSION),
        (foreign, 403, Refusal.FOREIGN_GATEWAY),
        (plate_left_out, 422, Refusal.PERSONAL_ALTERED),
    ],
)
async def test_an_authentic_batch_that_cannot_be_read_is_refused_with_a_receipt(
    door: Door, gateway: PaperGateway, wrong: Wrong, status: int, reason: Refusal
) -> None:
    before = await stored(door.database, door.tenant)
    body = wrong(gateway)
    answer = await door.post(body)
    given = receipt(answer)
    assert (answer.status_code, given.outcome, given.refusal) == (status, Outcome.REFUSED, reason)
    assert given.digest == codec.unpack_parcel(body).digest
    assert await stored(door.database, door.tenant) == before
    assert door.counted(reason) == 1


async def test_a_known_sequence_with_another_hash_is_refused_kept_and_told_to_a_person(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway, published: list[Event]
) -> None:
    await post(gateway.seal())
    twin = PaperGateway(gateway_id=gateway.gateway_id, key=gateway.key, clock=gateway.clock)
    altered = twin.seal(Note(what="another history", detail=""))
    for _ in range(2):
        answer = await post(altered)
        given = receipt(answer)
        assert (answer.status_code, given.refusal, given.contiguous) == (409, Refusal.ALTERED, 1)
    counted = await stored(database, tenant)
    assert (counted["gateway_batch"], counted["batch_refusal"]) == (1, 1)
    forked = [event for event in published if isinstance(event, HistoryForked)]
    assert [(event.sequence, event.reason) for event in forked] == [(1, Refusal.ALTERED)]


async def test_a_batch_that_does_not_follow_the_one_before_is_refused(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway, published: list[Event]
) -> None:
    await post(gateway.seal())
    answer = await post(gateway.seal(previous_hash=b"x" * 32))
    assert (answer.status_code, receipt(answer).refusal) == (409, Refusal.CHAIN_BROKEN)
    assert (await stored(database, tenant))["gateway_batch"] == 1
    assert isinstance(published[-1], HistoryForked)


async def test_a_batch_signed_with_a_revoked_key_is_refused(
    post: Post, database: Database, tenant: TenantId, actor: Actor, gateway: PaperGateway
) -> None:
    await post(gateway.seal())
    async with database.unit(tenant, actor) as unit:
        await enrolment.revoke(unit, gateway.gateway_id)
    answer = await post(gateway.seal())
    assert (answer.status_code, answer.json()["reason"]) == (401, Refusal.REVOKED_KEY)
    repeated = await post(gateway.sealed[0])
    assert repeated.status_code == 401


async def test_a_batch_signed_with_an_expired_key_is_refused(
    post: Post, as_superuser: AsSuperuser, gateway: PaperGateway
) -> None:
    as_superuser("update gateway_key set not_after = '2026-01-01T00:00:00Z'")
    answer = await post(gateway.seal())
    assert (answer.status_code, answer.json()["reason"]) == (401, Refusal.EXPIRED_KEY)


async def test_one_companys_batches_are_invisible_to_another(
    post: Post, database: Database, other_tenant: TenantId, gateway: PaperGateway
) -> None:
    await post(gateway.seal())
    seen = await stored(database, other_tenant)
    assert [seen[table] for table in ("stream", "gateway_batch", "batch_refusal", "personal_item")] == [0, 0, 0, 0]
    async with database.view(other_tenant) as session:
        assert await ingest.watermarks(session, gateway.gateway_id) == []


async def test_two_gateways_do_not_meet_in_one_stream(
    post: Post, database: Database, tenant: TenantId, gateway: PaperGateway, clock: SettableClock
) -> None:
    neighbour = await enrolled(database, tenant, clock, label="building 2", seed=b"h")
    assert receipt(await post(gateway.seal())).outcome is Outcome.STORED
    assert receipt(await post(neighbour.seal())).outcome is Outcome.STORED
    assert (await stored(database, tenant))["stream"] == 2
