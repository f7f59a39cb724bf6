"""One question on a line: pace from the speed, echo, noise, glued and split frames, silence and reopening."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from edge.device import model
from edge.driver.asking import BlockData, BlockFailure
from edge.driver.exchanger import SILENCE_S_LEAST, TIMEOUTS_BEFORE_REOPEN, Exchanger, LinePace
from edge.driver.outcome import FailureKind, WireStats
from edge.protocol.modbus_rtu import ModbusRtu, RegisterQuestion
from tests.edge.driver.memory_line import Bus, memory_line
from tests.simulation.devices.rtu_pty import checksum
from tests.support.virtual_time import run_virtually

QUESTION = RegisterQuestion(unit=1, function=3, start=0, count=1)
REQUEST = ModbusRtu().request(QUESTION)
ANSWER = bytes.fromhex("0103021234") + checksum(bytes.fromhex("0103021234"))
PACE = model.Timing(answer_ms=200, longest_ms=400, gap_ms=20)


def exchanger(bus: Bus, stats: WireStats | None = None, *, echo: bool = False) -> Exchanger:
    return Exchanger(memory_line(bus), LinePace.of_baud(9600), stats or WireStats(), echo=echo)


def ask(owner: Exchanger, times: int = 1) -> BlockData | BlockFailure:
    async def story() -> BlockData | BlockFailure:
        results = []
        for _ in range(times):
            await owner.open()
            results.append(await owner.exchange(ModbusRtu(), QUESTION, owner.pace.timing(PACE, 8)))
        return results[-1]

    return run_virtually(story())


def test_the_pace_follows_from_the_speed_with_a_floor_for_fast_lines() -> None:
    slow, fast = LinePace.of_baud(2400), LinePace.of_baud(115_200)

    assert slow.character_s == pytest.approx(11 / 2400)
    assert slow.silence_s == pytest.approx(3.5 * 11 / 2400)
    assert fast.silence_s == SILENCE_S_LEAST


def test_a_models_times_grow_by_what_the_bytes_take() -> None:
    timing = LinePace.of_baud(2400).timing(PACE, 24)

    assert timing.answer_s == pytest.approx(0.2 + 24 * 11 / 2400)
    assert timing.longest_s == pytest.approx(0.4 + 24 * 11 / 2400)
    assert timing.gap_s == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("what", "pieces"),
    [
        ("whole", [(0.03, ANSWER)]),
        ("split byte by byte", [(0.03 + n / 1000, ANSWER[n : n + 1]) for n in range(len(ANSWER))]),
        ("noise before it", [(0.03, b"\x00\xff" + ANSWER)]),
        ("glued to its double", [(0.03, ANSWER + ANSWER)]),
        ("behind a stranger", [(0.03, b"\x02" + ANSWER[1:-2] + checksum(b"\x02" + ANSWER[1:-2])), (0.05, ANSWER)]),
    ],
)
def test_an_answer_is_found_however_the_line_hands_it_over(what: str, pieces: list[tuple[float, bytes]]) -> None:
    result = ask(exchanger(lambda _: pieces))

    assert isinstance(result, BlockData), what
    assert result.data == b"\x12\x34"


def test_ones_own_echo_is_taken_off_before_the_answer() -> None:
    result = ask(exchanger(lambda request: [(0.01, request), (0.05, ANSWER)], echo=True))

    assert isinstance(result, BlockData)


def test_an_answer_with_bytes_of_no_frame_behind_it_is_not_trusted() -> None:
    result = ask(exchanger(lambda _: [(0.03, ANSWER + b"\x55")]))

    assert isinstance(result, BlockFailure)
    assert result.kind is FailureKind.BAD_FRAME


def test_what_came_between_two_questions_is_dropped_and_counted() -> None:
    stats = WireStats()
    answers: list[Iterable[tuple[float, bytes]]] = [[(0.03, ANSWER), (0.3, ANSWER)], [(0.03, ANSWER)]]

    result = ask(exchanger(lambda _: answers.pop(0), stats), times=2)

    assert isinstance(result, BlockData)
    assert stats.late_frames == 1


def test_after_a_time_out_the_line_rests_for_the_longest_answer_time() -> None:
    owner = exchanger(lambda _: [])
    asked = ask(owner)

    assert isinstance(asked, BlockFailure)
    assert owner.free_at(ModbusRtu().shape(QUESTION)) == pytest.approx(owner.pace.timing(PACE, 8).longest_s)


def test_a_line_that_stays_silent_is_opened_anew() -> None:
    stats = WireStats()

    ask(exchanger(lambda _: [], stats), times=TIMEOUTS_BEFORE_REOPEN + 1)

    assert stats.reconnects == 1
