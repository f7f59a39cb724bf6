"""The arithmetic of a sweep: the figures of the physics, and a schedule that cannot be kept is refused with them."""

from __future__ import annotations

import pytest

from common.errors import FaultsError
from common.reading.reading import Quantity
from edge.driver.fitness import check_site
from edge.driver.outcome import DeviceConfig, WireKind
from edge.driver.sweep import Sweep, sweep_faults, sweep_of
from tests.edge.driver.builders import catalogue, device, wire_config


def meters(count: int, model: str, *points: Quantity) -> list[DeviceConfig]:
    addresses = {"eastron-sdm120": "{}", "kamstrup-multical-601": "{}", "cjt188-water": "{:014d}"}
    form = addresses.get(model, "{:012d}")
    return [device(n, model, form.format(n), *points) for n in range(1, count + 1)]


def sweep(count: int, model: str, baud: int, *points: Quantity) -> Sweep:
    return sweep_of(wire_config(baud=baud), meters(count, model, *points), catalogue())


@pytest.mark.parametrize(
    ("found", "least_s", "most_s"),
    [
        pytest.param(sweep(200, "eastron-sdm120", 9600), 10, 19, id="200 Modbus meters at 9600"),
        pytest.param(sweep(200, "dlt645-2007-single-phase", 2400), 40, 140, id="200 DL/T 645 meters at 2400"),
        pytest.param(sweep(200, "dlt645-2007-single-phase", 9600), 10, 110, id="200 DL/T 645 meters at 9600"),
        pytest.param(sweep(3, "cjt188-water", 2400, Quantity.VOLUME), 0.7, 1.2, id="3 CJ/T 188 meters at 2400"),
        pytest.param(sweep(1, "kamstrup-multical-601", 2400, Quantity.VOLUME), 0.3, 0.6, id="a heat meter at 2400"),
    ],
)
def test_a_sweep_takes_what_the_physics_of_the_line_says(found: Sweep, least_s: float, most_s: float) -> None:
    assert least_s <= found.seconds <= most_s


def test_points_of_one_block_cost_one_question() -> None:
    one = sweep(1, "eastron-sdm120", 9600, Quantity.ENERGY_FORWARD)
    two = sweep(1, "eastron-sdm120", 9600, Quantity.ENERGY_FORWARD, Quantity.ENERGY_REVERSE)

    assert one.exchanges == two.exchanges == 1
    assert two.wire_bytes == one.wire_bytes + 4


def test_a_schedule_that_the_line_cannot_keep_is_refused_with_its_arithmetic() -> None:
    config, many = wire_config(baud=2400), meters(200, "dlt645-2007-single-phase")

    with pytest.raises(FaultsError) as refused:
        check_site([config], many, catalogue(), period_s=30)

    told = str(refused.value)
    assert all(
        word in told for word in ("wire w1", "200 meters", "2400 baud", "slots come every 30 s", "raise the speed")
    )
    check_site([config], many, catalogue(), period_s=900)


def test_networks_and_unknown_models_are_not_counted() -> None:
    tcp = wire_config(WireKind.MODBUS_TCP, "127.0.0.1:502", baud=300)

    assert sweep_faults([tcp], meters(200, "eastron-sdm120"), catalogue(), 1) == []
    assert sweep_of(wire_config(), [device(1, "nobody", "1")], catalogue()).meters == 0
