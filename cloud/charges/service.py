"""One-off charges and special levies: drafted, previewed, issued once to each household, or thrown away.

The preview and the issue are one computation; the issue refuses when its outcome is not the one that was approved. A
draft is dropped without a trace in the book; what is issued is taken back by credits that name its lines. The amount is
recorded as a tariff revision, so that each line is rated by the engine, replayed and traced like any other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing import takebacks
from cloud.billing.corrections import Cause
from cloud.billing.errors import PreviewChangedError
from cloud.billing.intake import drafts_by_payer
from cloud.billing.issuing import IssuedBill
from cloud.billing.lines import BillDraft, BillKind, in_print_order
from cloud.billing.specials import Special, issue_special
from cloud.billing.takebacks import Take
from cloud.charges import announcing, repository
from cloud.charges.levying import levied
from cloud.charges.rules import covered, one_off_document, shared
from cloud.charges.tables import OneOffChargeRow
from cloud.charges.values import (
    MOVES,
    ChargeState,
    Coverage,
    HouseholdShare,
    NewOneOff,
    OneOff,
    Unshared,
)
from cloud.estate import service as estate
from cloud.estate.values import Community, PayerSpan
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger.journals import LineRef
from cloud.rating import service as rating
from cloud.rating.lines import RatingOutcome
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass
from cloud.tariffs.service import RevisionDraft
from common.civil import Period, civil_day
from common.errors import RefusalError, ensure
from common.ids import ChargeItemId, CommunityId, PremisesId

LIST_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOffPreview:
    """What issuing would do now: each household's share, who stops a split, who has no payer, and the hash."""

    shares: tuple[HouseholdShare, ...]
    unshared: tuple[Unshared, ...]
    without_payer: tuple[str, ...]
    total_fen: int
    sha: bytes

    @property
    def stopped(self) -> bool:
        """Return whether something must be mended before the charge can be issued."""
        return bool(self.unshared or self.without_payer) or not self.shares


async def draft(unit: Unit, new: NewOneOff) -> OneOff:
    """Draft a one-off charge; the same id with the same content is the same draft.

    Raises:
        RefusalError: the charge item is not for one-off charges.
        NotFoundError: there is no such charge item or group.
        ConflictError: the id stands for another charge.
    """
    known = await repository.one_off(unit.session, new.charge_id)
    if known is not None:
        if _new(known) != new:
            raise ConflictError("this charge was drafted with other content; nothing was changed, begin a new one")
        return _one_off(known)
    item = await charge_item(unit.session, new.community_id, new.charge_item_id)
    if item.basis is not ChargeBasis.ONE_OFF:
        raise RefusalError(f"{item.code} is charged by {item.basis}; a one-off charge needs an item made for it")
    if item.fund_class is FundClass.DEPOSIT:
        raise RefusalError("a deposit is brought, not billed; open it as a deposit of the account")
    await _require_groups(unit.session, new)
    row = _row(unit, new)
    unit.session.add(row)
    await unit.session.flush()
    after = {"amount_fen": new.amount_fen, "sharing": new.sharing, "charge_item_id": str(new.charge_item_id)}
    unit.record("drafted", "one_off_charge", new.charge_id, after=after)
    return _one_off(row)


async def preview(session: AsyncSession, charge_id: UUID) -> OneOffPreview:
    """Return what each household would pay, read-only.

    Raises:
        NotFoundError: there is no such charge.
    """
    row = await _found(session, charge_id, lock=False)
    return (await _reckoned(session, row)).preview


async def issue(unit: Unit, charge_id: UUID, *, preview_sha: bytes) -> tuple[IssuedBill, ...]:
    """Issue the charge as previewed, one document for each account; again it issues nothing.

    Raises:
        NotFoundError: there is no such charge.
        ConflictError: it was dropped or withdrawn, or something stops it.
        PreviewChangedError: the outcome is not the approved one.
    """
    row = await _found(unit.session, charge_id, lock=True)
    if row.state is ChargeState.ISSUED and row.preview_sha == preview_sha:
        return ()
    _require(row, ChargeState.ISSUED)
    reckoned = await _reckoned(unit.session, row)
    if reckoned.preview.sha != preview_sha:
        raise PreviewChangedError
    if reckoned.preview.stopped:
        raise ConflictError("something about the households is not known; mend what the preview lists first")
    new = _new(row)
    issued = await _issued(unit, new, reckoned)
    row.state, row.preview_sha, row.issued_at, row.issued_by = ChargeState.ISSUED, preview_sha, unit.now, unit.actor.id
    after = {"bills": len(issued), "total_fen": reckoned.preview.total_fen}
    unit.record("issued", "one_off_charge", charge_id, after=after)
    return issued


