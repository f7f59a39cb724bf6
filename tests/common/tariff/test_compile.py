"""Constant prices become tables before any request is seen, and those tables are what is priced with."""

from __future__ import annotations

from dataclasses import replace

from common.rating.engine import rate
from common.tariff.steps import StepTable
from tests.common.tariff.builders import graduated, tariff, usage


def test_constant_prices_are_tables_and_prices_from_facts_are_not() -> None:
    constant, worked = graduated(["10"], ["1", "2"]), graduated(["persons * 10"], ["1", "2"])
    assert list(constant.plans[0].charges[0].tables) == [""]
    assert dict(worked.plans[0].charges[0].tables) == {}
    assert dict(tariff(charges=[{"key": "e", "amount": "1"}]).plans[0].charges[0].tables) == {}


def test_a_line_is_priced_with_the_compiled_table() -> None:
    compiled = tariff(charges=[{"key": "e", "price": "1"}])
    (plan,) = compiled.plans
    (charge,) = plan.charges
    dearer = StepTable(bounds=(0,), slopes=(3_000_000,), offsets=(0,))
    tables = dict.fromkeys(charge.tables, dearer)
    other = replace(compiled, plans=(replace(plan, charges=(replace(charge, tables=tables),)),))
    assert [rate(one, usage(2_000)).amount_fen for one in (compiled, other)] == [200, 600]
