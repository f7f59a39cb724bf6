"""Every describer is reachable under its name from the one door."""

from __future__ import annotations

from edge.protocol.description import DESCRIBERS
from edge.protocol.site_description import SITE_DESCRIBERS


def test_all_are_reachable_by_name() -> None:
    assert SITE_DESCRIBERS.keys() <= DESCRIBERS.keys()
