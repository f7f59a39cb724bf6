"""One-off charges: exact splits, one document each, thrown away as drafts, taken back once issued."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cloud.billing import service as billing
from cloud.billing.errors import PreviewChangedError
from cloud.billing.lines import BillKind
from cloud.charges import announcing, service
from cloud.charges.values import ChargeState, Coverage, Group, Sharing
from cloud.estate import service as estate
from cloud.estate.kinds import Fact, PartyKind, PremisesKind
from cloud.estate.values import NewPremises
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger.auditing import audit
from cloud.rating import service as rating
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.errors import RefusalError
from tests.cloud.charges.street import AREAS, MARCH, START, Street


async def test_a_levy_is_split_by_area_to_the_fen_and_each_share_can_be_rated_again(street: Street) -> None:
    item = await street.make(street.charge())
    new = street.one_off(item, 1_000_000)
    bills = await street.issue(new)
    total = sum(AREAS)
    assert sum(bill.summary.total_fen for bill in bills) == 1_000_000
    for bill in bills:
        flat = [premises for premises, _ in street.flats].index(bill.account.premises_id)
        assert abs(bill.summary.total_fen - 1_000_000 * AREAS[flat] / total) < 1
        assert (bill.summary.kind, bill.summary.number[:8]) == (BillKind.ONE_OFF, "STREET-C")
    async with street.database.view(street.tenant) as session:
        (line,) = await rating.replayed(session, street.community, bills[0].lines[0].line.input_sha)
        report = await audit(session, street.community)
    assert line.amount_fen == bills[0].summary.total_fen
    assert report.breaches == ()


@pytest.mark.parametrize(
    ("sharing", "fen", "shares"),
    [
        (Sharing.EACH, 5_000, [5_000] * 6),
        (Sharing.BY_HOUSEHOLD, 9_000, [1_500] * 6),
        (Sharing.BY_PERSONS, 1_600, [300, 200, 400, 100, 100, 500]),
    ],
)
async def test_an_amount_falls_on_households_as_decided(
    street: Street, sharing: Sharing, fen: int, shares: list[int]
) -> None:
    item = await street.make(street.charge())
    bills = await street.issue(street.one_off(item, fen, sharing))
    by_premises = {bill.account.premises_id: bill.summary.total_fen for bill in bills}
    assert [by_premises[premises] for premises, _ in street.flats] == shares


async def test_a_fen_that_cannot_be_halved_falls_on_the_smaller_id(street: Street) -> None:
    item = await street.make(street.charge())
    bills = await street.issue(street.one_off(item, 10_000, Sharing.BY_HOUSEHOLD))
    by_id = sorted((str(bill.account.premises_id), bill.summary.total_fen) for bill in bills)
    assert [fen for _, fen in by_id] == [1_667] * 4 + [1_666] * 2


async def test_a_charge_reaches_its_buildings_and_groups_and_nobody_else(street: Street) -> None:
    item = await street.make(street.charge())
    house = Target(kind=TargetKind.BUILDING, key=str(street.houses[0]))
    async with street.database.unit(street.tenant, street.actor) as unit:
        group = Group(code="lift", name="电梯业主", premises=frozenset({street.flats[5][0]}))
        await announcing.set_group(unit, street.community, group)
    coverage = Coverage(targets=(house,), groups=("lift",))
    bills = await street.issue(street.one_off(item, 700, Sharing.EACH, coverage=coverage))
    reached = {bill.account.premises_id for bill in bills}
    assert reached == {street.flats[n][0] for n in (0, 1, 2, 5)}


async def test_issuing_twice_bills_nobody_twice(street: Street) -> None:
    item = await street.make(street.charge())
    new = street.one_off(item, 60_000)
    assert len(await street.issue(new)) == 6
    assert await street.issue(new) == []
    async with street.database.view(street.tenant) as session:
        bills = await billing.bills_in_cycle(session, street.community, service.cycle_of(new.charge_id))
    assert sum(bill.total_fen for bill in bills) == 60_000


async def test_a_flat_without_an_area_stops_the_whole_split_and_is_named(street: Street) -> None:
    item = await street.make(street.charge())
    async with street.database.unit(street.tenant, street.actor) as unit:
        bare = NewPremises(label="2-1-901", kind=PremisesKind.RESIDENCE, effective_from=START)
        await estate.add_premises(unit, street.community, bare)
    new = street.one_off(item, 60_000)
    async with street.database.unit(street.tenant, street.actor) as unit:
        await service.draft(unit, new)
    async with street.database.view(street.tenant) as session:
        seen = await service.preview(session, new.charge_id)
    assert [one.label for one in seen.unshared] == ["2-1-901"]
    assert seen.shares == ()
    with pytest.raises(ConflictError, match="not known"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await service.issue(unit, new.charge_id, preview_sha=seen.sha)


async def test_a_flat_that_nobody_owns_stops_a_charge_and_is_named(street: Street) -> None:
    item = await street.make(street.charge())
    async with street.database.unit(street.tenant, street.actor) as unit:
        empty = NewPremises(label="2-1-902", kind=PremisesKind.RESIDENCE, effective_from=START)
        await estate.add_premises(unit, street.community, empty)
        await service.draft(unit, new := street.one_off(item, 100, Sharing.EACH))
    async with street.database.view(street.tenant) as session:
        seen = await service.preview(session, new.charge_id)
    assert (seen.without_payer, seen.stopped) == (("2-1-902",), True)


async def test_what_was_approved_is_what_is_issued_or_nothing(street: Street) -> None:
    item = await street.make(street.charge())
    new = street.one_off(item, 60_000)
    async with street.database.unit(street.tenant, street.actor) as unit:
        await service.draft(unit, new)
    async with street.database.view(street.tenant) as session:
        seen = await service.preview(session, new.charge_id)
    async with street.database.unit(street.tenant, street.actor) as unit:
        premises = street.flats[0][0]
        await estate.record_fact(unit, premises, fact=Fact.AREA, effective_from=START, value_milli=200_000)
    with pytest.raises(PreviewChangedError):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await service.issue(unit, new.charge_id, preview_sha=seen.sha)
    async with street.database.view(street.tenant) as session:
        assert (await service.one_off(session, new.charge_id)).state is ChargeState.DRAFT


async def test_a_draft_is_thrown_away_and_an_issued_charge_is_not(street: Street) -> None:
    item = await street.make(street.charge())
    draft, issued = street.one_off(item, 100), street.one_off(item, 200)
    await street.issue(issued)
    async with street.database.unit(street.tenant, street.actor) as unit:
        await service.draft(unit, draft)
        await service.drop(unit, draft.charge_id)
    for gone in (draft, issued):
        with pytest.raises(ConflictError):
            async with street.database.unit(street.tenant, street.actor) as unit:
                await service.drop(unit, gone.charge_id)


async def test_a_withdrawn_charge_is_credited_whole_and_what_was_paid_is_paid_ahead(street: Street) -> None:
    item = await street.make(street.charge())
    bills = await street.issue(new := street.one_off(item, 500, Sharing.EACH))
    first = next(bill for bill in bills if bill.account.premises_id == street.flats[0][0])
    await street.pay(first, 500, date(2026, 3, 20))
    async with street.database.unit(street.tenant, street.actor) as unit:
        credits_ = await service.withdraw(unit, new.charge_id, reason="业主大会否决")
    assert sum(bill.total_fen for bill in credits_) == -3_000
    assert (await street.open_fen(1), await street.ahead_fen(0)) == (0, 500)
    async with street.database.view(street.tenant) as session:
        assert (await audit(session, street.community)).breaches == ()
    with pytest.raises(ConflictError, match="withdrawn"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await service.withdraw(unit, new.charge_id, reason="again")


async def test_whoever_is_in_force_on_the_first_day_owes_the_charge(street: Street) -> None:
    item = await street.make(street.charge())
    premises, seller = street.flats[0]
    async with street.database.unit(street.tenant, street.actor) as unit:
        buyer = await estate.add_party(unit, kind=PartyKind.PERSON, name="买家")
        await estate.sell(unit, premises_id=premises, from_party=seller, to_party=buyer, day=MARCH.start)
    bills = await street.issue(street.one_off(item, 500, Sharing.EACH))
    (owed,) = [bill for bill in bills if bill.account.premises_id == premises]
    assert owed.account.party_id == buyer


async def test_drafts_that_cannot_be_are_refused(street: Street) -> None:
    item = await street.make(street.charge())
    monthly = await street.monthly("fee", "30.00")
    known = street.one_off(item, 100)
    async with street.database.unit(street.tenant, street.actor) as unit:
        await service.draft(unit, known)
        await service.draft(unit, known)
    refused = [
        (street.one_off(monthly, 100), RefusalError),
        (street.one_off(item, 100, coverage=Coverage(groups=("nobody",))), NotFoundError),
        (replace(known, amount_fen=101), ConflictError),
    ]
    for new, error in refused:
        with pytest.raises(error):
            async with street.database.unit(street.tenant, street.actor) as unit:
                await service.draft(unit, new)
    assert monthly.basis is ChargeBasis.FLAT
