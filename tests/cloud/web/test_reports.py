"""The reports on a page and as files: the same figures as the book's, by way and item, with the shifts."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook

from cloud.identity.policy import RoleName
from cloud.web.reports import HEADER, Span, days_meant
from common.civil import Period
from tests.cloud.web.front import Front, words_of


async def paid(front: Front) -> str:
    """Let a flat pay online, and return the day of it."""
    await front.bill_some_of_everything()
    await front.counter.settle(await front.counter.start())
    return front.counter.office.clock.now().date().isoformat()


async def test_a_report_shows_ways_and_items_and_agrees_with_the_book(front: Front) -> None:
    day = await paid(front)
    received = sum(payment.amount_fen for payment in await front.counter.payments())
    async with front.person(RoleName.MANAGER) as browser:
        for span in ("day", "month", "year"):
            page = await browser.get("/reports", params={"span": span, "on": day})
            assert f'data-net="{received}"' in page.text
            assert f'data-book="{received}"' in page.text
            words = words_of(page)
            assert "微信支付 · 微信扫码" in words
            assert "与报表一致" in words
            assert 'data-chart="chart-report"' in page.text
        nothing = await browser.get("/reports", params={"span": "day", "on": "2020-01-01"})
        assert "没有收付" in words_of(nothing)


async def test_the_files_hold_every_row_of_the_report(front: Front) -> None:
    day = await paid(front)
    received = sum(payment.amount_fen for payment in await front.counter.payments())
    base = f"/reports/{front.counter.office.site.community_id}/receipts"
    async with front.person(RoleName.MANAGER) as browser:
        text = (await browser.get(f"{base}.csv", params={"span": "day", "on": day})).text
        raw = (await browser.get(f"{base}.xlsx", params={"span": "day", "on": day})).content
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert tuple(rows[0]) == HEADER
    assert sum(Decimal(row[-1]) for row in rows[1:]) * 100 == received
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python()
    assert [str(cell) for cell in sheet[0]] == list(HEADER)
    assert [row[:6] for row in sheet[1:]] == [row[:6] for row in rows[1:]]
    assert sum(Decimal(str(row[-1])) for row in sheet[1:]) * 100 == received


async def test_a_resident_sees_no_reports(front: Front) -> None:
    async with front.resident() as browser:
        assert (await browser.get("/reports")).status_code == 403


@pytest.mark.parametrize(
    ("span", "on", "expected"),
    [
        ("day", date(2026, 2, 28), Period(date(2026, 2, 28), date(2026, 3, 1))),
        ("month", date(2026, 1, 31), Period(date(2026, 1, 1), date(2026, 2, 1))),
        ("year", date(2028, 2, 29), Period(date(2028, 1, 1), date(2029, 1, 1))),
    ],
)
def test_a_span_is_the_whole_day_month_or_year(span: Span, on: date, expected: Period) -> None:
    assert days_meant(span, on) == expected
