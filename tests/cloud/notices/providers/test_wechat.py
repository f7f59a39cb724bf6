"""WeChat: one token serves many messages, one that ran out is renewed, and the words go into the chosen fields."""

from __future__ import annotations

from cloud.notices.kinds import Way
from cloud.notices.providers.values import Accepted
from tests.contract.message_benches import FACTS, open_message_bench
from tests.simulation.messages.wechat import WeChatSimulator


async def test_one_token_serves_many_and_one_that_ran_out_is_renewed() -> None:
    async with open_message_bench(Way.WECHAT) as bench:
        simulator = bench.simulator
        assert isinstance(simulator, WeChatSimulator)
        for n in (1, 2):
            assert isinstance(await bench.carrier.send(bench.letter(n)), Accepted)
        assert simulator.tokens == 1
        simulator.valid = "another"
        assert isinstance(await bench.carrier.send(bench.letter(3)), Accepted)
        assert simulator.tokens == 2
        assert len(simulator.messages) == 3


async def test_the_facts_stand_in_the_fields_that_were_chosen_for_them() -> None:
    async with open_message_bench(Way.WECHAT) as bench:
        simulator = bench.simulator
        assert isinstance(simulator, WeChatSimulator)
        await bench.carrier.send(bench.letter())
        (message,) = simulator.messages
    assert message["data"] == {"thing1": {"value": FACTS["place"]}, "amount2": {"value": FACTS["amount"]}}
    assert message["client_msg_id"] == bench.letter().letter_id.hex
