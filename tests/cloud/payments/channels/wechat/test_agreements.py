"""Agreements at WeChat Pay, against its simulator: what it says unclearly is unknown, what it did not schedule refused.

The sentences that hold for every channel are in `tests/contract/test_agreements.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cloud.payments.channels.deductions import AgreementWish
from cloud.payments.channels.provider import Refused, Unknown, UnknownReason
from cloud.payments.channels.wechat.agreements import WeChatAgreements
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.clock import SettableClock

OURS = "DK20260305AAAAAAAAAAAAA0"
WISH = AgreementWish(
    number=OURS,
    limit_fen=20_000,
    first_on=date(2026, 3, 12),
    description="翠湖花园",
    return_url="http://house.test/my/auto-pay",
    notify_url="http://house.test/notify/abc",
)


@dataclass(slots=True, kw_only=True)
class Desk:
    channel: InProcessChannel
    agreements: WeChatAgreements
    clock: SettableClock

    @property
    def contract(self) -> dict[str, Any]:
        """Return the contract as the channel holds it."""
        return self.channel.channel.contracts[OURS]


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = SettableClock(datetime(2026, 3, 5, 4, tzinfo=UTC))
    channel = InProcessChannel(tmp_path / "wechat", clock.now)
    agreements = WeChatAgreements(await channel.client("1900000109"), "12535")
    assert isinstance(await agreements.sign_page(WISH), str)
    await channel.control("sign-agreement", external=OURS)
    yield Desk(channel=channel, agreements=agreements, clock=clock)
    await channel.close()


async def test_what_the_payer_is_shown_is_what_he_wished_for(desk: Desk) -> None:
    estimated = desk.contract["estimated"]
    assert estimated["estimated_deduct_amount"] == {"total": 20_000, "currency": "CNY"}
    assert (estimated["estimated_deduct_date"], desk.contract["plan_id"]) == ("2026-03-12", 12_535)


@pytest.mark.parametrize(
    ("field", "value"),
    [("contract_state", "PAUSED"), ("contract_id", ""), ("out_contract_code", "DK2026"), ("contract_id", 7)],
)
async def test_an_agreement_that_is_told_unclearly_is_unknown(desk: Desk, field: str, value: object) -> None:
    desk.contract[field] = value
    told = await desk.agreements.query(OURS)
    assert isinstance(told, Unknown)
    assert told.reason is UnknownReason.UNREADABLE


async def test_a_schedule_that_is_told_unclearly_is_unknown(desk: Desk) -> None:
    desk.contract["schedule"] = {"schedule_state": "PERHAPS"}
    assert isinstance(await desk.agreements.announce(OURS, 100), Unknown)


async def test_another_amount_than_the_scheduled_one_is_refused_by_the_channel(desk: Desk) -> None:
    assert await desk.agreements.announce(OURS, 100) is None
    told = await desk.agreements.announce(OURS, 101)
    assert isinstance(told, Refused)
    assert desk.contract["schedule"]["scheduled_amount"]["total"] == 100


async def test_nothing_is_announced_for_an_agreement_that_has_ended(desk: Desk) -> None:
    await desk.channel.control("end-agreement", external=OURS)
    told = await desk.agreements.announce(OURS, 100)
    assert isinstance(told, Refused)
    assert told.code == "CONTRACT_NOT_SIGNED"


async def test_a_template_that_the_channel_does_not_know_gives_no_page(desk: Desk) -> None:
    other = WeChatAgreements(desk.agreements._client, "1")
    assert isinstance(await other.sign_page(replace(WISH, number="DK2")), Refused)
