"""The chain from a receipt to the raw frame, over the real stages: signed batch, unpacking, rating, run, correction."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.billing import corrections, service, tracing
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.errors import UnknownBillError
from cloud.billing.tracing import LineTrace
from cloud.cli.trace.words import line_words
from cloud.ingest.service import BatchRef, open_batch
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.metering.corrections import Correction, revise_reading
from cloud.rating.service import rate_period
from cloud.tariffs.charge import FundClass
from common.ids import TenantId
from common.reading.reading import Quantity
from common.wire import codec
from common.wire.signing import Purpose, sign
from tests.cloud.billing.lakeside import (
    JANUARY,
    REQUEST,
    RESPONSE,
    Lakeside,
    bill_january,
    build_lakeside,
    park,
)
from tests.cloud.metering.building import at
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def lakeside(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Lakeside:
    return await build_lakeside(database, tenant, actor, clock)


async def test_a_bill_line_leads_back_to_the_signed_batch_and_the_raw_frame(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    (line,) = await lakeside.traced(f"{number}/1")
    assert (line.fen, line.open_fen, line.charge_code) == (155_00, 155_00, "electricity")
    assert [(p.route, p.fen, p.document_id) for p in line.postings] == [("issue", 155_00, line.bill_id)]
    assert line.rated.input_kept
    assert line.rated.words_zh[-1] == "合计 155.00 元"
    first, last = line.registers
    assert (first.value_milli, last.value_milli, last.serial) == (0, 310_000, "E-7")
    assert last.batch is not None
    assert (last.batch.gateway_id, last.batch.epoch, last.batch.sequence) == (lakeside.gateway.gateway_id, 77, 1)
    assert last.batch.key_id == lakeside.gateway.key.key_id.hex()
    assert last.batch.frame is not None
    assert (last.batch.frame.request, last.batch.frame.response) == (REQUEST.hex(), RESPONSE.hex())


async def test_the_hash_in_the_chain_is_that_of_the_bytes_the_gateway_signed(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    (line,) = await lakeside.traced(number)
    async with lakeside.database.view(lakeside.tenant) as session:
        content = await open_batch(session, BatchRef(gateway_id=lakeside.gateway.gateway_id, epoch=77, sequence=1))
    resigned = sign(lakeside.gateway.key, Purpose.BATCH, codec.pack_content(content))
    assert line.registers[0].batch is not None
    assert line.registers[0].batch.digest == codec.Parcel(signed=resigned).digest.hex()


async def test_a_payment_stands_in_the_chain_of_the_line_it_settled(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    book = Book(
        community_id=lakeside.community_id,
        legal_entity_id=lakeside.entity_id,
        fund_class=FundClass.OPERATING,
    )
    async with lakeside.database.unit(lakeside.tenant, lakeside.actor) as unit:
        (account,) = await service.accounts_of_premises(unit.session, [lakeside.flat])
        (owed,) = await service.open_lines(unit.session, account.account_id)
        payment_id = unit.new_id()
        part = postings.Allocation(account_id=account.account_id, line=owed.ref, fen=55_00)
        draft = JournalDraft(
            idem_key=f"payment:{payment_id}",
            kind="payment",
            community_id=lakeside.community_id,
            business_date=date(2026, 2, 3),
            document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=payment_id),
            transfers=postings.payment_received(postings.clearing(book, UUID(int=5)), [part], payer=account.account_id),
        )
        await ledger.post(unit, draft)
    (line,) = await lakeside.traced(number)
    assert line.open_fen == 100_00
    assert {(p.document_kind, p.document_id, p.fen) for p in line.postings} == {
        ("bill", line.bill_id, 155_00),
        ("payment", payment_id, 55_00),
    }


async def test_a_corrected_reading_shows_what_the_gateway_sent_and_why_it_was_corrected(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    clock.advance(days=1)
    async with lakeside.database.unit(lakeside.tenant, lakeside.actor) as unit:
        await revise_reading(
            unit,
            Correction(
                community_id=lakeside.community_id,
                meter_id=lakeside.meter_id,
                quantity=Quantity.ENERGY_FORWARD,
                read_at=at(JANUARY.end),
                value_milli=300_000,
                reason="misread dial",
            ),
        )
        scope = CorrectionScope(
            community_id=lakeside.community_id, premises=frozenset({lakeside.flat}), first_day=JANUARY.start
        )
        case_id = await corrections.open_correction(unit, scope, cause=Cause.READING, reason="misread dial")
    clock.advance(minutes=1)
    async with lakeside.database.view(lakeside.tenant) as session:
        seen = await corrections.preview(session, rate_period, case_id, clock.now())
    async with lakeside.database.unit(lakeside.tenant, lakeside.actor) as unit:
        (document,) = await corrections.apply(unit, rate_period, case_id, preview_sha=seen.sha)
    assert document.total_fen == -5_00
    (credit,) = await lakeside.traced(document.number)
    assert credit.corrects == f"{number}/1"
    assert [(p.route, p.fen) for p in credit.postings] == [("credit_note", 5_00)]
    last = credit.registers[-1]
    assert (last.value_milli, last.original_milli, last.reason) == (300_000, 310_000, "misread dial")
    (original,) = await lakeside.traced(number)
    assert original.corrected_by == (f"{document.number}/1",)
    assert original.open_fen == 150_00
    assert original.registers[-1].value_milli == 310_000


async def test_a_parking_stay_on_a_bill_leads_back_to_the_signed_batches_that_told_of_it(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    await park(lakeside, datetime(2026, 1, 12, 1, tzinfo=UTC), datetime(2026, 1, 12, 3, 10, tzinfo=UTC))
    number = await bill_january(lakeside, worker_database, clock, total_fen=155_00 + 15_00)
    (line,) = [one for one in await lakeside.traced(number) if one.charge_code == "parking"]
    assert line.session is not None
    (told,) = line.session.batches
    assert (told.gateway_id, told.epoch, told.sequence) == (lakeside.gateway.gateway_id, 77, 1)
    printed = "\n".join(line_words(line))
    for link in (str(line.session.session_id), told.digest, told.key_id, "signature verified"):
        assert link in printed


async def test_the_printed_chain_names_every_link(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    (line,) = await lakeside.traced(number)
    printed = "\n".join(line_words(line))
    batch = line.registers[-1].batch
    assert batch is not None
    for link in (number, str(line.postings[0].journal_id), line.rated.input_sha, batch.digest, RESPONSE.hex(), "E-7"):
        assert link in printed


@pytest.mark.parametrize("suffix", ["/2", "/0", "/x", "9"])
async def test_a_line_or_bill_that_does_not_exist_has_no_chain(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock, suffix: str
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    with pytest.raises(UnknownBillError):
        await lakeside.traced(number + suffix)


def test_the_words_of_a_register_without_batch_say_so() -> None:
    register = tracing.TracedRegister(
        meter_id=UUID(int=1),
        serial="E-7",
        quantity="energy_forward",
        read_at=datetime(2026, 1, 1, tzinfo=UTC),
        value_milli=1000,
        revision=1,
        reason="hand reading",
        original_milli=None,
        batch=None,
    )
    line = LineTrace(
        number="N",
        bill_id=UUID(int=2),
        n=1,
        charge_code="c",
        name_zh="c",
        name_en="c",
        service_start=JANUARY.start,
        service_end=JANUARY.end,
        fen=1,
        open_fen=0,
        corrects=None,
        corrected_by=(),
        postings=(),
        rated=tracing.RatedGround(
            tariff_code="t",
            effective_from=JANUARY.start,
            rev=1,
            tariff_sha="s",
            engine_version=1,
            input_sha="i",
            input_kept=False,
            words_zh=(),
            words_en=(),
        ),
        registers=(register,),
        session=None,
    )
    printed = "\n".join(line_words(line))
    assert "entered by hand, no batch" in printed
    assert "the gateway sent nothing" in printed
