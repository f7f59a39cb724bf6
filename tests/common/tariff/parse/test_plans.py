"""Plans as written: one without a name, cases by their key, as many charges as allowed, a share with its label."""

from __future__ import annotations

from common.tariff.document import parse_tariff
from common.tariff.model import Condition, Words
from common.tariff.parse.plans import CHARGES_MAX
from tests.common.tariff.builders import body

CHARGES = [{"key": "e", "price": "1"}]


def test_a_rule_at_the_top_is_one_plan_without_a_name() -> None:
    (plan,) = parse_tariff(body(charges=CHARGES)).plans
    assert (plan.key, plan.label, plan.condition) == ("", Words(zh="", en=""), Condition())


def test_a_case_has_its_key_and_by_it_its_label() -> None:
    first = {"key": "large", "when": {"persons": {"from": "5"}}, "charges": CHARGES}
    plans = parse_tariff(body(cases=[first, {"key": "rest", "charges": CHARGES}])).plans
    assert [(plan.key, plan.label) for plan in plans] == [
        ("large", Words(zh="large", en="large")),
        ("rest", Words(zh="rest", en="rest")),
    ]


def test_as_many_charges_as_allowed_are_read() -> None:
    charges = [{"key": f"c{number}", "price": "1"} for number in range(CHARGES_MAX)]
    assert len(parse_tariff(body(charges=charges)).plans[0].charges) == CHARGES_MAX


def test_a_share_without_a_label_is_called_a_share() -> None:
    share = parse_tariff(body(charges=CHARGES, share={"weight": "area"})).share
    assert share is not None
    assert share.label == Words(zh="share", en="share")


def test_a_label_of_one_text_stands_for_both_languages() -> None:
    (charge,) = parse_tariff(body(charges=[{"key": "e", "price": "1", "label": "Strom"}])).plans[0].charges
    assert charge.label == Words(zh="Strom", en="Strom")
