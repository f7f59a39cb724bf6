"""The file for the online bank: a row a payout, in the banks' encoding, the same bytes for the same payouts."""

from __future__ import annotations

import csv
import io
from uuid import UUID

from cloud.refunds import payouts
from cloud.refunds.payout_file import HEADER, payout_file
from common.ids import CommunityId
from tests.cloud.refunds.test_payouts import BOX, approved
from tests.cloud.refunds.till import Till


async def test_a_payout_is_a_row_with_our_number_as_its_remark(till: Till) -> None:
    refund = await approved(till)
    community = CommunityId(till.counter.office.site.community_id)
    async with till.database.view(till.counter.tenant) as session:
        found = await payouts.listed(session, BOX, till.counter.tenant, community)
    made = payout_file(found)
    assert made == payout_file(found)
    rows = list(csv.reader(io.StringIO(made.decode("gb18030"))))
    assert rows == [list(HEADER), ["张三", "6217000012345678\t", "5.00", refund.refund_number]]
    assert [one.refund.bank_account_id for one in found] == [UUID(int=0xBA)]


def test_nothing_due_is_a_file_of_its_heading() -> None:
    assert payout_file([]).decode("gb18030").split() == [",".join(HEADER)]
