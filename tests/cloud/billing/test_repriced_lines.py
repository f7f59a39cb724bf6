"""Lines of a change of prices: each is explained from the input that it names, beside what it was and is."""

from __future__ import annotations

from cloud.billing import service
from cloud.billing.explaining import explained
from tests.cloud.billing.village import OTHER_TIERS, STARTS, Village


async def test_a_line_says_what_it_was_and_is_and_its_input_explains_the_new_amount(village: Village) -> None:
    await village.reprice(OTHER_TIERS, STARTS)
    correction = await village.opened(village.scope("electricity"))
    found = await village.previewed(correction)
    await village.approve(correction, found.sha)
    await village.book(correction)
    async with village.database.view(village.tenant) as session:
        looked = 0
        for account in await service.accounts_in(session, village.community_id):
            for summary in await service.bills_of(session, [account.account_id]):
                if summary.case_id is None:
                    continue
                view = await service.bill(session, summary.bill_id)
                drafts = [one.line for one in view.lines]
                for line in await explained(session, village.community_id, account.premises_id, drafts):
                    adjusts, rated = line.trace["adjusts"], line.trace["line"]
                    assert adjusts["now_fen"] - adjusts["was_fen"] == line.fen != 0
                    assert rated["amount_fen"] == adjusts["now_fen"]
                    looked += 1
    assert looked == found.lines > 0
