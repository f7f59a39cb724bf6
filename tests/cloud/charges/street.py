"""A street of six flats with areas and persons, its charge items, and what its office does, each deed in a unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from cloud.billing import service as billing
from cloud.billing.documents import BillView
from cloud.charges import making, service
from cloud.charges.making import NewCharge, Price
from cloud.charges.rules import ChargeKind
from cloud.charges.values import Coverage, NewOneOff, Sharing
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind, Fact, PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass
from common.civil import Period
from common.ids import (
    AccountId,
    BillId,
    BuildingId,
    ChargeItemId,
    CommunityId,
    LegalEntityId,
    PartyId,
    PremisesId,
    TenantId,
)
from tests.support.clock import SettableClock

START = date(2026, 1, 1)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
SHOP = UUID(int=0x5E)
AREAS = (88_530, 88_530, 121_370, 60_000, 45_250, 99_990)
PERSONS = (3, 2, 4, 1, 1, 5)


@dataclass(slots=True, kw_only=True)
class Street:
    """The street, as tests speak of it."""

    database: Database
    tenant: TenantId
    actor: Actor
    clock: SettableClock
    community: CommunityId
    entity: LegalEntityId
    houses: tuple[BuildingId, BuildingId]
    flats: tuple[tuple[PremisesId, PartyId], ...]
    payments: list[int] = field(default_factory=list)

    def charge(self, code: str = "levy", **changes: object) -> NewCharge:
        """Return a charge item to make: one-off unless said otherwise."""
        fields: dict[str, object] = {
            "charge_item_id": ChargeItemId(self.database.new_id()),
            "community_id": self.community,
            "code": code,
            "name_zh": "电梯大修",
            "name_en": "lift overhaul",
            "kind": ChargeKind.SERVICE,
            "basis": ChargeBasis.ONE_OFF,
            "legal_entity_id": self.entity,
            "tax_code": "3040801",
            "tax_rate_micro": 60_000,
            "starts": START,
        }
        return NewCharge(**(fields | changes))  # type: ignore[arg-type]

    async def make(self, new: NewCharge) -> ChargeItem:
        """Make a charge item."""
        async with self.database.unit(self.tenant, self.actor) as unit:
            return await making.make_charge(unit, new)

    async def monthly(self, code: str, yuan: str, basis: ChargeBasis = ChargeBasis.FLAT) -> ChargeItem:
        """Make an amount a month."""
        return await self.make(self.charge(code, basis=basis, price=Price(amount_yuan=yuan)))

    def one_off(self, item: ChargeItem, fen: int, sharing: Sharing = Sharing.BY_AREA, **changes: object) -> NewOneOff:
        """Return a one-off charge to draft."""
        fields: dict[str, object] = {
            "charge_id": self.database.new_id(),
            "community_id": self.community,
            "charge_item_id": item.charge_item_id,
            "name_zh": "电梯大修",
            "name_en": "lift overhaul",
            "sharing": sharing,
            "amount_fen": fen,
            "coverage": Coverage(),
            "service": MARCH,
            "due_on": date(2026, 4, 15),
            "reference": "合同 2026-7",
        }
        return NewOneOff(**(fields | changes))  # type: ignore[arg-type]

    async def issue(self, new: NewOneOff) -> list[BillView]:
        """Draft, preview and issue a one-off charge, and return its bills in the order of their numbers."""
        async with self.database.unit(self.tenant, self.actor) as unit:
            await service.draft(unit, new)
        async with self.database.view(self.tenant) as session:
            seen = await service.preview(session, new.charge_id)
        async with self.database.unit(self.tenant, self.actor) as unit:
            issued = await service.issue(unit, new.charge_id, preview_sha=seen.sha)
        return [await self.bill(bill.bill_id) for bill in issued]

    async def bill(self, bill_id: BillId) -> BillView:
        """Return a bill."""
        async with self.database.view(self.tenant) as session:
            return await billing.bill(session, bill_id)

    async def account(self, flat: int) -> AccountId:
        """Return the account of a flat's owner, opened when it is new."""
        async with self.database.unit(self.tenant, self.actor) as unit:
            (found,) = await billing.open_accounts(unit, self.community, {self.flats[flat]})
        return found.account_id

    async def pay(self, view: BillView, fen: int, on: date) -> None:
        """Pay a part of the first line of a bill on a day."""
        line = view.lines[0]
        book = Book(community_id=self.community, legal_entity_id=self.entity, fund_class=line.line.charge.fund_class)
        self.payments.append(fen)
        async with self.database.unit(self.tenant, self.actor) as unit:
            ref = LineRef(bill_id=view.summary.bill_id, n=1)
            part = postings.Allocation(account_id=view.account.account_id, line=ref, fen=fen)
            draft = JournalDraft(
                idem_key=f"payment:{len(self.payments)}",
                kind="payment",
                community_id=self.community,
                business_date=on,
                document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=unit.new_id()),
                transfers=postings.payment_received(
                    postings.clearing(book, SHOP), [part], payer=view.account.account_id
                ),
            )
            await ledger.post(unit, draft)

    async def ahead_fen(self, flat: int) -> int:
        """Return what a flat has paid ahead."""
        account = await self.account(flat)
        async with self.database.view(self.tenant) as session:
            return sum(one.available_fen for one in await ledger.ahead_balances(session, [account]))

    async def open_fen(self, flat: int) -> int:
        """Return what is open on a flat."""
        account = await self.account(flat)
        async with self.database.view(self.tenant) as session:
            return sum(line.open_fen for line in await billing.open_lines(session, account))

    @property
    def book(self) -> Book:
        """Return the operating book."""
        return Book(community_id=self.community, legal_entity_id=self.entity, fund_class=FundClass.OPERATING)


async def build_street(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Street:
    """Build the street: two houses of three flats."""
    async with database.unit(tenant, actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="东方物业服务")
        community = await estate.create_community(unit, code="STREET", name="长街", starts=START, zone="Asia/Shanghai")
        houses = [await estate.add_building(unit, community, code=str(n), name=f"{n}号楼") for n in (1, 2)]
        flats = []
        for number, (area, persons) in enumerate(zip(AREAS, PERSONS, strict=True)):
            new = NewPremises(
                label=f"{number // 3 + 1}-1-{number % 3 + 1}01",
                kind=PremisesKind.RESIDENCE,
                effective_from=START,
                building_id=houses[number // 3],
                facts={Fact.AREA: area, Fact.PERSONS: persons * 1_000},
            )
            premises = await estate.add_premises(unit, community, new)
            party = await estate.add_party(unit, kind=PartyKind.PERSON, name=f"业主{number}")
            await estate.relate(unit, party_id=party, premises_id=premises, role=Role.OWNER, starts=START)
            flats.append((premises, party))
    return Street(
        database=database,
        tenant=tenant,
        actor=actor,
        clock=clock,
        community=community,
        entity=entity,
        houses=(houses[0], houses[1]),
        flats=tuple(flats),
    )
