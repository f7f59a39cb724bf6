"""Adjustment documents: numbered on within their account, and what is overpaid moves to what is paid ahead."""

from __future__ import annotations

from uuid import UUID

from cloud.billing.adjusting import releases_of
from cloud.billing.documents import Account
from cloud.ledger.journals import LineRef
from cloud.ledger.routes import Route
from common.ids import AccountId, CommunityId, PartyId, PremisesId
from tests.cloud.billing.village import CHEAPER, OTHER_TIERS, STARTS, Village


def test_nothing_overpaid_moves_nothing() -> None:
    account = Account(
        account_id=AccountId(UUID(int=1)),
        community_id=CommunityId(UUID(int=2)),
        premises_id=PremisesId(UUID(int=3)),
        party_id=PartyId(UUID(int=4)),
        lookup_code="000000",
    )
    assert releases_of(account.community_id, account, [], {}) == ()


async def test_a_credit_on_a_paid_line_moves_what_is_overpaid_on_that_line(village: Village) -> None:
    await village.reprice(CHEAPER, STARTS)
    for adjustment in (await village.foretold(village.scope("service"))).values():
        (credit,) = (line for line in adjustment.draft.lines if line.key.service_start == adjustment.period.start)
        (move,) = adjustment.releases
        assert (move.route, move.fen, move.line) == (Route.OVERPAID, -credit.fen, credit.corrects)
        assert isinstance(credit.corrects, LineRef)


async def test_adjustments_of_an_account_are_counted_on(village: Village) -> None:
    for price, code in ((CHEAPER, "service"), (OTHER_TIERS, "electricity")):
        await village.reprice(price, STARTS)
        correction = await village.opened(village.scope(code))
        found = await village.previewed(correction)
        await village.approve(correction, found.sha)
        await village.book(correction)
    assert await village.sequences() == {1, 2}
