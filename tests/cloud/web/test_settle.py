"""Moving out on a page: found by room, seen, settled, kept."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind, Role
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import csrf_of
from tests.cloud.web.front import words_of


async def let(garden: Office) -> str:
    """Let the first flat and return the path of its lodger's settlement."""
    premises = garden.site.flats[0][0]
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        lodger = await estate.add_party(unit, kind=PartyKind.PERSON, name="租客甲")
        await estate.relate(unit, party_id=lodger, premises_id=premises, role=Role.PAYER, starts=b.START)
        (account,) = await billing.open_accounts(unit, garden.site.community_id, {(premises, lodger)})
    return f"/settle/{garden.site.community_id}/accounts/{account.account_id}"


async def test_a_lodger_is_found_seen_and_settled(garden: Office, manager: httpx.AsyncClient) -> None:
    where = await let(garden)
    found = await manager.get("/settle", params={"room": "1-1-101"})
    assert f'href="{where}"' in found.text
    page = await manager.get(where)
    settlement = re.search(r'name="settlement" value="([0-9a-f-]{36})"', page.text)
    assert settlement
    seen = await manager.get(where, params={"settlement": settlement[1], "gone_on": "2026-03-11"})
    sha = re.search(r'name="sha" value="([0-9a-f]{64})"', seen.text)
    action = re.search(r'<form method="post" action="([^"]+gone_on[^"]+)"', seen.text)
    assert sha
    assert action
    form = {"csrf": csrf_of(seen), "gone_on": "2026-03-11", "sha": sha[1]}
    done = await manager.post(unescape(action[1]), data=form)
    kept = f"/settle/{garden.site.community_id}/{settlement[1]}"
    assert done.headers["location"] == f"{kept}?done=settled"
    assert "应退 Goes back 0.00" in words_of(await manager.get(kept))
    assert f'href="{kept}"' in (await manager.get("/settle")).text


@pytest.mark.parametrize(
    ("query", "status"),
    [({"gone_on": "soon"}, 422), ({"gone_on": "2026-03-11", "dial-x": "5"}, 422), ({"gone_on": "2026-01-01"}, 409)],
)
async def test_what_cannot_be_settled_is_refused_in_words(
    garden: Office, manager: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    assert (await manager.get(await let(garden), params=query)).status_code == status
