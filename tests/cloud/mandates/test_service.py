"""Agreeing, pausing and ending: one standing mandate for an account's money."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from cloud.kit.db import Unit
from cloud.mandates import service
from cloud.mandates.errors import MandateStateError, StandingMandateError, UnknownMandateError
from cloud.mandates.rules import MandateState
from cloud.mandates.values import Mandate
from cloud.payments.channel import Channel
from tests.cloud.mandates.purse import LIMIT_FEN, Purse
from tests.support.randomness import seeded_bytes


async def in_unit(purse: Purse, deed: object, mandate: Mandate) -> Mandate:
    counter = purse.hall.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        return await deed(unit, mandate.mandate_id)  # type: ignore[operator, no-any-return]


async def ask(unit: Unit, purse: Purse, **changed: object) -> Mandate:
    wish = replace(await purse.wish(), **changed)  # type: ignore[arg-type]
    return await service.ask(unit, wish, seeded_bytes(3))


async def test_asking_twice_is_one_mandate_and_a_signed_one_is_not_asked_for_again(purse: Purse) -> None:
    first = await purse.asked()
    counter = purse.hall.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        again = await ask(unit, purse, mandate_id=UUID(int=5))
    assert again == first
    await purse.signed()
    with pytest.raises(StandingMandateError):
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            await ask(unit, purse, mandate_id=UUID(int=6))


async def test_a_wish_with_another_limit_needs_the_first_ended(purse: Purse) -> None:
    await purse.asked()
    counter = purse.hall.counter
    with pytest.raises(StandingMandateError):
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            await ask(unit, purse, limit_fen=LIMIT_FEN + 1)


async def test_a_mandate_is_paused_resumed_and_ended_and_ended_is_the_end(purse: Purse) -> None:
    mandate = await purse.signed()
    assert (mandate.state, mandate.signed_at is not None) == (MandateState.ACTIVE, True)
    assert (await in_unit(purse, service.pause, mandate)).state is MandateState.PAUSED
    with pytest.raises(MandateStateError):
        await in_unit(purse, service.pause, mandate)
    assert (await in_unit(purse, service.resume, mandate)).state is MandateState.ACTIVE
    with pytest.raises(MandateStateError):
        await in_unit(purse, service.resume, mandate)
    counter = purse.hall.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        ended = await service.note_ended(unit, mandate.mandate_id, "user")
    assert (ended.state, ended.detail) == (MandateState.ENDED, "user")
    with pytest.raises(MandateStateError):
        await in_unit(purse, service.resume, mandate)
    assert await in_unit(purse, service.note_signed, mandate) == ended


async def test_a_mandate_that_is_asked_for_is_not_active_and_cannot_be_paused(purse: Purse) -> None:
    mandate = await purse.asked()
    assert mandate.state is MandateState.ASKED
    with pytest.raises(MandateStateError):
        await in_unit(purse, service.pause, mandate)


async def test_mandates_are_listed_by_account_and_community_and_a_strange_one_is_unknown(purse: Purse) -> None:
    first, second = await purse.signed(), await purse.asked(1)
    counter = purse.hall.counter
    async with counter.database.view(counter.tenant) as session:
        assert await service.mandates_of(session, [first.account_id]) == (first,)
        found = await service.mandates_in(session, first.book.community_id)
        assert {one.mandate_id for one in found} == {first.mandate_id, second.mandate_id}
        assert set(await service.standing(session)) == {first.mandate_id, second.mandate_id}
        with pytest.raises(UnknownMandateError):
            await service.mandate(session, UUID(int=1))


async def test_a_second_channel_for_the_same_money_needs_the_first_agreement_ended(purse: Purse) -> None:
    mandate = await purse.asked()
    other = Channel.WECHAT if purse.channel is Channel.ALIPAY else Channel.ALIPAY
    there = purse.hall.accounts[other].merchant_account_id
    counter = purse.hall.counter
    with pytest.raises(StandingMandateError):
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            await ask(unit, purse, mandate_id=UUID(int=8), merchant_account_id=there)
    await purse.clerk.end(counter.tenant, counter.office.site.actor, mandate.mandate_id)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        second = await ask(unit, purse, mandate_id=UUID(int=9), merchant_account_id=there)
    assert (second.state, second.merchant_account_id) == (MandateState.ASKED, there)
