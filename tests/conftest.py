"""What holds for every test: Hypothesis judges results, never the clock, because machines differ.

A push is judged by the same examples each time, so red means the change. `HYPOTHESIS_PROFILE=soak` looks at new ones
and much longer (`make soak-properties`), `mutation` at few, once for each mutant.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

_SLOW = [HealthCheck.too_slow]
settings.register_profile("push", deadline=None, max_examples=60, derandomize=True, suppress_health_check=_SLOW)
_CHEAP = (Phase.explicit, Phase.generate)
settings.register_profile("mutation", deadline=None, max_examples=10, derandomize=True, database=None, phases=_CHEAP)
settings.register_profile("soak", deadline=None, max_examples=5_000, suppress_health_check=_SLOW)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "push")
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a soak look as long as it wants: time limits are meant for a push."""
    if PROFILE == "soak":
        for item in items:
            item.add_marker(pytest.mark.timeout(0), append=False)
