"""A charge is priced on the gateway by the same request as in the cloud."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from common.clock import to_epoch_ms
from common.rating.charge import Charge, request_of
from common.rating.engine import rate
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from edge.prerate.charges import price_charge
from edge.prerate.prices import parse_prices
from tests.edge.prerate.test_estimator import ZONE

FILE = Path(__file__).parents[3] / "firmware-config" / "tariffs" / "charging" / "pile-tou.yaml"
START_MS = to_epoch_ms(datetime(2026, 1, 5, 6, tzinfo=UTC))
CHARGE = Charge(samples=((START_MS, 0), (START_MS + 7_200_000, 14_000)), idle_minutes=90)


def test_the_gateway_and_the_engine_agree_and_a_pile_without_a_tariff_has_no_price() -> None:
    tariff = parse_tariff(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    revision = {
        "tariff_code": "pile",
        "effective_from": "2026-01-01",
        "rev": 1,
        "body_sha": tariff.body_sha,
        "body": tariff.body,
    }
    assignment = {"lot": "P1", "charge_code": "charging", "tariff_code": "pile"}
    prices = parse_prices({"revisions": [revision], "assignments": [assignment]})
    compiled = compile_tariff(tariff)
    priced = price_charge(prices, ZONE, "P1", CHARGE)
    assert priced is not None
    assert priced[0] == rate(compiled, request_of(compiled, CHARGE, ZONE, None)).amount_fen
    assert price_charge(prices, ZONE, "P2", CHARGE) is None
