"""How refunds move: asked about until there is news, and their room given back when they come to nothing."""

from __future__ import annotations

import pytest

from cloud.refunds.errors import RefundStateError
from cloud.refunds.rules import RefundState
from common.errors import RefusalError
from tests.cloud.refunds.till import OTHER_BOSS, Till


async def test_a_lost_notification_of_a_refund_is_made_up_for_by_asking(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.refund(payment, 300)
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    await till.later(minutes=1)
    assert (await till.state(refund)).state is RefundState.ARRIVED


async def test_one_rejection_ends_a_refund_and_gives_its_room_back(till: Till) -> None:
    payment = await till.paid(paid_fen=800)
    waiting = await till.refund(payment, 300)
    with pytest.raises(RefusalError, match="reason"):
        await till.judge(waiting, approves=False)
    assert (await till.judge(waiting, approves=False, note="not ours")).state is RefundState.REJECTED
    with pytest.raises(RefundStateError):
        await till.judge(waiting, OTHER_BOSS)
    await till.set_policy()
    assert (await till.refund(payment, 300)).state is RefundState.ARRIVED
