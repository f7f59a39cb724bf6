"""A line without an explanation of its own is explained from its input; an input that says otherwise is a breach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud.billing import service
from cloud.billing.explaining import EXPLAINED, explained
from common.errors import InvariantError
from tests.cloud.hamlet import Hamlet


async def test_lines_are_explained_once_and_what_stands_beside_stays(hamlet: Hamlet) -> None:
    await hamlet.run()
    own = hamlet.premises[0]
    async with hamlet.database.view(hamlet.tenant) as session:
        (account,) = await service.accounts_of_premises(session, [own])
        (summary,) = await service.bills_of(session, [account.account_id])
        line = (await service.bill(session, summary.bill_id)).lines[0].line
        bare = replace(line, trace={})
        noted = replace(line, trace={"adjusts": {"was_fen": 1}}, fen=0, net_fen=0)
        found = await explained(session, hamlet.community_id, own, [bare, noted, line])
        with pytest.raises(InvariantError, match="issued were"):
            await explained(session, hamlet.community_id, own, [replace(bare, fen=line.fen + 1)])
    assert [dict(one.trace) for one in (found[0], found[2])] == [dict(line.trace)] * 2
    assert (found[1].trace["adjusts"], EXPLAINED in found[1].trace) == ({"was_fen": 1}, True)
