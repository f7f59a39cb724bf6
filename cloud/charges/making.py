"""A charge item made in one go: the item, its tariff, whom it is for, from when to when, and the announcement.

What an office says in five fields becomes the same rows that the tariff pages and the API write one by one, so nothing
is charged that could not be read, changed and explained there. All of it stands or nothing does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from cloud.billing import service as billing
from cloud.charges import announcing
from cloud.charges.rules import STANDINGS, ChargeKind, covered, monthly_document
from cloud.charges.values import Announcement, Coverage
from cloud.deposits import service as deposits
from cloud.deposits.rules import DepositKind
from cloud.deposits.values import NewDeposit
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Effect, Target, TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from cloud.tariffs.service import AssignmentDraft, RevisionDraft
from common.civil import Period, civil_day
from common.errors import RefusalError
from common.ids import ChargeItemId, CommunityId, LegalEntityId, TariffId
from common.reading.reading import Resource
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from common.tariff.late_model import LateRule

_EVERYWHERE = Target(kind=TargetKind.COMMUNITY)
_UNPRICED = frozenset({ChargeBasis.ONE_OFF})
_ID_BYTES = 16
_EVERYBODY = Coverage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """How a charge is priced: an amount a month in yuan, a tariff document, or the code of a tariff that stands."""

    amount_yuan: str = ""
    document: Mapping[str, Any] | None = None
    tariff_code: str = ""

    def __post_init__(self) -> None:
        """Check that at most one of them is given."""
        if (bool(self.amount_yuan) + (self.document is not None) + bool(self.tariff_code)) > 1:
            raise RefusalError("price a charge by an amount, a document or a tariff that stands; give one of them")

    @property
    def given(self) -> bool:
        """Return whether there is a price at all."""
        return bool(self.amount_yuan or self.document is not None or self.tariff_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What residents are told of a change, in both languages; empty texts announce nothing."""

    text_zh: str = ""
    text_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCharge:
    """A charge item to be made; `charge_item_id` is made where the act begins. It ends before `ends`."""

    charge_item_id: ChargeItemId
    community_id: CommunityId
    code: str
    name_zh: str
    name_en: str
    kind: ChargeKind
    basis: ChargeBasis
    resource: Resource | None = None
    legal_entity_id: LegalEntityId
    tax_code: str = ""
    tax_rate_micro: int = 0
    price: Price = Price()
    starts: date
    ends: date | None = None
    coverage: Coverage = _EVERYBODY
    words: Words = Words()

    def __post_init__(self) -> None:
        """Check that kind, basis and days go together.

        Raises:
            RefusalError: they do not.
        """
        if (self.kind is ChargeKind.LATE) != (self.basis is ChargeBasis.LATE):
            raise RefusalError("a late charge is charged by lateness, and nothing else is")
        if (self.basis is ChargeBasis.METERED) != (self.resource is not None):
            raise RefusalError("a metered charge names what its meters count, and nothing else does")
        if self.price.given == (self.basis in _UNPRICED):
            raise RefusalError("give a price, unless the charge is one-off: then each charge has its own amount")
        if self.ends is not None and self.ends <= self.starts:
            raise RefusalError("the charge ends before it begins; the end is the first day without it")