async def drop(unit: Unit, charge_id: UUID) -> None:
    """Throw a draft away.

    Raises:
        NotFoundError: there is no such charge.
        ConflictError: it is not a draft.
    """
    row = await _found(unit.session, charge_id, lock=True)
    _require(row, ChargeState.DROPPED)
    row.state = ChargeState.DROPPED
    unit.record("dropped", "one_off_charge", charge_id)


async def withdraw(unit: Unit, charge_id: UUID, *, reason: str) -> tuple[IssuedBill, ...]:
    """Take back everything that stands of an issued charge; what was paid is paid ahead from then on.

    Raises:
        NotFoundError: there is no such charge.
        ConflictError: it is not issued.
        RefusalError: no reason is given.
    """
    if not reason.strip():
        raise RefusalError("a charge is withdrawn for a reason that its credits show; write it")
    row = await _found(unit.session, charge_id, lock=True)
    _require(row, ChargeState.WITHDRAWN)
    takes = await _standing(unit, row)
    issued = await takebacks.take_back(
        unit, CommunityId(row.community_id), cause=Cause.WITHDRAWAL, reason=reason, takes=takes
    )
    row.state = ChargeState.WITHDRAWN
    unit.record("withdrawn", "one_off_charge", charge_id, after={"reason": reason, "credits": len(issued)})
    return issued


async def one_off(session: AsyncSession, charge_id: UUID) -> OneOff:
    """Return a one-off charge.

    Raises:
        NotFoundError: there is none.
    """
    return _one_off(await _found(session, charge_id, lock=False))


async def one_offs(session: AsyncSession, community_id: CommunityId) -> tuple[OneOff, ...]:
    """Return up to `LIST_MAX` one-off charges of a community, the newest first."""
    return tuple(_one_off(row) for row in await repository.one_offs(session, community_id, LIST_MAX))


async def charge_item(session: AsyncSession, community_id: CommunityId, charge_item_id: ChargeItemId) -> ChargeItem:
    """Return a charge item of a community.

    Raises:
        NotFoundError: it has none such.
    """
    for item in await tariffs.charge_items(session, community_id):
        if item.charge_item_id == charge_item_id:
            return item
    raise NotFoundError("the community has no such charge item")


def cycle_of(charge_id: UUID) -> str:
    """Return the cycle in which the documents of a one-off charge stand."""
    return f"charge:{charge_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reckoned:
    """A preview with the payers of the premises that share."""

    preview: OneOffPreview
    payers: dict[PremisesId, PayerSpan]


async def _reckoned(session: AsyncSession, row: OneOffChargeRow) -> _Reckoned:
    new = _new(row)
    groups = {group.code: group.premises for group in await announcing.groups(session, new.community_id)}
    places = covered(await estate.premises_in(session, new.community_id, day=new.service.start), new.coverage, groups)
    shares, unshared = shared(places, new.sharing, new.amount_fen)
    # A charge is owed by whoever is in force on its first day.
    first = Period(new.service.start, new.service.start.fromordinal(new.service.start.toordinal() + 1))
    payers = {span.premises_id: span for span in await estate.payers(session, new.community_id, first)}
    lacking = tuple(share.label for share in shares if share.premises_id not in payers)
    said = [f"{share.premises_id} {payers[share.premises_id].party_id} {share.fen}" for share in shares if not lacking]
    preview_ = OneOffPreview(
        shares=shares,
        unshared=unshared,
        without_payer=lacking,
        total_fen=sum(share.fen for share in shares),
        sha=hashlib.sha256("\n".join([str(new), *sorted(said)]).encode()).digest(),
    )
    return _Reckoned(preview=preview_, payers=payers)


