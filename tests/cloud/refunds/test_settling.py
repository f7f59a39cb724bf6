"""What a refund does in the book when it comes to nothing: all is as it was."""

from __future__ import annotations

from cloud.refunds.rules import RefundState
from tests.cloud.refunds.till import Till


async def test_a_refund_that_the_channel_closes_settles_the_bill_again(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(billed_fen=500, paid_fen=500)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.judge(await till.refund(payment, 500))
    assert (refund.state, await till.counter.open_fen()) == (RefundState.ACCEPTED, 500)
    await till.counter.channel.control("finish-refund", number=refund.refund_number, state="CLOSED")
    await till.later()
    ended = await till.state(refund)
    assert (ended.state, ended.detail) == (RefundState.FAILED, "closed by the channel")
    assert (await till.counter.open_fen(), await till.counter.ahead_fen(), await till.clearing_fen()) == (0, 0, 500)
    assert await till.open_cases() == ["refund_failed"]
    assert (await till.judge(await till.refund(payment, 500))).state is RefundState.ARRIVED