async def make_charge(unit: Unit, new: NewCharge) -> ChargeItem:
    """Make a charge item with its price, its targets and its announcement, all or nothing.

    Raises:
        NotFoundError: there is no such group or tariff.
        ConflictError: the code is taken.
        FaultsError: the tariff document has faults.
        RefusalError: the price does not fit what the charge is measured by.
    """
    standing = STANDINGS[new.kind]
    item = ChargeItem(
        charge_item_id=new.charge_item_id,
        community_id=new.community_id,
        code=new.code,
        name_zh=new.name_zh,
        name_en=new.name_en,
        basis=new.basis,
        resource=new.resource,
        nature=standing.nature,
        fund_class=standing.fund_class,
        legal_entity_id=new.legal_entity_id,
        tax_code=new.tax_code,
        tax_rate_micro=new.tax_rate_micro,
        bears_late_charge=standing.bears_late_charge,
    )
    await tariffs.add_charge_item(unit, item)
    if new.price.given:
        tariff_id = await _tariff_of(unit, new.community_id, item, new.price, (new.starts, new.name_zh))
        for target in await _targets(unit, new.community_id, new.coverage):
            await _assign(unit, item, target, new.starts, tariff_id)
            if new.ends is not None:
                await _assign(unit, item, target, new.ends, None)
    await _announce(unit, new)
    return item


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Another price for a charge item on some days, such as a holiday; afterwards the former one holds again."""

    community_id: CommunityId
    charge_item_id: ChargeItemId
    price: Price
    days: Period
    coverage: Coverage = _EVERYBODY
    name_zh: str
    name_en: str
    words: Words = Words()


async def switch(unit: Unit, wish: Switch) -> TariffId:
    """Let another tariff hold on some days, and what held before from then on; announce it.

    Raises:
        NotFoundError: there is no such charge item, group or tariff.
        ConflictError: something else begins inside these days.
        FaultsError: the tariff document has faults.
    """
    book = await tariffs.price_book(unit.session, wish.community_id, unit.now)
    if wish.charge_item_id not in book.items:
        raise NotFoundError("the community has no such charge item")
    item = book.items[wish.charge_item_id]
    tariff_id = await _tariff_of(unit, wish.community_id, item, wish.price, (wish.days.start, wish.name_zh))
    for target in await _targets(unit, wish.community_id, wish.coverage):
        begins = book.assignments.changes(item.charge_item_id, [target])
        if any(wish.days.start <= day <= wish.days.end for day in begins):
            raise ConflictError(f"another rule of {item.code} begins inside these days; end it first")
        before = book.assignments.assigned(item.charge_item_id, [target], wish.days.start)
        await _assign(unit, item, target, wish.days.start, tariff_id)
        after = AssignmentDraft(
            community_id=wish.community_id,
            charge_item_id=item.charge_item_id,
            target=target,
            effective_from=wish.days.end,
            effect=Effect.INHERIT if before is None else before.effect,
            tariff_id=None if before is None else before.tariff_id,
        )
        await tariffs.assign(unit, after)
    if wish.words.text_zh and wish.words.text_en:
        await announcing.announce(unit, _announcement(unit, wish.community_id, wish, wish.days.start))
    return tariff_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositCall:
    """A deposit that every covered household is to bring; the same call again opens nothing new."""

    call_id: UUID
    community_id: CommunityId
    legal_entity_id: LegalEntityId
    kind: DepositKind
    amount_fen: int
    purpose: str
    coverage: Coverage


async def call_deposits(unit: Unit, call: DepositCall) -> int:
    """Open a deposit for the payer of each covered household, and return how many there are.

    Raises:
        NotFoundError: there is no such group.
        RefusalError: the amount cannot be a deposit, or nobody is covered.
    """
    community = await estate.community(unit.session, call.community_id)
    today = civil_day(unit.now, community.zone)
    groups = {group.code: group.premises for group in await announcing.groups(unit.session, call.community_id)}
    _require_groups(call.coverage, groups)
    places = covered(await estate.premises_in(unit.session, call.community_id, day=today), call.coverage, groups)
    spans = await estate.payers(
        unit.session, call.community_id, Period(today, today.fromordinal(today.toordinal() + 1))
    )
    wanted = {one.id for one in places}
    payers = {(span.premises_id, span.party_id) for span in spans if span.premises_id in wanted}
    if not payers:
        raise RefusalError("nobody is covered; name buildings, kinds, premises or a group")
    accounts = await billing.open_accounts(unit, call.community_id, payers)
    for account in accounts:
        new = NewDeposit(
            deposit_id=_derived(call.call_id, account.account_id),
            account_id=account.account_id,
            legal_entity_id=call.legal_entity_id,
            kind=call.kind,
            amount_fen=call.amount_fen,
            purpose=call.purpose,
        )
        await deposits.open_deposit(unit, new)
    unit.record("called", "deposit", call.call_id, after={"deposits": len(accounts), "amount_fen": call.amount_fen})
    return len(accounts)


def _derived(call_id: UUID, account_id: UUID) -> UUID:
    """Return the id that a call gives an account's deposit (RFC 9562 version 8, of a SHA-256)."""
    value = int.from_bytes(hashlib.sha256(call_id.bytes + account_id.bytes).digest()[:_ID_BYTES])
    value = value & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def _require_groups(coverage: Coverage, groups: Mapping[str, Any]) -> None:
    missing = sorted(set(coverage.groups) - set(groups))
    if missing:
        raise NotFoundError(f"there is no group {', '.join(missing)}; make it first")


