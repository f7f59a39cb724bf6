"""Builds the owner of a port that charging piles connect to. Packages for OCPP are loaded only when a site has such."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from common.clock import Clock
from common.errors import RefusalError
from edge.driver.outcome import WireConfig, WireKind
from edge.driver.pile_events import PileDesk, PileWire
from edge.driver.ykc_server import YkcWire


def pile_wires(
    wires: Callable[[], Mapping[str, WireConfig]], clock: Clock
) -> Callable[[str, Iterable[str], PileDesk], PileWire]:
    """Return who builds the wire of some piles by name among the wires in force."""
    return lambda name, piles, desk: build_pile_wire((wires(), name), piles, desk, clock)


def build_pile_wire(
    wire: tuple[Mapping[str, WireConfig], str], piles: Iterable[str], desk: PileDesk, clock: Clock
) -> PileWire:
    """Return the wire of some piles; `wire` is its name among the wires of the site.

    Raises:
        RefusalError: there is no such wire, or piles do not speak over its kind.
    """
    wires, name = wire
    if name not in wires:
        raise RefusalError(f"charging: wire {name!r} is unknown; name one of {sorted(wires)}")
    config = wires[name]
    if config.kind is WireKind.OCPP:
        from edge.driver.ocpp_server import OcppWire  # noqa: PLC0415 - 12 MiB of packages, for sites with such piles

        return OcppWire(config, piles, desk, clock)
    if config.kind is WireKind.YKC:
        return YkcWire(config, piles, desk, clock)
    raise RefusalError(f"wire {config.wire}: no charging piles run over {config.kind}; make it an ocpp or ykc wire")
