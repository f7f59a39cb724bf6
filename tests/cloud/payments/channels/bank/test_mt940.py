"""MT940: the published vector, a reversal, and files that are cut, foreign or wrong."""

from __future__ import annotations

from typing import Any

import pytest

from cloud.payments.channels.bank.mt940 import read_mt940
from common.errors import FaultsError
from tests.cloud.payments.channels.bank.files import MT940
from tests.cloud.payments.channels.vectors import of_kind


@pytest.mark.parametrize("vector", of_kind("bank", "bank.mt940"), ids=lambda vector: str(vector["id"]))
def test_the_published_statement_is_read(vector: dict[str, Any]) -> None:
    found = read_mt940(vector["input"]["text"].encode())
    expected = vector["expect"]
    assert (found.opening_fen, found.closing_fen) == (expected["opening_fen"], expected["closing_fen"])
    for line, entry in zip(found.lines, expected["entries"], strict=True):
        assert (line.fen, line.serial) == (entry["amount_fen"], entry["bank_reference"])
        if entry["customer_reference"] != "NONREF":
            assert entry["customer_reference"] in line.memo


def test_a_reversed_credit_is_money_that_went_again() -> None:
    assert [line.fen for line in read_mt940(MT940.encode()).lines] == [24_380, -4_380]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (":62F:C260302CNY10200,00", ":62F:C260302CNY10200,01"),
        (":62F:C260302CNY10200,00\n", ""),
        ("CNY10000", "USD10000"),
        ("C243,80N", "X243,80N"),
        ("2603020302C", "2613020302C"),
        ("243,80", "243,8O"),
    ],
)
def test_a_file_that_was_changed_is_refused_whole(old: str, new: str) -> None:
    assert old in MT940
    with pytest.raises(FaultsError):
        read_mt940(MT940.replace(old, new, 1).encode())
