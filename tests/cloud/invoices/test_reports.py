"""Cases of invoices say what to do and name nobody."""

from __future__ import annotations

import pytest

from cloud.invoices import reports
from tests.cloud.invoices.test_rules import invoice


@pytest.mark.parametrize(
    "made", [reports.unknown, lambda one: reports.refused(one, "额度不足"), lambda one: reports.differs(one, "1")]
)
def test_a_case_names_the_order_in_both_languages_and_not_the_title(made: object) -> None:
    report = made(invoice(7, 600))  # type: ignore[operator]
    assert "7" in report.detail_zh
    assert "7" in report.detail_en
    assert "李" not in report.detail_zh + report.detail_en
    assert report.figures == {"total_fen": 600}
