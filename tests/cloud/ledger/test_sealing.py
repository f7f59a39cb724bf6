"""A seal proves that a journal is in the book of a day, and breaks when anything in it is changed."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ledger.sealing import NO_ROOT, day_root, inclusion_proof, journal_leaf, root_of_proof
from common.errors import InvariantError
from tests.cloud.ledger import builders as b

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40, unique=True)


@given(leaves=LEAVES, data=st.data())
def test_every_journal_of_a_day_is_proved_to_be_in_it(leaves: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(min_value=0, max_value=len(leaves) - 1))
    steps = inclusion_proof(NO_ROOT, leaves, position)
    assert root_of_proof(leaves[position], steps) == day_root(NO_ROOT, leaves)
    assert len(steps) <= len(leaves).bit_length() + 1


@given(leaves=LEAVES, data=st.data())
def test_a_changed_journal_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(min_value=0, max_value=len(leaves) - 1))
    changed = [*leaves]
    changed[position] = hashlib.sha256(leaves[position]).digest()
    assert day_root(NO_ROOT, changed) != day_root(NO_ROOT, leaves)


@given(leaves=LEAVES)
def test_a_changed_day_before_changes_the_root(leaves: list[bytes]) -> None:
    assert day_root(bytes([1]) * 32, leaves) != day_root(NO_ROOT, leaves)


def test_a_day_without_journals_carries_the_root_of_the_day_before() -> None:
    assert day_root(NO_ROOT, []) == NO_ROOT


def test_a_journal_outside_the_day_has_no_proof() -> None:
    with pytest.raises(InvariantError):
        inclusion_proof(NO_ROOT, [journal_leaf(b.BILL, bytes(32))], 1)
