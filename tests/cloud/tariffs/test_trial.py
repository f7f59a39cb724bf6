"""Trying tariffs out: one priced, two compared; what a tariff refuses is told and stops nothing."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from cloud.tariffs.text import TextFaultsError, load_text
from cloud.tariffs.trial import Change, compare, price, price_text, read_requests, read_tariff
from common.errors import FaultsError, RefusalError
from common.rating.refusal import RatingRefusedError
from common.rating.usage_document import Place
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff
from tests.cloud.rating.documents import electricity

PLACE = Place(zone=ZoneInfo("Asia/Shanghai"), zone_name="Asia/Shanghai")
MONTH = {"period": ["2026-06-01", "2026-07-01"], "quantity": "150", "prior": "2100"}


def compiled(*prices: str, currency: str = "CNY") -> CompiledTariff:
    first, second, third = prices
    return compile_tariff(parse_tariff({**electricity((first, second, third)), "currency": currency}))


OLD = compiled("0.50", "0.55", "0.80")


def test_a_request_is_priced_or_refused_with_the_reason() -> None:
    assert price(OLD, MONTH, PLACE).amount_fen == 79_50
    with pytest.raises(FaultsError, match="1 fault"):
        price(OLD, {**MONTH, "quantity": "much"}, PLACE)
    with pytest.raises(RatingRefusedError, match="there is no usage"):
        price(OLD, {"period": MONTH["period"]}, PLACE)


def test_two_tariffs_are_compared_request_by_request() -> None:
    requests = [{"name": "a", **MONTH}, {"period": MONTH["period"]}]
    known, refused = compare(OLD, compiled("0.40", "0.45", "0.80"), requests, PLACE)
    assert known == Change(name="a", old=79_50, new=64_50)
    assert known.difference == -15_00
    assert (refused.name, refused.old, refused.new, refused.difference) == ("", None, None, None)
    assert refused.reason.count("there is no usage") == 2
    assert refused.reason_zh.startswith("原: 缺少用量: ")
    assert "新: 缺少用量: " in refused.reason_zh


def test_currencies_are_not_compared() -> None:
    with pytest.raises(RefusalError, match="CNY and USD cannot be compared"):
        compare(OLD, compiled("0.50", "0.55", "0.80", currency="USD"), [MONTH], PLACE)


TARIFF = """format: gatehouse-tariff/1
code: test/one
name: one
unit: kWh
charges: [{key: energy, price: "0.50"}]
"""


def test_texts_are_read_priced_and_listed() -> None:
    tariff = read_tariff(TARIFF, "tariff")
    usage = load_text('period: ["2026-06-01", "2026-07-01"]\nquantity: "150"\n', "usage")
    assert price_text(tariff, usage, PLACE).amount_fen == 75_00
    assert read_requests('requests: [{name: a, quantity: "1"}]', "list") == [{"name": "a", "quantity": "1"}]


def test_faults_of_texts_are_told_with_their_lines() -> None:
    with pytest.raises(TextFaultsError) as refused:
        read_tariff(TARIFF.replace("kWh", "kwh").replace('"0.50"', "0.5"), "tariff")
    assert [fault.line for fault in refused.value.line_faults] == [4, 5]
    with pytest.raises(TextFaultsError, match="line 2: quantity: "):
        price_text(OLD, load_text('period: ["2026-06-01", "2026-07-01"]\nquantity: much\n', "usage"), PLACE)


@pytest.mark.parametrize("text", ["a: 1", "requests: []", "requests: [1]", "requests: {a: 1}"])
def test_a_text_without_a_list_of_requests_is_refused(text: str) -> None:
    with pytest.raises(TextFaultsError, match="there are no requests"):
        read_requests(text, "list")


def test_a_request_with_faults_is_told_on_one_line() -> None:
    (change,) = compare(OLD, OLD, [{"name": "a", "period": "June", "quantity": "much"}], PLACE)
    assert (change.old, change.new) == (None, None)
    assert "\n" not in change.reason
    assert "quantity: " in change.reason
