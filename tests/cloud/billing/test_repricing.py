"""A change of prices for the past: by column to the word what by value says, once, resumable, for a whole community."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from cloud.billing import repricing
from cloud.billing.adjusting import Adjustment
from cloud.billing.errors import CaseClosedError, PreviewChangedError
from cloud.billing.repriced_sums import PricePreview
from cloud.billing.repricing import PriceScope
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind
from cloud.kit.errors import NotFoundError
from cloud.ledger import auditing
from cloud.ledger import service as ledger
from cloud.rating.service import rate_period
from common.errors import RefusalError
from common.ids import ChargeItemId, CommunityId
from tests.bench.billing_town import document
from tests.cloud.billing.village import CHEAPER, HOUSEHOLDS, OTHER_TIERS, STARTS, Said, Village


def said(adjustment: Adjustment) -> Said:
    """Return a document without names of inputs and traces, which the two roads keep in different places."""
    lines = tuple(replace(line, input_sha="", trace={}) for line in adjustment.draft.lines)
    return adjustment.period, lines


async def done(village: Village, scope: PriceScope) -> PricePreview:
    correction = await village.opened(scope)
    found = await village.previewed(correction)
    await village.approve(correction, found.sha)
    await village.book(correction)
    return found


@pytest.mark.parametrize("price", [CHEAPER, OTHER_TIERS], ids=["cheaper and paid", "other tiers"])
async def test_every_document_by_column_is_the_document_by_value(village: Village, price: Mapping[str, Any]) -> None:
    await village.reprice(price, STARTS)
    scope = village.scope(str(price["code"]))
    foretold = await village.foretold(scope)
    assert foretold
    found = await done(village, scope)
    issued = await village.issued()
    assert {key: said(one) for key, one in foretold.items()} == {
        key: (period, tuple(replace(line, input_sha="", trace={}) for line in lines))
        for key, (period, lines) in issued.items()
    }
    assert (found.documents, found.by_value, found.exceptions) == (len(foretold), 0, 0)
    assert found.net_fen == sum(one.draft.total_fen for one in foretold.values())
    assert found.lines == sum(len(one.draft.lines) for one in foretold.values())
    async with village.database.view(village.tenant) as session:
        assert (await auditing.audit(session, village.community_id)).breaches == ()


async def test_what_was_paid_above_the_new_price_is_paid_ahead_now(village: Village) -> None:
    await village.reprice(CHEAPER, STARTS)
    scope = village.scope("service")
    foretold = await village.foretold(scope)
    released = sum(move.fen for one in foretold.values() for move in one.releases)
    await done(village, scope)
    async with village.database.view(village.tenant) as session:
        ahead = await ledger.ahead_balances(session, list(foretold))  # type: ignore[arg-type]
    assert sum(one.available_fen for one in ahead) == released > 0


async def test_done_again_it_finds_no_difference_and_writes_no_document(village: Village) -> None:
    await village.reprice(CHEAPER, STARTS)
    await done(village, village.scope("service"))
    before = [await village.count(table) for table in ("bill", "bill_line", "journal", "transfer", "correction_case")]
    found = await done(village, village.scope("service"))
    assert (found.documents, found.net_fen) == (0, 0)
    after = [await village.count(table) for table in ("bill", "bill_line", "journal", "transfer", "correction_case")]
    assert after == before


async def test_a_price_that_changes_twice_ends_at_the_newest(village: Village) -> None:
    await village.reprice(CHEAPER, STARTS)
    await done(village, village.scope("service"))
    dearer = document(
        "service", "m2", charges=[{"key": "service", "quantity": "area", "per": "month", "price": "2.95"}]
    )
    await village.reprice(dearer, STARTS)
    scope = village.scope("service")
    foretold = await village.foretold(scope)
    found = await done(village, scope)
    assert found.by_value == 0
    assert found.net_fen == sum(one.draft.total_fen for one in foretold.values())
    assert await village.foretold(scope) == {}


async def test_a_sold_home_goes_by_value_and_everybody_else_by_column(village: Village) -> None:
    sold = village.premises[0]
    async with village.database.unit(village.tenant, village.actor) as unit:
        seller = (await estate.relations_of(unit.session, sold))[0].party_id
        buyer = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="buyer")
        await estate.sell(unit, premises_id=sold, from_party=seller, to_party=buyer, day=date(2026, 2, 11))
    await village.reprice(CHEAPER, STARTS)
    scope = village.scope("service")
    correction = await village.opened(scope)
    found = await village.previewed(correction)
    foretold = await village.foretold(scope)
    assert found.by_value == 1
    assert found.net_fen == sum(one.draft.total_fen for one in foretold.values())
    await village.approve(correction, found.sha)
    await village.book(correction)
    assert await village.foretold(scope) == {}
    assert len(await village.issued()) == len(foretold) == HOUSEHOLDS + 1


async def test_an_outcome_that_changed_since_the_preview_is_refused(village: Village) -> None:
    await village.reprice(CHEAPER, STARTS)
    correction = await village.opened(village.scope("service"))
    found = await village.previewed(correction)
    await village.reprice(
        document("service", "m2", charges=[{"key": "service", "quantity": "area", "per": "month", "price": "1.95"}]),
        STARTS,
    )
    with pytest.raises(PreviewChangedError):
        await village.approve(correction, found.sha)
    await village.book(correction)
    assert await village.issued() == {}


async def test_an_interrupted_booking_goes_on_where_it_stood_and_its_progress_is_told(village: Village) -> None:
    await village.reprice(CHEAPER, STARTS)
    correction = await village.opened(village.scope("service"))
    found = await village.previewed(correction)
    await village.approve(correction, found.sha)
    async with village.worker.view(village.tenant) as session:
        change = await repricing.ready(session, village.community_id, correction)
    assert change is not None
    with pytest.raises(RuntimeError, match="killed"):
        await _killed_while_booking(village, change, correction)
    async with village.database.view(village.tenant) as session:
        told = await repricing.look(session, village.community_id, correction)
    assert (told.state, told.premises, told.premises_done, told.documents) == ("approved", HOUSEHOLDS, 0, 0)
    await village.book(correction)
    await village.book(correction)
    async with village.database.view(village.tenant) as session:
        (told,) = await repricing.listed(session, village.community_id)
    assert (told.state, told.premises_done, told.documents) == ("booked", HOUSEHOLDS, HOUSEHOLDS)
    assert told.net_fen == found.net_fen
    await village.approve(correction, found.sha)


async def _killed_while_booking(village: Village, change: repricing.Ready, correction: UUID) -> None:
    async with village.worker.unit(village.tenant, village.actor) as unit:
        await repricing.book_chunk(unit, rate_period, change, correction)
        raise RuntimeError("killed")


async def test_what_is_asked_wrongly_is_refused(village: Village) -> None:
    async with village.database.unit(village.tenant, village.actor) as unit:
        scope = replace(village.scope("service"), charge_items=frozenset({ChargeItemId(UUID(int=7))}))
        with pytest.raises(RefusalError, match="charge item"):
            await repricing.open_price_correction(unit, scope, reason="x")
        with pytest.raises(RefusalError, match="reason"):
            await repricing.open_price_correction(unit, village.scope("service"), reason=" ")
        with pytest.raises(RefusalError, match="name them"):
            await repricing.open_price_correction(unit, village.scope(), reason="x")
        with pytest.raises(RefusalError, match="nothing was billed"):
            await repricing.open_price_correction(
                unit, village.scope("service", first_day=date(2026, 5, 1)), reason="x"
            )
    correction = await village.opened(village.scope("service"))
    async with village.database.unit(village.tenant, village.actor) as unit:
        with pytest.raises(NotFoundError):
            await repricing.drop(unit, CommunityId(UUID(int=5)), correction)
        await repricing.drop(unit, village.community_id, correction)
    with pytest.raises(CaseClosedError):
        await village.approve(correction, bytes(32))
