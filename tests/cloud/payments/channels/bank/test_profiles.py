"""Profiles are data, and each says how money in is told from money out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud.payments.channels.bank.profiles import profiles
from common.errors import InvariantError


def test_six_banks_are_known_and_the_reversed_labels_of_one_are_in_its_data() -> None:
    assert set(profiles()) == {"icbc", "cmb", "abc", "bocom", "ccb", "mybank"}
    assert profiles()["mybank"].columns["in"].startswith("借方")
    assert profiles()["icbc"].columns["in"].startswith("贷方")


def test_a_profile_that_cannot_tell_in_from_out_is_a_fault_of_ours() -> None:
    with pytest.raises(InvariantError):
        replace(profiles()["icbc"], columns={"day": "a", "balance": "b", "memo": "c", "in": "d"})
