"""The bench of papers measures what it says, on a few papers."""

from __future__ import annotations

import dataclasses

from tests.bench.documents import CPU_S_MAX, hundred


def test_a_few_papers_are_printed_sealed_and_confirmed() -> None:
    cost = hundred(3)
    assert cost.printing_s > 0
    assert cost.sealing_s > 0
    assert cost.file_bytes > 10_000
    assert cost.passes


def test_a_slow_run_does_not_pass() -> None:
    assert not dataclasses.replace(hundred(1), sealing_s=CPU_S_MAX).passes
