"""What a bill's page shows: its lines with their explanation, what corrects them, and what the whole is made of.

Pure but for reading the documents that stand beside the bill. Every sentence comes from the trace that was stored
when the line was issued; nothing is rated again, so the page says what was billed even when prices changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import BillView, LineView
from cloud.ledger.journals import LineRef
from common.civil import Period
from common.ids import BillId
from common.rating.explain import explain
from common.rating.plain import line_from_plain

# The picture's inner width; its unit is a thousandth of the bill.
WHOLE = 1_000
# The same tones as in money.css, for the picture that the browser draws.
TONES = ("#0b5c8a", "#3f9ac4", "#1b6e3c", "#7fb069", "#b5651d", "#8a6fa8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the bill's picture: `start` and `width` in thousandths of the whole; the widths sum to `WHOLE`."""

    name_zh: str
    name_en: str
    fen: int
    start: int
    width: int
    tone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A line of another document that corrects a line of this one, or is corrected by it."""

    bill_id: BillId
    number: str
    n: int
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCard:
    """A line as the page shows it; `paid_fen` is what was settled, by money or by a credit."""

    n: int
    name_zh: str
    name_en: str
    period: Period
    fen: int
    tax_fen: int
    paid_fen: int
    estimated: bool
    words_zh: tuple[str, ...]
    words_en: tuple[str, ...]
    corrects: Beside | None
    corrected_by: tuple[Beside, ...]


def composition(lines: Sequence[LineView]) -> tuple[Segment, ...]:
    """Return what the charges of a bill are made of, the largest first; credits are not part of the picture."""
    sums: dict[tuple[str, str], int] = {}
    for view in lines:
        if view.line.fen > 0:
            name = (view.line.charge.name_zh, view.line.charge.name_en)
            sums[name] = sums.get(name, 0) + view.line.fen
    total = sum(sums.values())
    segments, reached = [], 0
    for place, ((zh, en), fen) in enumerate(sorted(sums.items(), key=lambda item: (-item[1], item[0]))):
        start = WHOLE * reached // total
        reached += fen
        segments.append(
            Segment(
                name_zh=zh,
                name_en=en,
                fen=fen,
                start=start,
                width=WHOLE * reached // total - start,
                tone=place % len(TONES),
            )
        )
    return tuple(segments)


def chart_option(segments: Sequence[Segment]) -> dict[str, Any]:
    """Return the composition as an ECharts option: a ring in the tones of the list beside it, which is its legend."""
    return {
        "color": [TONES[segment.tone] for segment in segments],
        "series": [
            {
                "type": "pie",
                "radius": ["52%", "88%"],
                "silent": True,
                "label": {"show": False},
                "data": [{"name": segment.name_zh, "value": segment.fen} for segment in segments],
            }
        ],
    }


async def line_cards(session: AsyncSession, view: BillView) -> tuple[LineCard, ...]:
    """Return the lines of a bill with the lines of other documents that belong beside them."""
    refs = {ref for line in view.lines for ref in line.corrected_by}
    refs |= {line.line.corrects for line in view.lines if line.line.corrects is not None}
    others = {bill_id: await billing.bill(session, bill_id) for bill_id in sorted({ref.bill_id for ref in refs})}
    return tuple(_card(line, others) for line in view.lines)


def _card(view: LineView, others: Mapping[BillId, BillView]) -> LineCard:
    line = view.line
    rated = line_from_plain(line.trace["line"])
    return LineCard(
        n=view.n,
        name_zh=line.charge.name_zh,
        name_en=line.charge.name_en,
        period=line.key.service,
        fen=line.fen,
        tax_fen=line.tax_fen,
        paid_fen=max(line.fen, 0) - view.open_fen,
        estimated=line.estimated,
        words_zh=tuple(explain(rated, "zh")),
        words_en=tuple(explain(rated, "en")),
        corrects=None if line.corrects is None else _beside(line.corrects, others),
        corrected_by=tuple(_beside(ref, others) for ref in view.corrected_by),
    )


def _beside(ref: LineRef, others: Mapping[BillId, BillView]) -> Beside:
    other = others[ref.bill_id]
    fen = next(line.line.fen for line in other.lines if line.n == ref.n)
    return Beside(bill_id=ref.bill_id, number=other.summary.number, n=ref.n, fen=fen)
