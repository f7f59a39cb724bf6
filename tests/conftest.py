"""What holds for every test: Hypothesis judges results, never the clock, because machines differ.

`HYPOTHESIS_PROFILE=soak` looks much longer, `mutation` less and always at the same, once for each mutant.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("push", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
_CHEAP = (Phase.explicit, Phase.generate)
settings.register_profile("mutation", deadline=None, max_examples=10, derandomize=True, database=None, phases=_CHEAP)
settings.register_profile("soak", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "push"))
