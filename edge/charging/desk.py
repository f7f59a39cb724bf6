"""Charging as people see it: piles with their plugs, charges with their energy and cost so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.clock import from_epoch_ms
from edge.charging.service import ChargingStage

_WH_PER_KWH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPile:
    """A connector of a pile; `plug` is what it said last, empty before the first word."""

    pile: str
    label: str
    connector: int
    plug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCharge:
    """A charge under way; `cost_fen` is None when the gateway has no price for it."""

    session_id: UUID
    pile: str
    connector: int
    started: datetime
    energy_wh: int
    ended: bool
    cost_fen: int | None

    @property
    def kwh(self) -> str:
        """Return the energy as text in kWh."""
        return f"{self.energy_wh // _WH_PER_KWH}.{self.energy_wh % _WH_PER_KWH:03d}"


class ChargingDesk:
    """What the pages may ask of charging."""

    def __init__(self, stage: ChargingStage) -> None:
        self._stage = stage

    def piles(self) -> Sequence[ShownPile]:
        """Return the connectors of the site."""
        return [
            ShownPile(
                pile=pile.pile,
                label=pile.label or pile.pile,
                connector=connector,
                plug=str(self._stage.plugs.get((pile.pile, connector), "")),
            )
            for pile in self._stage.piles.values()
            for connector in range(1, pile.connectors + 1)
        ]

    def charges(self) -> Sequence[ShownCharge]:
        """Return the charges under way, the oldest first."""
        shown = []
        for charge in sorted(self._stage.charges().values(), key=lambda one: one.started_ms):
            quote = self._stage.quoted(charge)
            shown.append(
                ShownCharge(
                    session_id=charge.session_id,
                    pile=charge.pile,
                    connector=charge.connector,
                    started=from_epoch_ms(charge.started_ms),
                    energy_wh=charge.last_wh - charge.samples[0][1],
                    ended=charge.ended_ms is not None,
                    cost_fen=None if quote is None else quote[0],
                )
            )
        return shown

    async def start(self, pile: str, connector: int, card: str) -> str:
        """Ask a pile to begin a charge for a card and return its answer."""
        return (await self._stage.remote_start(pile, connector, card.strip().upper())).value

    async def stop(self, session_id: UUID) -> str:
        """Ask the pile of a charge to end it and return its answer."""
        return (await self._stage.remote_stop(session_id)).value
