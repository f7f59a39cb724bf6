"""A bank's CSV: any of its encodings, whatever its labels claim, and never a file that contradicts itself."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.payments.channels.bank.csv_file import read_csv
from cloud.payments.channels.bank.profiles import profiles
from common.errors import FaultsError
from tests.cloud.payments.channels.bank.files import ICBC, MYBANK

PROFILE = profiles()["icbc"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_a_file_is_read_in_each_encoding_of_its_bank(encoding: str) -> None:
    found = read_csv(ICBC.encode(encoding), PROFILE)
    assert [(line.day, line.fen, line.serial) for line in found.lines] == [
        (date(2026, 3, 1), 123_450, "0001"),
        (date(2026, 3, 2), -1_234, "0002"),
        (date(2026, 3, 2), 10_000, "0003"),
    ]
    assert (found.opening_fen, found.closing_fen) == (1_000_000, 1_132_216)
    assert found.lines[0].memo == "WCODE01 物业费"


def test_labels_that_lie_are_read_by_the_profile_and_newest_first_is_turned_round() -> None:
    found = read_csv(MYBANK.encode(), profiles()["mybank"])
    assert [(line.serial, line.fen) for line in found.lines] == [("M1", 10_000), ("M2", -2_000)]


def test_a_profile_with_its_signs_turned_round_is_refused_by_the_balance() -> None:
    turned = MYBANK.replace("借方金额,贷方金额", "贷方金额,借方金额")
    with pytest.raises(FaultsError) as caught:
        read_csv(turned.encode(), profiles()["mybank"])
    assert "does not follow" in caught.value.faults[0].what


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("余额,", "", "header"),
        ("摘要", "备注", "line 3"),
        ('贷方合计,"1,334.50"', '贷方合计,"1,334.51"', "贷方合计"),
        ("11,222.16", "11,222.17", "line"),
        ("2026-03-02,0002", "03/02,0002", "line 5"),
        ('12.34,,"11,222.16"', '12.34,5.00,"11,222.16"', "line 5"),
        ('"1,234.50"', "一千", "line 4"),
    ],
)
def test_a_file_with_a_missing_column_or_a_wrong_total_is_refused_whole(old: str, new: str, where: str) -> None:
    assert old in ICBC
    with pytest.raises(FaultsError) as caught:
        read_csv(ICBC.replace(old, new, 1).encode("gb18030"), PROFILE)
    assert caught.value.faults[0].where.startswith(where)


@pytest.mark.parametrize("raw", [b"", b"\x00\x01", b"%PDF-1.4", "日期,金额\n".encode("utf-16")])
def test_another_file_is_refused(raw: bytes) -> None:
    with pytest.raises(FaultsError):
        read_csv(raw, PROFILE)
