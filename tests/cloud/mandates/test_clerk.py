"""What the channel says about an agreement decides: signed there, ended there, not answered."""

from __future__ import annotations

import pytest

from cloud.mandates.rules import DebitState, MandateState
from cloud.payments.channel import Channel
from cloud.payments.channels.deductions import AgreementState
from common.errors import RefusalError
from tests.cloud.mandates.purse import Purse


async def test_a_mandate_is_active_only_when_the_channel_says_that_it_was_signed(purse: Purse) -> None:
    mandate = await purse.asked()
    assert (await purse.checked(mandate)).state is MandateState.ASKED
    await purse.act("sign-agreement", external=mandate.number)
    assert (await purse.checked(mandate)).state is MandateState.ACTIVE


async def test_what_the_payer_ended_at_the_channel_takes_no_money(purse: Purse) -> None:
    mandate = await purse.signed()
    await purse.told()
    await purse.act("end-agreement", external=mandate.number)
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
    assert (await purse.at_channel(mandate)).state is AgreementState.ENDED


async def test_while_the_channel_does_not_answer_nothing_is_ended_signed_or_taken(purse: Purse) -> None:
    mandate = await purse.signed()
    await purse.told()
    counter = purse.hall.counter
    await purse.act("mischief", kind="server_error", times=2)
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


# Alipay's agreements are asked about each morning; nothing it tells of them is listened to.
@pytest.mark.parametrize("purse", [Channel.WECHAT], indirect=True)
async def test_what_a_channel_tells_of_signing_and_ending_has_it_asked(purse: Purse) -> None:
    mandate = await purse.asked()
    await purse.act("sign-agreement", external=mandate.number)
    await purse.hall.deliver(purse.channel)
    await purse.hall.counter.work()
    assert (await purse.mandate(mandate.mandate_id)).state is MandateState.ACTIVE
    await purse.act("end-agreement", external=mandate.number)
    await purse.hall.deliver(purse.channel)
    await purse.hall.counter.work()
    ended = await purse.mandate(mandate.mandate_id)
    assert (ended.state, ended.detail) == (MandateState.ENDED, "channel")


# The address of Alipay's page is made here, nobody is called.
@pytest.mark.parametrize("purse", [Channel.WECHAT], indirect=True)
async def test_a_channel_that_gives_no_page_leaves_the_wish_as_it_is(purse: Purse) -> None:
    mandate = await purse.asked()
    await purse.act("mischief", kind="server_error")
    with pytest.raises(RefusalError, match="try again"):
        await purse.clerk.sign_page(purse.hall.counter.tenant, mandate)
    assert (await purse.checked(mandate)).state is MandateState.ASKED


# Alipay is told no amount before it is taken.
@pytest.mark.parametrize("purse", [Channel.WECHAT], indirect=True)
async def test_an_amount_that_the_channel_did_not_hear_is_told_again_the_next_morning(purse: Purse) -> None:
    mandate = await purse.signed()
    await purse.on(18, hour=9)
    contract = purse.hall.wechat.channel.contracts[mandate.number]
    await purse.act("mischief", kind="server_error", order="", times=3)
    await purse.look()
    assert contract["schedule"]["schedule_state"] == "NO_SCHEDULED"
    await purse.act("calm")
    await purse.on(19, hour=9)
    await purse.look()
    assert contract["schedule"]["scheduled_amount"]["total"] == 12_345
    await purse.on(22)
    assert await purse.paid() == [12_345]
