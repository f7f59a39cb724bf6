"""Which driver owns the port of a site's piles; OCPP's packages are loaded only for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import RefusalError
from edge.driver.ocpp_server import OcppWire
from edge.driver.outcome import WireConfig, WireKind
from edge.driver.pile_build import build_pile_wire
from tests.edge.builders import HandClock
from tests.edge.charging.yard import PileYard

WIRES = {
    "piles": WireConfig(wire="piles", kind=WireKind.OCPP, address="127.0.0.1:0"),
    "bus": WireConfig(wire="bus", kind=WireKind.SERIAL, address="/dev/ttyS0"),
}


def test_ocpp_piles_get_their_driver_and_others_a_refusal_with_its_remedy(
    tmp_path: Path,
) -> None:
    yard = PileYard(tmp_path / "store.db")
    assert isinstance(build_pile_wire((WIRES, "piles"), ("P1",), yard.stage, HandClock()), OcppWire)
    with pytest.raises(RefusalError, match="make it an ocpp or ykc wire"):
        build_pile_wire((WIRES, "bus"), ("P1",), yard.stage, HandClock())
    with pytest.raises(RefusalError, match="'else' is unknown; name one of"):
        build_pile_wire((WIRES, "else"), ("P1",), yard.stage, HandClock())
    yard.store.close()


def test_a_gateway_without_piles_does_not_load_their_packages() -> None:
    code = "import sys, edge.app; print(sorted({'ocpp', 'websockets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout.strip() == "[]"