async def _targets(unit: Unit, community_id: CommunityId, coverage: Coverage) -> list[Target]:
    """Return what to assign: the targets named, and each premises of the groups."""
    groups = {group.code: group.premises for group in await announcing.groups(unit.session, community_id)}
    _require_groups(coverage, groups)
    members = sorted({premises for code in coverage.groups for premises in groups[code]})
    targets = [*coverage.targets, *(Target(kind=TargetKind.PREMISES, key=str(one)) for one in members)]
    return list(dict.fromkeys(targets)) or [_EVERYWHERE]


async def _assign(unit: Unit, item: ChargeItem, target: Target, day: date, tariff_id: TariffId | None) -> None:
    await tariffs.assign(
        unit,
        AssignmentDraft(
            community_id=item.community_id,
            charge_item_id=item.charge_item_id,
            target=target,
            effective_from=day,
            effect=Effect.INHERIT if tariff_id is None else Effect.CHARGE,
            tariff_id=tariff_id,
        ),
    )


async def _tariff_of(
    unit: Unit, community_id: CommunityId, item: ChargeItem, price: Price, basis: tuple[date, str]
) -> TariffId:
    """Return the tariff that a price says: one that stands, or one recorded now."""
    starts, basis_document = basis
    if price.tariff_code:
        return await tariffs.tariff_coded(unit.session, community_id, price.tariff_code)
    document = price.document
    if document is None:
        if item.basis not in {ChargeBasis.FLAT, ChargeBasis.AREA}:
            raise RefusalError(f"a charge by {item.basis} is priced by a tariff document, not by an amount a month")
        code = f"{item.code}/{starts.isoformat()}"
        document = monthly_document(code, item.name_zh, item.name_en, item.basis, price.amount_yuan)
    compiled = compile_tariff(parse_tariff(document))
    if (item.basis is ChargeBasis.LATE) != any(isinstance(plan.rule, LateRule) for plan in compiled.document.plans):
        raise RefusalError("a late charge is priced by a tariff with `late_charge`, and no other charge is")
    tariff_id, _ = await tariffs.record_revision(
        unit,
        RevisionDraft(
            community_id=community_id,
            document=document,
            effective_from=starts,
            basis_document=basis_document,
            decided_by=unit.actor.name,
        ),
    )
    return tariff_id


async def _announce(unit: Unit, new: NewCharge) -> None:
    if new.words.text_zh and new.words.text_en:
        await announcing.announce(unit, _announcement(unit, new.community_id, new, new.starts))


def _announcement(unit: Unit, community_id: CommunityId, of: NewCharge | Switch, holds_from: date) -> Announcement:
    return Announcement(
        announcement_id=unit.new_id(),
        community_id=community_id,
        title_zh=of.name_zh,
        title_en=of.name_en,
        text_zh=of.words.text_zh,
        text_en=of.words.text_en,
        holds_from=holds_from,
        premises=None,
        published_at=unit.now,
    )
