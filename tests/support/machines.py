"""Playing a stateful machine: histories are drawn anew, never shrunk, because a step of real parts is slow."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def play(machine: type[RuleBasedStateMachine], *, histories: int, steps: int, **parts: object) -> None:
    """Play some histories of at most so many steps of a machine; `parts` become its class attributes."""
    run_state_machine_as_test(
        type(f"Bound{machine.__name__}", (machine,), parts),
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
