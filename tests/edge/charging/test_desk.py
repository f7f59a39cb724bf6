"""Charging as people see it: plugs, energy and cost so far, no card."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from edge.charging.desk import ChargingDesk
from edge.driver.pile_events import Plug, Sampled, StartTold
from tests.edge.charging.yard import CARD, PileYard


async def test_a_charge_shows_its_energy_and_cost_so_far_and_no_card(tmp_path: Path) -> None:
    yard = PileYard(tmp_path / "store.db")
    await yard.stage.start(StartTold(pile="P1", connector=1, card=CARD, meter_wh=1_000, at_ms=yard.now_ms()))
    await yard.stage.plug("P1", 1, Plug.CHARGING, yard.now_ms())
    yard.clock.advance(timedelta(hours=1))
    await yard.stage.sample(Sampled(pile="P1", connector=1, transaction=None, meter_wh=3_050, at_ms=yard.now_ms()))
    desk = ChargingDesk(yard.stage)
    (charge,) = desk.charges()
    assert (charge.kwh, charge.cost_fen, charge.ended) == ("2.050", 205, False)
    assert CARD not in str(charge)
    assert [(pile.pile, pile.plug) for pile in desk.piles()] == [("P1", "charging"), ("P2", "")]
    yard.store.close()
