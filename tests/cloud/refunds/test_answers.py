"""What the channel says about a refund: accepted is not arrived."""

from __future__ import annotations

from cloud.refunds.rules import RefundState
from tests.cloud.refunds.till import Till


async def test_accepted_is_not_arrived_until_the_channel_says_so(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.refund(payment, 300)
    assert (refund.state, refund.arrived_at) == (RefundState.ACCEPTED, None)
    assert (await till.counter.ahead_fen(), await till.clearing_fen()) == (0, 800)
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    await till.counter.deliver()
    await till.counter.work()
    assert (await till.state(refund)).state is RefundState.ARRIVED
    assert await till.clearing_fen() == 500
