"""Refusals speak, and a broken invariant stops the work."""

from __future__ import annotations

import pytest

from common.errors import Fault, FaultsError, InvariantError, RefusalError, ensure


def test_all_faults_of_a_document_are_listed_at_once() -> None:
    faults = [
        Fault(where="tiers[1].upto", what="is below the tier before", remedy="raise it above 2160"),
        Fault(where="unit", what="'kw' is not a unit", remedy="write kWh"),
    ]
    error = FaultsError("tariff.yaml", faults)
    assert isinstance(error, RefusalError)
    assert str(error).splitlines() == [
        "tariff.yaml: 2 fault(s)",
        "  tiers[1].upto: is below the tier before; raise it above 2160",
        "  unit: 'kw' is not a unit; write kWh",
    ]


def test_ensure_raises_only_when_the_condition_fails() -> None:
    ensure(condition=True, message="never seen")
    with pytest.raises(InvariantError, match="parts sum"):
        ensure(condition=False, message="parts sum to the whole")
