"""What every carrier of messages promises, by the same sentences: three clients against three simulators."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cloud.kit.calls import Later, Refused, Unknown
from cloud.notices.kinds import NoticeKind, Way
from cloud.notices.providers.values import Accepted, Delivered
from tests.contract.message_benches import FACTS, NOBODY, TO, MessageBench, open_message_bench
from tests.simulation.messages.sms import SmsSimulator

# Who can be asked what became of a letter; the others say so, and are never asked in vain.
TELLS = {Way.SMS: True, Way.WECHAT: False, Way.MAIL: False}
# Whose texts must be approved before.
TEMPLATED = {Way.SMS, Way.WECHAT}


@pytest_asyncio.fixture(params=sorted(Way))
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[MessageBench]:
    async with open_message_bench(Way(request.param)) as opened:
        yield opened


async def test_a_letter_is_taken_on_with_a_reference_and_says_its_facts(bench: MessageBench) -> None:
    outcome = await bench.carrier.send(bench.letter())
    assert isinstance(outcome, Accepted), outcome
    assert outcome.reference
    assert bench.arrived() == [(TO[bench.way], FACTS["amount"])]


async def test_who_is_not_known_to_the_provider_sends_nothing_and_may_try_later(bench: MessageBench) -> None:
    assert isinstance(await bench.stranger.send(bench.letter()), Later)
    assert bench.arrived() == []


async def test_an_address_of_nobody_is_a_final_no(bench: MessageBench) -> None:
    outcome = await bench.carrier.send(bench.letter(to=NOBODY[bench.way]))
    assert isinstance(outcome, Refused)
    assert outcome.reason
    assert bench.arrived() == []


async def test_a_provider_that_asks_for_patience_has_sent_nothing(bench: MessageBench) -> None:
    bench.simulator.trouble = "slow_down"
    assert isinstance(await bench.carrier.send(bench.letter()), Later)
    assert bench.arrived() == []
    assert isinstance(await bench.carrier.send(bench.letter()), Accepted)


async def test_an_answer_that_got_lost_is_unknown_though_the_letter_went_out(bench: MessageBench) -> None:
    bench.simulator.trouble = "answer_lost"
    assert isinstance(await bench.carrier.send(bench.letter()), Unknown)
    assert len(bench.arrived()) == 1
    asked = await bench.carrier.ask(bench.question())
    assert isinstance(asked, Accepted if TELLS[bench.way] else Unknown)


async def test_whether_it_can_be_asked_is_what_the_carrier_says_of_itself(bench: MessageBench) -> None:
    assert bench.carrier.tells is TELLS[bench.way]
    outcome = await bench.carrier.send(bench.letter())
    assert isinstance(outcome, Accepted)
    for arrived, expected in ((True, Delivered), (False, Refused)):
        if isinstance(bench.simulator, SmsSimulator):
            bench.simulator.report(arrived=arrived)
        became = await bench.carrier.ask(bench.question(reference=outcome.reference))
        assert isinstance(became, expected if TELLS[bench.way] else Unknown)


async def test_a_letter_that_was_never_sent_is_unknown(bench: MessageBench) -> None:
    assert isinstance(await bench.carrier.ask(bench.question(n=9)), Unknown)


async def test_a_notice_without_an_approved_text_is_refused_where_texts_are_approved(bench: MessageBench) -> None:
    outcome = await bench.carrier.send(bench.letter(kind=NoticeKind.DEDUCTION))
    assert isinstance(outcome, Refused if bench.way in TEMPLATED else Accepted)
    assert len(bench.arrived()) == (0 if bench.way in TEMPLATED else 1)


async def test_what_a_letter_shows_of_itself_in_a_log_is_no_address(bench: MessageBench) -> None:
    assert TO[bench.way] not in repr(bench.letter())
    assert TO[bench.way] not in repr(bench.question())
