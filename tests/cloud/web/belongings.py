"""What else a company has, so that every id of a path names something: a permit, a charge, a wish for relief."""

from __future__ import annotations

from datetime import timedelta

from cloud.arrears import service as arrears
from cloud.arrears.tables import AgreementRow
from cloud.arrears.values import AgreementState, LateRule, ReliefKind, ReliefWish, RelievedLine
from cloud.billing import repricing
from cloud.billing import service as billing
from cloud.billing.repricing import PriceScope
from cloud.charges import service as charges
from cloud.charges.values import Coverage, NewOneOff, Sharing
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind, Role
from cloud.fleet import service as fleet
from cloud.imports import service as imports
from cloud.imports.columns import columns_of
from cloud.imports.kinds import ImportKind
from cloud.imports.service import Upload
from cloud.imports.sheets import csv_text
from cloud.invoices import seller_accounts as invoice_accounts
from cloud.invoices import service as invoices
from cloud.invoices.seller_accounts import NewInvoiceAccount
from cloud.invoices.tables import TaxInvoiceRow
from cloud.invoices.values import Colour, InvoiceKind, InvoiceLine, Title, TitleKind
from cloud.kit.db import Unit
from cloud.kit.secretbox import SecretBox
from cloud.ledger.journals import LineRef
from cloud.mandates.rules import MandateState
from cloud.mandates.tables import MandateRow
from cloud.metering import public_use
from cloud.metering.hourly import VirtualMeter
from cloud.notices import provider_accounts as message_accounts
from cloud.notices.kinds import Way
from cloud.notices.provider_accounts import NewAccount
from cloud.parking import service as parking
from cloud.parking.kinds import VehicleClass
from cloud.parking.service import PermitDraft
from cloud.rating.service import rate_period
from cloud.settlement import service as settlement
from cloud.settlement.values import MoveOut, Statement
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from common.ids import ChargeItemId
from common.reading.reading import Resource
from tests.cloud.billing import builders as b
from tests.cloud.web.front import Front


async def add_belongings(unit: Unit, front: Front, mark: str) -> None:
    """Add one of each; texts carry the mark."""
    await _add_parking(unit, front, mark)
    await _draft_charge(unit, front, mark)
    await _ask_relief(unit, front, mark)
    await _settle(unit, front, mark)
    await _import(unit, front, mark)
    await _agree(unit, front)
    await _measure(unit, front, mark)
    await _reprice(unit, front)
    mail = NewAccount(way=Way.MAIL, login=mark, secret=mark, sender="a@example.com", host="example.com", port=465)
    await message_accounts.open_account(unit, SecretBox(bytes(range(32))), mail, frozenset())
    await _invoice(unit, front, mark)
    await _propose(unit, front, mark)


async def _reprice(unit: Unit, front: Front) -> None:
    """Open a change of prices for the past."""
    community_id = front.counter.office.site.community_id
    items = frozenset(item.charge_item_id for item in await tariffs.charge_items(unit.session, community_id))
    scope = PriceScope(community_id=community_id, charge_items=items, first_day=b.MONTHS[0].start)
    await repricing.open_price_correction(unit, scope, reason="decree")


async def _propose(unit: Unit, front: Front, mark: str) -> None:
    """Let an agreement to instalments be proposed."""
    account = await billing.account(unit.session, await front.account())
    row = AgreementRow(
        tenant_id=unit.tenant,
        community_id=account.community_id,
        agreement_id=unit.new_id(),
        account_id=account.account_id,
        lines=[],
        plan=[["2026-05-01", 100]],
        total_fen=100,
        late_rule=LateRule.CHARGED,
        reason=mark,
        state=AgreementState.ASKED,
        asked_at=unit.now,
        asked_by=unit.actor.id,
        note="",
    )
    unit.session.add(row)
    await unit.session.flush()


async def _invoice(unit: Unit, front: Front, mark: str) -> None:
    """Let an invoice of a bill be on its way."""
    account, box = await billing.account(unit.session, await front.account()), SecretBox(bytes(range(32)))
    (bill, *_) = await billing.bills_of(unit.session, [account.account_id])
    new = NewInvoiceAccount(
        legal_entity_id=front.counter.entity,
        tax_number="91350100M000100Y43",
        app_key=f"key-{mark}",
        secret=mark,
        drawer=mark,
    )
    seller = await invoice_accounts.open_account(unit, box, new)
    invoice_id = unit.new_id()
    row = TaxInvoiceRow(
        tenant_id=unit.tenant,
        community_id=account.community_id,
        invoice_id=invoice_id,
        account_id=account.account_id,
        bill_id=bill.bill_id,
        legal_entity_id=front.counter.entity,
        invoice_account_id=seller,
        colour=Colour.BLUE,
        kind=InvoiceKind.ORDINARY,
        title_sealed=invoices.sealed(box, unit.tenant, invoice_id, Title(kind=TitleKind.PERSON, name=mark)),
        shown=mark,
    )
    line = InvoiceLine(
        n=1,
        line=LineRef(bill_id=bill.bill_id, n=1),
        name=mark,
        goods_code="3040801000000000000",
        rate_micro=60_000,
        fen=106,
        net_fen=100,
    )
    await invoices.begin(unit, row, (line,))


