"""The explanation of lines that were issued by column: rated again from the input that they name, to the same fen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing.intake import trace_of
from cloud.billing.lines import LineDraft
from cloud.rating.column_run import replayed_lines
from common.errors import ensure
from common.ids import CommunityId, PremisesId

EXPLAINED = "line"


async def explained(
    session: AsyncSession, community_id: CommunityId, premises_id: PremisesId, lines: Sequence[LineDraft]
) -> tuple[LineDraft, ...]:
    """Return lines of some premises with the explanation of each; what their traces say beside it stays."""
    wanted = {line.input_sha for line in lines if EXPLAINED not in line.trace}
    if not wanted:
        return tuple(lines)
    traces: dict[str, dict[tuple[object, str], tuple[int, Mapping[str, Any]]]] = defaultdict(dict)
    for sha in sorted(wanted):
        for one in await replayed_lines(session, community_id, sha, premises_id):
            trace = trace_of(one.line, one.from_register, one.to_register, session_id=None, pool_id=one.pool_id)
            traces[sha][one.charge_item_id, one.subject] = one.line.amount_fen, trace
    return tuple(_explained(line, traces[line.input_sha]) if line.input_sha in wanted else line for line in lines)


def _explained(line: LineDraft, traces: Mapping[tuple[object, str], tuple[int, Mapping[str, Any]]]) -> LineDraft:
    found = traces.get((line.key.charge_item_id, line.key.subject))
    if EXPLAINED in line.trace or found is None:
        return line
    fen, trace = found
    ensure("adjusts" in line.trace or fen == line.fen, f"the input of a line gives {fen} fen, issued were {line.fen}")
    return replace(line, trace={**trace, **line.trace})
