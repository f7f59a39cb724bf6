"""The chain from a receipt to the raw frame, over the real stages: signed batch, unpacking, rating, run, correction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.billing import corrections, runs, service, tracing
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.errors import UnknownBillError
from cloud.billing.tracing import LineTrace
from cloud.cli.trace.words import line_words
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind, PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.ingest.service import BatchRef, Ingest, open_batch
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.service import store_readings
from cloud.metering.tasks import homes_of
from cloud.rating.service import rate_period
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.service import AssignmentDraft, RevisionDraft
from common.civil import Period
from common.clock import to_epoch_ms
from common.ids import ChargeItemId, CommunityId, LegalEntityId, MeterId, PremisesId, TenantId
from common.reading.reading import Quantity, Resource
from common.wire import codec
from common.wire.records import Evidence
from common.wire.requests import EnrolmentRequest
from common.wire.sequence import Outcome
from common.wire.signing import Purpose, SigningKey, sign
from tests.cloud.metering.building import at, column
from tests.cloud.rating.documents import electricity
from tests.support.clock import SettableClock
from tests.support.gateway import PaperGateway

JANUARY = Period(date(2026, 1, 1), date(2026, 2, 1))
CLOUD_KEY = SigningKey(b"c" * 32)
REQUEST, RESPONSE = b"\x68\x01", b"\x68\x91\x33"


@dataclass(frozen=True, kw_only=True)
class Lakeside:
    """One flat with one meter behind one gateway, billed for January."""

    database: Database
    tenant: TenantId
    actor: Actor
    community_id: CommunityId
    entity_id: LegalEntityId
    flat: PremisesId
    meter_id: MeterId
    gateway: PaperGateway

    async def traced(self, number: str) -> tuple[LineTrace, ...]:
        async with self.database.view(self.tenant) as session:
            return await tracing.trace_number(session, number)

    async def only_bill(self) -> str:
        async with self.database.view(self.tenant) as session:
            accounts = await service.accounts_of_premises(session, [self.flat])
            newest, *_ = await service.bills_of(session, [account.account_id for account in accounts])
        return newest.number


async def price(unit: Unit, community_id: CommunityId, entity_id: LegalEntityId) -> None:
    item = ChargeItem(
        charge_item_id=ChargeItemId(unit.new_id()),
        community_id=community_id,
        code="electricity",
        name_zh="电费",
        name_en="electricity",
        basis=ChargeBasis.METERED,
        resource=Resource.ELECTRICITY,
        nature=Nature.AGENCY,
        fund_class=FundClass.OPERATING,
        legal_entity_id=entity_id,
        tax_code="13%",
        tax_rate_micro=130_000,
        bears_late_charge=False,
    )
    await tariffs.add_charge_item(unit, item)
    tariff_id, _ = await tariffs.record_revision(
        unit,
        RevisionDraft(
            community_id=community_id,
            document=electricity(),
            effective_from=JANUARY.start,
            basis_document="decision 1",
            decided_by="the owners",
        ),
    )
    await tariffs.assign(
        unit,
        AssignmentDraft(
            community_id=community_id,
            charge_item_id=item.charge_item_id,
            target=Target(kind=TargetKind.COMMUNITY),
            effective_from=JANUARY.start,
            tariff_id=tariff_id,
        ),
    )


@pytest_asyncio.fixture
async def lakeside(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Lakeside:
    key = SigningKey(b"g" * 32)
    async with database.unit(tenant, actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="物业")
        community = await estate.create_community(unit, code="LAKE", name="湖畔", starts=JANUARY.start)
        flat = await estate.add_premises(
            unit,
            community,
            NewPremises(label="1-1-101", kind=PremisesKind.RESIDENCE, effective_from=JANUARY.start),
        )
        owner = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="甲")
        await estate.relate(unit, party_id=owner, premises_id=flat, role=Role.OWNER, starts=JANUARY.start)
        meter = await fleet.add_meter(unit, serial="E-7", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=flat, start=JANUARY.start)
        await price(unit, community, entity)
        _, code = await fleet.create_gateway(unit, label="building 1")
    async with database.unit(tenant, actor) as unit:
        request = EnrolmentRequest(code=code, public_key=key.public_key, epoch=77, hardware="")
        gateway_id = await enrolment.enrol(unit, request, {CLOUD_KEY.key_id: CLOUD_KEY.public_key})
    return Lakeside(
        database=database,
        tenant=tenant,
        actor=actor,
        community_id=community,
        entity_id=entity,
        flat=flat,
        meter_id=meter,
        gateway=PaperGateway(gateway_id=gateway_id, key=key, clock=clock),
    )


async def send_january(lake: Lakeside, *, kilowatt_hours: int) -> bytes:
    """Let the gateway sign, the cloud take and unpack one batch with the registers of both midnights."""
    gateway = lake.gateway
    evidence = Evidence(
        meter_id=lake.meter_id,
        serial="E-7",
        slot_ms=to_epoch_ms(at(JANUARY.end)),
        profile="test@1",
        request=REQUEST,
        response=RESPONSE,
    )
    content = gateway.content((evidence,), (lake.meter_id,))
    daily = [kilowatt_hours * 1000 * day // JANUARY.days for day in range(JANUARY.days + 1)]
    whole = replace(content, columns=(column(0, at(JANUARY.start), daily),), rows=())
    signed = sign(gateway.key, Purpose.BATCH, codec.pack_content(whole))
    answer = await Ingest(lake.database, CLOUD_KEY).take(codec.pack_parcel(signed, []))
    assert answer.outcome is Outcome.STORED
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        stored = await open_batch(unit.session, BatchRef(gateway_id=gateway.gateway_id, epoch=77, sequence=1))
        await store_readings(unit, stored, await homes_of(unit.session, stored))
    return codec.Parcel(signed=signed).digest


async def bill_january(lake: Lakeside, worker_database: Database, clock: SettableClock) -> str:
    """Send and bill the month, and return the number of the bill."""
    clock.set(datetime(2026, 2, 2, tzinfo=UTC))
    await send_january(lake, kilowatt_hours=310)
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        scope = await service.create_period(unit, lake.community_id, period=JANUARY, due_on=date(2026, 2, 15))
    async with worker_database.unit(lake.tenant, lake.actor) as unit:
        report = await runs.run_chunk(unit, rate_period, scope, known_at=clock.now(), after=None)
    assert (report.issued, report.exceptions, report.total_fen) == (1, 0, 155_00)
    return await lake.only_bill()


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
