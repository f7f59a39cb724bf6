"""What a bill is made of: the parts fill the whole, the largest stands first, credits are not in the picture."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cloud.billing.documents import LineView
from cloud.billing.intake import line_of
from cloud.billing.lines import LineDraft
from cloud.web.resident_bill import WHOLE, chart_option, composition
from common.ids import PartyId, PremisesId
from tests.cloud.billing import builders as b

FLAT = (PremisesId(UUID(int=1)), PartyId(UUID(int=2)))


def draft(n: int, fen: int) -> LineDraft:
    charge = line_of(b.rated(FLAT, b.Item(code=f"charge {n}", number=n), b.MONTHS[0], abs(fen)))
    return charge if fen > 0 else replace(charge, fen=fen, net_fen=-charge.net_fen)


def lines(*amounts: int) -> list[LineView]:
    """Return lines of so many charges, each of another name."""
    return [
        LineView(
            n=n,
            line=draft(n, fen),
            open_fen=0,
            corrected_by=(),
        )
        for n, fen in enumerate(amounts, start=1)
    ]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=12))
def test_the_parts_fill_the_picture_without_gap_or_overlap(amounts: list[int]) -> None:
    segments = composition(lines(*amounts))
    reached = 0
    for segment in segments:
        assert segment.start == reached
        reached += segment.width
    assert reached == WHOLE
    assert sum(segment.fen for segment in segments) == sum(amounts)
    assert [segment.fen for segment in segments] == sorted(amounts, reverse=True)


def test_a_document_of_credits_has_no_picture() -> None:
    assert composition(lines(-100, -5)) == ()


def test_credits_are_left_out_of_the_whole() -> None:
    assert [segment.width for segment in composition(lines(300, -100, 100))] == [750, 250]


def test_the_chart_names_amounts_and_tones_of_the_same_parts() -> None:
    segments = composition(lines(300, 100))
    option = chart_option(segments)
    assert [entry["value"] for entry in option["series"][0]["data"]] == [300, 100]
    assert len(option["color"]) == 2
