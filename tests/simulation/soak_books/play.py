"""Play one seed: deeds in an order that the seed decides, the auditor after each, liveness at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.soak_books.auditor import Breach
from tests.simulation.soak_books.deeds import DEEDS
from tests.simulation.soak_books.meter_deeds import settle_usage
from tests.simulation.soak_books.world import World, open_world
from tests.support.postgres import TestServer

DEEDS_OF_A_SEED = 60
_QUIET_S = (60, 300, 900, 3_600, 7_200, 21_600, 43_200)
_HOURS = (0, 0, 1, 6, 24, 72)


@dataclass(slots=True)
class Tally:
    """What was done, what struck, and what broke, over all seeds."""

    seeds: int = 0
    checks: int = 0
    done: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    broken: dict[int, list[Breach]] = field(default_factory=dict)

    def add(self, world: World) -> None:
        """Count what a world did."""
        self.seeds += 1
        self.done += world.done
        self.faults += world.faults
        self.refused += world.refused

    def table(self) -> str:
        """Return the table to print."""
        rows = [f"{'operations':44}{self.done.total():>9}"]
        rows += [f"  {name:42}{count:>9}" for name, count in sorted(self.done.items())]
        rows += [f"{'refused, as they should be':44}{self.refused.total():>9}"]
        rows += [f"{'faults':44}{self.faults.total():>9}"]
        rows += [f"  {name:42}{count:>9}" for name, count in sorted(self.faults.items()) if count]
        rows += [f"{'seeds':44}{self.seeds:>9}", f"{'audits':44}{self.checks:>9}"]
        rows += [f"{'breaches':44}{sum(len(found) for found in self.broken.values()):>9}"]
        for seed, found in self.broken.items():
            rows += [f"  seed {seed}: {one.check}: {one.what}" for one in found]
            rows += [f"  again: make soak SEED={seed}"]
        return "\n".join(rows) + "\n"


async def play(server: TestServer, folder: Path, seed: int, tally: Tally, deeds: int = DEEDS_OF_A_SEED) -> None:
    """Play a seed; the first breach ends it."""
    async with open_world(server, folder, seed) as world:
        try:
            for _ in range(deeds):
                (deed,) = world.dice.choices(list(DEEDS), weights=list(DEEDS.values()))
                await deed(world)
                await world.work()
                if _audited(world, tally):
                    return
                world.shop.ground.clock.advance(hours=world.dice.choice(_HOURS), minutes=1)
            await _quiet(world, tally)
        except Exception as error:  # noqa: BLE001 - an error that no client is told is a breach, and its seed must be said
            tally.broken[seed] = [Breach("no deed fails unexplained", f"{type(error).__name__}: {str(error)[:300]}")]
        finally:
            tally.add(world)


def _audited(world: World, tally: Tally) -> bool:
    found = world.breaches()
    tally.checks += 1
    if found:
        tally.broken[world.seed] = found
    return bool(found)


async def _quiet(world: World, tally: Tally) -> None:
    """Let time pass without faults: everything comes to its end, and the channel's book is ours."""
    world.calm = True
    await settle_usage(world)
    for seconds in _QUIET_S:
        world.shop.ground.clock.advance(seconds=seconds)
        await world.tell()
        await world.work()
    if _audited(world, tally):
        return
    unbilled = world.unbilled()
    left = [Breach("every obligation comes to an end", f"{kind}: {error}") for kind, error in world.shop.ground.due()]
    differs = await world.against_the_channel()
    if left or differs or unbilled:
        tally.broken[world.seed] = [*left, *differs, *unbilled]
