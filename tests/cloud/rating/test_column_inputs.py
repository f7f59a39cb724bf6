"""The input of many lines: its hash names its bytes, every line comes out of it again, and damage is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from cloud.kit.images import ids_of
from cloud.metering.usage import RegisterRef
from cloud.rating import column_inputs
from cloud.rating.column_lines import FACT, PART_FEN, PRIOR, QUANTITY, WEIGHT, LineColumns, RegisterColumns, SharedPool
from cloud.rating.replay import ReplaySources
from cloud.tariffs.charge import ChargeBasis
from common.errors import InvariantError
from common.reading.reading import Quality, Quantity, Resource
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from common.tariff.revision import RevisionRef
from tests.cloud.rating import documents
from tests.cloud.rating.town import MARCH, flat, item, meter_id, tariff_of

ENERGY = compile_tariff(parse_tariff(documents.electricity()))
PUBLIC = compile_tariff(parse_tariff(documents.public_energy()))
SOURCES = ReplaySources(
    tariffs={
        one.body_sha: doc for one, doc in ((ENERGY, documents.electricity()), (PUBLIC, documents.public_energy()))
    },
    calendars={},
)
PREMISES = ids_of([flat(1), flat(2), flat(3)])


def ints(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def energy() -> LineColumns:
    registers = RegisterColumns(
        quantity=Quantity.ENERGY_FORWARD,
        start=MARCH.start,
        end=MARCH.end,
        from_milli=ints(5, 6),
        from_quality=ints(0, 0),
        from_rev=ints(1, 2),
        to_milli=ints(100_005, 2_500_006),
        to_quality=ints(0, int(Quality.MANUAL)),
        to_rev=ints(1, 1),
    )
    return LineColumns(
        item=item("electric", ChargeBasis.METERED, Resource.ELECTRICITY),
        tariff_id=tariff_of("electricity"),
        revision=RevisionRef(tariff_code="electricity", effective_from=MARCH.start, rev=1, body_sha=ENERGY.body_sha),
        period=MARCH,
        rows=np.array([0, 2]),
        fen=ints(5_000, 125_000),
        price_micro=ints(500_000, -1),
        estimated=np.zeros(2, dtype=np.bool_),
        request={QUANTITY: ints(100_000, 2_500_000), PRIOR: ints(0, 0), f"{FACT}area_milli": ints(90_000, -1)},
        quantity_milli=ints(100_000, 2_500_000),
        meters=ids_of([meter_id(1), meter_id(3)]),
        registers=registers,
    )


def common() -> LineColumns:
    ref = RegisterRef(
        meter_id=meter_id(9),
        quantity=Quantity.ENERGY_FORWARD,
        read_at=datetime(2026, 3, 1, tzinfo=UTC),
        value_milli=1,
        quality=Quality.GOOD,
    )
    pool = SharedPool(
        pool_id=flat(77),
        meter_id=meter_id(9),
        sha="ab" * 32,
        pool_fen=1_000,
        weights=400,
        scale=1_000,
        sharers=2,
        from_register=ref,
        to_register=replace(ref, value_milli=2, block_day=MARCH.end, block_rev=3),
    )
    return replace(
        energy(),
        item=item("common", ChargeBasis.SHARE),
        revision=RevisionRef(tariff_code="public-energy", effective_from=MARCH.start, rev=1, body_sha=PUBLIC.body_sha),
        fen=ints(250, 750),
        request={PART_FEN: ints(250, 750), WEIGHT: ints(100, 300)},
        quantity_milli=None,
        meters=None,
        registers=None,
        pool=pool,
    )


def test_every_line_comes_out_again_with_its_registers_and_pool() -> None:
    packed = column_inputs.pack(PREMISES, [common(), energy()], "Asia/Shanghai")
    assert packed.sha == hashlib.sha256(packed.body).hexdigest()
    assert column_inputs.is_columns(packed.body)
    assert column_inputs.named_in(packed.body) == (frozenset(SOURCES.tariffs), frozenset())
    lines = list(column_inputs.replay(packed.body, SOURCES, "cn"))
    assert [(one.premises_id, one.line.amount_fen) for one in lines] == [
        (flat(1), 250),
        (flat(3), 750),
        (flat(1), 5_000),
        (flat(3), 2160 * 50 + 340 * 55),
    ]
    (shared, _, own, other) = lines
    assert (shared.pool_id, shared.subject) == (flat(77), str(meter_id(9)))
    assert shared.to_register is not None
    assert (shared.to_register.block_day, shared.to_register.block_rev) == (MARCH.end, 3)
    assert own.subject == str(meter_id(1))
    assert other.to_register is not None
    assert (other.to_register.value_milli, other.to_register.quality) == (2_500_006, Quality.MANUAL)


def test_one_household_is_asked_for_alone_and_a_stranger_has_no_lines() -> None:
    packed = column_inputs.pack(PREMISES, [common(), energy()], "Asia/Shanghai")
    assert len(list(column_inputs.replay(packed.body, SOURCES, "cn", flat(3)))) == 2
    assert list(column_inputs.replay(packed.body, SOURCES, "cn", flat(2))) == []


@pytest.mark.parametrize("body", [b"", b"{}", column_inputs.MAGIC])
def test_bytes_that_are_no_input_are_refused(body: bytes) -> None:
    with pytest.raises(InvariantError, match="input"):
        column_inputs.named_in(body)
