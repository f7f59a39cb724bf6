"""Trying tariffs out: one priced, two compared; what a tariff refuses is told and stops nothing."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from cloud.tariffs.trial import Change, compare, price
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


def test_currencies_are_not_compared() -> None:
    with pytest.raises(RefusalError, match="CNY and USD cannot be compared"):
        compare(OLD, compiled("0.50", "0.55", "0.80", currency="USD"), [MONTH], PLACE)
