"""The simulated people are the same for the same seed, and every door has exactly one payer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.people import residents_of


@given(seed=st.integers(0, 2**32), door=st.integers(101, 3299))
def test_every_door_has_exactly_one_payer_and_stays_the_same(seed: int, door: int) -> None:
    behind = residents_of(seed, "cuihu-garden", f"1-1-{door}")
    assert [person.role for person in behind] in (["owner"], ["owner", "tenant"])
    assert sum(person.pays for person in behind) == 1
    assert behind == residents_of(seed, "cuihu-garden", f"1-1-{door}")


def test_another_seed_gives_other_people() -> None:
    assert residents_of(1, "cuihu-garden", "1-1-101") != residents_of(2, "cuihu-garden", "1-1-101")
