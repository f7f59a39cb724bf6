"""The cases that refunds open, and that close again when they are decided."""

from __future__ import annotations

import pytest

from cloud.refunds.errors import VerdictError
from cloud.refunds.rules import Doubt, RefundState
from tests.cloud.refunds.till import CLERK, Till


async def test_outside_the_policy_another_person_approves(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=30_000)
    waiting = await till.refund(payment, 20_000)
    assert (waiting.state, waiting.persons_needed) == (RefundState.REQUESTED, 1)
    assert waiting.doubts == (Doubt.ABOVE_LIMIT,)
    assert await till.open_cases() == ["refund_waits"]
    assert await till.at_channel() == []
    with pytest.raises(VerdictError, match="yourself"):
        await till.judge(waiting, CLERK)
    assert (await till.judge(waiting)).state is RefundState.ARRIVED
    assert await till.open_cases() == []


async def test_a_refund_that_cannot_reach_the_payer_stays_accepted_and_a_person_is_told(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_abnormal")
    refund = await till.refund(payment, 300)
    assert (refund.state, refund.detail) == (RefundState.ACCEPTED, "abnormal")
    assert await till.open_cases() == ["refund_abnormal"]
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    await till.later()
    assert (await till.state(refund)).state is RefundState.ARRIVED