async def _measure(unit: Unit, front: Front, mark: str) -> None:
    """Let the public area have a meter, and a virtual one made of it."""
    community, start = front.counter.office.site.community_id, b.MONTHS[0].start
    meter = await fleet.add_meter(unit, serial=f"{mark}-P", resource=Resource.ELECTRICITY)
    await unit.session.flush()
    await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=None, start=start)
    await unit.session.flush()
    virtual = VirtualMeter(
        community_id=community,
        virtual_id=unit.new_id(),
        name=mark,
        resource=Resource.ELECTRICITY,
        effective_from=start,
        plus=frozenset({meter}),
        minus=frozenset(),
    )
    await public_use.define(unit, virtual)


async def _agree(unit: Unit, front: Front) -> None:
    """Let a flat have asked for automatic deduction."""
    account, counter = await billing.account(unit.session, await front.account()), front.counter
    unit.session.add(
        MandateRow(
            tenant_id=unit.tenant,
            community_id=account.community_id,
            mandate_id=unit.new_id(),
            account_id=account.account_id,
            merchant_account_id=counter.account.merchant_account_id,
            legal_entity_id=counter.entity,
            fund_class=FundClass.OPERATING,
            number="DK20260101AAAAAAAAAAAAA0",
            limit_fen=10_000,
            day_of_month=15,
            state=MandateState.ASKED,
            asked_at=unit.now,
            detail="",
        )
    )
    await unit.session.flush()


async def _add_parking(unit: Unit, front: Front, mark: str) -> None:
    community_id = front.counter.office.site.community_id
    gateway_id, _ = await fleet.create_gateway(unit, label=f"{mark} gateway")
    await parking.add_lot(unit, community_id, lot=f"{mark} lot", gateway_id=gateway_id, spaces=4)
    draft = PermitDraft(
        community_id=community_id,
        plate="沪A00001",
        vehicle_class=VehicleClass.MONTHLY,
        premises_id=front.flats[0][0],
        charge_to_account=False,
        valid_from=unit.now,
        valid_to=unit.now + timedelta(days=30),
    )
    await parking.give_permit(unit, draft)


async def _draft_charge(unit: Unit, front: Front, mark: str) -> None:
    community_id = front.counter.office.site.community_id
    item = ChargeItem(
        charge_item_id=ChargeItemId(unit.new_id()),
        community_id=community_id,
        code="once",
        name_zh=mark,
        name_en=mark,
        basis=ChargeBasis.ONE_OFF,
        resource=None,
        nature=Nature.REVENUE,
        fund_class=FundClass.OPERATING,
        legal_entity_id=front.counter.entity,
        tax_code="3040801",
        tax_rate_micro=60_000,
        bears_late_charge=False,
    )
    await tariffs.add_charge_item(unit, item)
    new = NewOneOff(
        charge_id=unit.new_id(),
        community_id=community_id,
        charge_item_id=item.charge_item_id,
        name_zh=mark,
        name_en=mark,
        sharing=Sharing.EACH,
        amount_fen=1_000,
        coverage=Coverage(),
        service=b.MONTHS[1],
        due_on=b.MONTHS[1].end,
    )
    await charges.draft(unit, new)


async def _ask_relief(unit: Unit, front: Front, mark: str) -> None:
    accounts = await billing.accounts_in(unit.session, front.counter.office.site.community_id)
    (line, *_) = await billing.open_lines_of(unit.session, [account.account_id for account in accounts])
    wish = ReliefWish(
        relief_id=unit.new_id(),
        account_id=line.account_id,
        kind=ReliefKind.WAIVER,
        lines=(RelievedLine(line=line.ref, fen=1),),
        reason=f"{mark} was ill",
    )
    await arrears.ask(unit, wish)


async def _settle(unit: Unit, front: Front, mark: str) -> None:
    """Settle somebody who owes nothing and leaves nothing behind."""
    community_id, premises_id = front.counter.office.site.community_id, front.flats[0][0]
    party = await estate.add_party(unit, kind=PartyKind.PERSON, name=mark)
    gone_on = b.MONTHS[0].start
    lived = {"starts": gone_on - timedelta(days=365), "ends": gone_on}
    await estate.relate(unit, party_id=party, premises_id=premises_id, role=Role.TENANT, **lived)
    (account,) = await billing.open_accounts(unit, community_id, {(premises_id, party)})
    nothing = Statement(
        gone_on=gone_on,
        final_number=None,
        final_fen=0,
        owed=(),
        owed_fen=0,
        ahead_fen=0,
        deposit_fen=0,
        from_deposit_fen=0,
        refund_fen=0,
        still_owed_fen=0,
    )
    wish = MoveOut(settlement_id=unit.new_id(), account_id=account.account_id, gone_on=gone_on)
    await settlement.settle(unit, rate_period, wish, preview_sha=nothing.sha)


async def _import(unit: Unit, front: Front, mark: str) -> None:
    row = {"房号": f"{mark}-imported", "类型": "住宅", "起始日": "2026-01-01"}
    upload = Upload(
        community_id=front.counter.office.site.community_id,
        kind=ImportKind.ESTATE,
        file_name=f"{mark}.csv",
        content=csv_text(columns_of(ImportKind.ESTATE), [row]),
    )
    await imports.apply(unit, unit.new_id(), upload)
