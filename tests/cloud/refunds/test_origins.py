"""Where the money of a refund lies: lines that it settled open again."""

from __future__ import annotations

from cloud.refunds.rules import Doubt, RefundState
from tests.cloud.refunds.till import Till


async def test_a_refund_of_what_settled_a_bill_opens_its_lines_again_after_a_person_agreed(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(billed_fen=500, paid_fen=500)
    waiting = await till.refund(payment, 200)
    assert waiting.doubts == (Doubt.BILL_OPENS_AGAIN,)
    assert await till.counter.open_fen() == 0
    refund = await till.judge(waiting)
    assert (refund.state, [part.fen for part in refund.reopened]) == (RefundState.ARRIVED, [200])
    assert (await till.counter.open_fen(), await till.clearing_fen()) == (200, 300)
