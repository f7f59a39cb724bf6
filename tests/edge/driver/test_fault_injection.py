"""Injected faults never make a wrong value: a moderate number always, ten thousand a protocol as a slow test."""

from __future__ import annotations

import pytest

from edge.driver.exchanger import LinePace
from edge.driver.line_asker import LineAsker
from edge.driver.outcome import WireStats
from tests.edge.driver.campaign import (
    BAUD,
    FULL,
    PROTOCOLS,
    SCENES,
    SEED,
    FaultyBus,
    Result,
    _ask_all,
    main,
    run,
)
from tests.edge.driver.memory_line import memory_line
from tests.support.randomness import seeded
from tests.support.virtual_time import run_virtually

BRIEF = dict.fromkeys(PROTOCOLS, 1500) | {"Modbus TCP": 600}
FAULTS_LEAST = 10_000


def check(result: Result) -> None:
    assert result.wrong == 0
    assert result.right > result.asked // 4
    assert min(result.injected.values()) > result.asked // 30


@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_injected_fault_makes_a_wrong_value(name: str) -> None:
    result = run(name, BRIEF[name])

    check(result)
    assert result.faults > result.asked * 3 // 4


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_ten_thousand_injected_faults_make_no_wrong_value(name: str) -> None:
    result = run(name, FULL)

    check(result)
    assert result.faults >= FAULTS_LEAST


def test_another_seed_draws_other_faults() -> None:
    assert run("CJ/T 188", 200, seed=1).injected != run("CJ/T 188", 200, seed=2).injected


def test_the_campaign_sees_a_bus_that_lies_beyond_the_longest_answer_time() -> None:
    """A wrong value can be seen: answers later than the profile promises do meet the next question of their shape."""
    scene = SCENES["Modbus RTU"]
    bus = FaultyBus(scene.answers(), 9.0, seeded(SEED))
    asker = LineAsker(memory_line(bus), LinePace.of_baud(BAUD), WireStats(), echo=False)

    result = run_virtually(_ask_all(asker, scene, bus, 3_000))

    assert result.wrong > 0


def test_the_table_names_every_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--asked", "40"]) == 0

    shown = capsys.readouterr().out
    assert all(name in shown for name in PROTOCOLS)
