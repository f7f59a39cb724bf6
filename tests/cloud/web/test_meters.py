"""Meters on pages: holes first, a reading by hand, a swap."""

from __future__ import annotations

import httpx
import pytest

from cloud.kit.errors import MalformedError
from cloud.web.meters import milli_of
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import send
from tests.cloud.web.front import words_of
from tests.cloud.web.garden import place_meter


async def test_holes_are_shown_and_a_reading_by_hand_and_a_swap_are_entered(
    garden: Office, technician: httpx.AsyncClient
) -> None:
    meter = await place_meter(garden, garden.site.flats[0], "2001")
    garden.clock.advance(days=20)
    assert "2001" in words_of(await technician.get("/meters"))
    where = f"/meters/{garden.site.community_id}/{meter}"
    entered = await send(
        technician, where, f"{where}/reading", {"day": "2026-01-20", "value": "1234.5", "reason": "现场"}
    )
    assert entered.headers["location"] == "/meters?community=GARDEN&done=reading-entered"
    assert "1234.5" in words_of(await technician.get("/meters"))
    form = {"day": "2026-01-21", "last": "1240", "serial": "3001", "first": "0", "reason": "到期"}
    done = await send(technician, where, f"{where}/swap", form)
    assert done.headers["location"] == "/meters?community=GARDEN&done=meter-swapped"
    assert "3001" in words_of(await technician.get("/meters"))
    wrong = await send(technician, where, f"{where}/reading", {"day": "2026-01-20", "value": "many", "reason": "x"})
    assert wrong.status_code == 422
    assert (await technician.get(f"/meters/{garden.site.community_id}/{garden.site.community_id}")).status_code == 404


def test_a_dial_is_read_to_the_thousandth() -> None:
    assert [milli_of(text) for text in ("0", " 1.5", "12.345")] == [0, 1_500, 12_345]
    for text in ("", "1.2345", "1,0"):
        with pytest.raises(MalformedError):
            milli_of(text)
