"""The auditor reads the wire by the schema alone, and reads what the product wrote."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.wire import codec
from common.wire.batch import BatchContent
from common.wire.entries import ENTRIES
from common.wire.signing import Purpose, SigningKey, sign
from tests.common.wire.builders import calm, contents
from tests.simulation import promises
from tests.simulation.promises import wire

KEY = SigningKey(bytes(range(32)))
BATCH_KEY = (UUID(int=1), 1, 1)
PRODUCT = {"common", "edge", "cloud"}


@calm
@given(contents())
def test_the_auditor_reads_the_registers_and_records_that_were_packed(made: BatchContent) -> None:
    read = wire.read_batch(BATCH_KEY, 0, sign(KEY, Purpose.BATCH, codec.pack_content(made)))
    expected = sorted(
        (point.series.meter_id, point.series.quantity, point.slot_ms, point.value_milli) for point in made.points()
    )
    told = sorted((one.meter_id, one.quantity, one.slot_ms, one.value_milli) for one in read.readings)
    assert read.readable
    assert told == expected
    packed: Any = ENTRIES.pack(made.entries)
    assert list(read.records) == [entry[2] for entry in packed]


@calm
@given(st.binary(max_size=200))
def test_bytes_that_are_no_batch_are_not_readable(garbage: bytes) -> None:
    assert not wire.read_batch(BATCH_KEY, 0, garbage).readable
    assert not wire.read_batch(BATCH_KEY, 0, sign(KEY, Purpose.BATCH, garbage)).readable


@pytest.mark.parametrize("place", [0, 30, 60, -65, -1])
def test_a_signature_holds_for_its_own_bytes_and_key_only(place: int) -> None:
    data = bytearray(sign(KEY, Purpose.RECEIPT, b"payload of a receipt"))
    signed = wire.take_apart(bytes(data))
    assert signed is not None
    assert signed.holds(KEY.public_key)
    assert not signed.holds(SigningKey(bytes(32)).public_key)
    assert not signed.holds(None)
    data[place] ^= 1
    forged = wire.take_apart(bytes(data))
    assert forged is None or not forged.holds(KEY.public_key)


def test_the_auditor_imports_nothing_of_what_it_judges() -> None:
    folder = Path(promises.__file__).parent
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("test_"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name.partition(".")[0] for name in named} & PRODUCT, path.name