async def _issued(unit: Unit, new: NewOneOff, reckoned: _Reckoned) -> tuple[IssuedBill, ...]:
    item = await charge_item(unit.session, new.community_id, new.charge_item_id)
    document = one_off_document(f"one-off/{new.charge_id}", new.name_zh, new.name_en, new.amount_fen, new.sharing)
    tariff_id, ref = await tariffs.record_revision(
        unit,
        RevisionDraft(
            community_id=new.community_id,
            document=document,
            effective_from=new.service.start,
            basis_document=new.reference or new.name_zh,
            decided_by=unit.actor.name,
        ),
    )
    outcome = levied(item, new, (tariff_id, ref, document), reckoned.preview.shares, reckoned.payers)
    await rating.keep(unit, new.community_id, outcome)
    community = await estate.community(unit.session, new.community_id)
    special = Special(
        cycle=cycle_of(new.charge_id),
        kind=BillKind.ONE_OFF,
        period=new.service,
        due_on=max(new.due_on, civil_day(unit.now, community.zone)),
    )
    return await issue_special(unit, community, special, await _drafts(unit, community, outcome))


async def _drafts(unit: Unit, community: Community, outcome: RatingOutcome) -> list[BillDraft]:
    lines = drafts_by_payer(outcome.items)
    accounts = await billing.open_accounts(unit, community.id, set(lines))
    drafts = [
        BillDraft(account_id=account.account_id, lines=in_print_order(lines[account.premises_id, account.party_id]))
        for account in sorted(accounts, key=lambda one: (one.premises_id, one.account_id))
    ]
    whole = sum(item.line.amount_fen for item in outcome.items)
    ensure(sum(one.total_fen for one in drafts) == whole, "what is billed is what was shared")
    return drafts


async def _standing(unit: Unit, row: OneOffChargeRow) -> list[Take]:
    bills = await billing.bills_in_cycle(unit.session, CommunityId(row.community_id), cycle_of(row.charge_id))
    refs = [LineRef(bill_id=bill.bill_id, n=1) for bill in bills if bill.kind is BillKind.ONE_OFF]
    stands = await takebacks.standing_fen(unit, refs)
    return [Take(line=ref, fen=fen) for ref, fen in stands.items() if fen > 0]


async def _require_groups(session: AsyncSession, new: NewOneOff) -> None:
    known = {group.code for group in await announcing.groups(session, new.community_id)}
    missing = sorted(set(new.coverage.groups) - known)
    if missing:
        raise NotFoundError(f"there is no group {', '.join(missing)}; make it first")


async def _found(session: AsyncSession, charge_id: UUID, *, lock: bool) -> OneOffChargeRow:
    row = await repository.one_off(session, charge_id, lock=lock)
    if row is None:
        raise NotFoundError("there is no such charge")
    return row


def _require(row: OneOffChargeRow, wanted: ChargeState) -> None:
    if wanted not in MOVES[row.state]:
        raise ConflictError(f"this charge is {row.state}; it cannot become {wanted}")


def _row(unit: Unit, new: NewOneOff) -> OneOffChargeRow:
    return OneOffChargeRow(
        tenant_id=unit.tenant,
        community_id=new.community_id,
        charge_id=new.charge_id,
        charge_item_id=new.charge_item_id,
        name_zh=new.name_zh,
        name_en=new.name_en,
        sharing=new.sharing,
        amount_fen=new.amount_fen,
        targets=[[target.kind.value, target.key] for target in new.coverage.targets],
        groups=list(new.coverage.groups),
        service_start=new.service.start,
        service_end=new.service.end,
        due_on=new.due_on,
        reference=new.reference,
        state=ChargeState.DRAFT,
        drafted_at=unit.now,
        drafted_by=unit.actor.id,
    )


def _new(row: OneOffChargeRow) -> NewOneOff:
    return NewOneOff(
        charge_id=row.charge_id,
        community_id=CommunityId(row.community_id),
        charge_item_id=ChargeItemId(row.charge_item_id),
        name_zh=row.name_zh,
        name_en=row.name_en,
        sharing=row.sharing,
        amount_fen=row.amount_fen,
        coverage=Coverage(
            targets=tuple(Target(kind=TargetKind(kind), key=key) for kind, key in row.targets),
            groups=tuple(row.groups),
        ),
        service=Period(row.service_start, row.service_end),
        due_on=row.due_on,
        reference=row.reference,
    )


def _one_off(row: OneOffChargeRow) -> OneOff:
    return OneOff(new=_new(row), state=row.state, drafted_at=row.drafted_at, issued_at=row.issued_at)
