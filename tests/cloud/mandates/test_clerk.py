"""What the channel says about an agreement decides: signed there, ended there, not answered."""

from __future__ import annotations

import pytest

from cloud.mandates.rules import DebitState, MandateState
from common.errors import RefusalError
from tests.cloud.mandates.purse import Purse


async def test_a_mandate_is_active_only_when_the_channel_says_that_it_was_signed(purse: Purse) -> None:
    mandate = await purse.asked()
    assert (await purse.checked(mandate)).state is MandateState.ASKED
    await purse.hall.alipay.control("sign-agreement", external=mandate.number)
    assert (await purse.checked(mandate)).state is MandateState.ACTIVE


async def test_what_the_payer_ended_at_the_channel_takes_no_money(purse: Purse) -> None:
    mandate = await purse.signed()
    await purse.told()
    await purse.hall.alipay.control("end-agreement", external=mandate.number)
    await purse.on(22)
    assert await purse.paid() == []
    ended = await purse.mandate(mandate.mandate_id)
    assert (ended.state, ended.detail) == (MandateState.ENDED, "channel")
    assert [one.state for one in await purse.debits(mandate)] == [DebitState.CANCELLED]


async def test_an_agreement_is_ended_at_the_channel_and_here(purse: Purse) -> None:
    mandate = await purse.signed()
    counter = purse.hall.counter
    ended = await purse.clerk.end(counter.tenant, counter.office.site.actor, mandate.mandate_id)
    assert (ended.state, ended.detail) == (MandateState.ENDED, "user")
    agreements = purse.hall.alipay.simulator.channel.agreements
    assert agreements[mandate.number]["status"] == "STOP"


async def test_while_the_channel_does_not_answer_nothing_is_ended_signed_or_taken(purse: Purse) -> None:
    mandate = await purse.signed()
    await purse.told()
    counter = purse.hall.counter
    await purse.hall.alipay.control("mischief", kind="server_error", times=2)
    with pytest.raises(RefusalError, match="pause it now"):
        await purse.clerk.end(counter.tenant, counter.office.site.actor, mandate.mandate_id)
    await purse.on(22)
    assert (await purse.mandate(mandate.mandate_id)).state is MandateState.ACTIVE
    assert await purse.paid() == []
    await purse.on(24)
    assert await purse.paid() == [12_345]


async def test_a_wish_that_nobody_signed_is_given_up_after_a_week(purse: Purse) -> None:
    mandate = await purse.asked()
    await purse.on(9)
    await purse.look()
    given_up = await purse.mandate(mandate.mandate_id)
    assert (given_up.state, given_up.detail) == (MandateState.ENDED, "unsigned")
