"""camt.053: credit and debit, a reversal, and documents that are wrong or dangerous."""

from __future__ import annotations

import pytest

from cloud.payments.channels.bank.camt053 import read_camt053
from common.errors import FaultsError
from tests.cloud.payments.channels.bank.files import CAMT


def test_entries_are_read_with_who_and_what() -> None:
    found = read_camt053(CAMT.encode())
    assert [(line.fen, line.balance_fen, line.serial) for line in found.lines] == [
        (5_000, 15_000, "S1"),
        (-500, 14_500, "S2"),
    ]
    assert (found.lines[0].name, found.lines[0].memo) == ("Zhang", "1-1-001 E1")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("145.00", "145.01"),
        ("CLBD", "XXXX"),
        ('<Amt Ccy="CNY">50.00', '<Amt Ccy="EUR">50.00'),
        ("50.00", "50.000.1"),
        ("CRDT</CdtDbtInd><BookgDt>", "</CdtDbtInd><BookgDt>"),
        ("<Dt>2026-03-02", "<Dt>soon"),
        ("</Stmt>", "</Stmt><Stmt></Stmt>"),
        ("</Document>", ""),
        ("<Document", '<!DOCTYPE a [<!ENTITY b "c">]><Document'),
    ],
)
def test_a_document_that_was_changed_is_refused_whole(old: str, new: str) -> None:
    assert old in CAMT
    with pytest.raises(FaultsError):
        read_camt053(CAMT.replace(old, new, 1).encode())
