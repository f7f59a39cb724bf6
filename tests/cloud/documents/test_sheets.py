"""A sheet is plain data: amounts grouped, the total in words, names hidden but for their first letter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cloud.documents.kinds import PaperKind
from cloud.documents.sheets import Head, Item, masked, minute, sheet, with_notes, with_totals, yuan

HEAD = Head(
    kind=PaperKind.BILL, number="B-1", issuer="物业", community="花园", room="1-1", zone=ZoneInfo("Asia/Shanghai")
)


def test_a_sheet_holds_items_the_total_and_the_total_in_words_as_json() -> None:
    items = [
        Item(name_zh="水费", name_en="Water", detail="2026-01", fen=123_456),
        Item(name_zh="减", name_en="Off", detail="", fen=-56),
    ]
    made = sheet(HEAD, [("户名", "Name", "王*")], items, ("合计", "Total", 123_400))
    assert made["rows"] == [["水费 Water", "2026-01", "1,234.56"], ["减 Off", "", "-0.56"]]
    assert made["totals"] == [["合计", "Total", "¥1,234.00"]]
    assert made["words"] == "人民币壹仟贰佰叁拾肆元整"
    assert made["facts"][0] == ["房屋", "Premises", "花园 1-1"]
    assert json.loads(json.dumps(made)) == made


def test_a_sheet_without_items_has_no_columns() -> None:
    assert sheet(HEAD, [], [], ("押金", "Deposit", 1))["columns"] == []


def test_notes_and_further_totals_are_added_without_changing_the_sheet_before() -> None:
    made = sheet(HEAD, [], [], ("应退", "Refund", 5))
    more = with_totals(with_notes(made, ("注", "note")), ("应缴", "Owed", 7))
    assert made["notes"] == []
    assert more["notes"] == [["注", "note"]]
    assert [total[2] for total in more["totals"]] == ["¥0.07", "¥0.05"]


def test_amounts_names_and_instants_are_worded() -> None:
    assert [yuan(fen) for fen in (0, 5, 100_000_000, -1)] == ["0.00", "0.05", "1,000,000.00", "-0.01"]
    assert [masked(name) for name in ("", "王", "王小明")] == ["", "王", "王**"]
    assert minute(datetime(2026, 1, 1, 16, 30, tzinfo=UTC), HEAD.zone) == "2026-01-02 00:30"
