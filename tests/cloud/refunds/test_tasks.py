"""Sending a refund: an unknown end is asked about, and it stands once."""

from __future__ import annotations

import pytest

from cloud.refunds.rules import RefundState
from tests.cloud.refunds.till import Till


@pytest.mark.parametrize("kind", ["commit_then_error", "unsigned", "wrong_key", "server_error", "rate_limited"])
async def test_a_refund_of_unknown_fate_is_asked_about_and_stands_once(till: Till, kind: str) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind=kind, order=payment.order_number)
    refund = await till.refund(payment, 300)
    assert refund.state is RefundState.SUBMITTED
    await till.later()
    assert (await till.state(refund)).state is RefundState.ARRIVED
    assert [row["number"] for row in await till.at_channel()] == [refund.refund_number]
