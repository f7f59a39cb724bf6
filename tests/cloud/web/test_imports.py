"""Tables taken in on a page."""

from __future__ import annotations

import re

import httpx

from cloud.imports.columns import columns_of
from cloud.imports.kinds import ImportKind
from cloud.imports.sheets import csv_text
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import csrf_of, send
from tests.cloud.web.front import words_of

ROW = {"楼栋": "9", "房号": "9-1-101", "类型": "住宅", "建筑面积": "80", "业主": "新业主", "起始日": "2026-01-01"}


async def test_a_table_is_checked_taken_in_and_taken_back(garden: Office, manager: httpx.AsyncClient) -> None:
    base = f"/imports/{garden.site.community_id}"
    page = await manager.get("/imports")
    found = re.search(r'name="import_id" value="([0-9a-f-]{36})"', page.text)
    assert found
    assert (await manager.get(f"{base}/templates/meters")).content[:2] == b"PK"
    data = {"csrf": csrf_of(page), "kind": "estate", "import_id": found[1]}
    columns = columns_of(ImportKind.ESTATE)
    bad = {"file": ("t.csv", csv_text(columns, [{**ROW, "建筑面积": "大"}]))}
    checked = await manager.post(f"{base}/check", data=data, files=bad)
    assert "1 处错误" in words_of(checked)
    good = {"file": ("t.csv", csv_text(columns, [ROW]))}
    assert "没有错误" in words_of(await manager.post(f"{base}/check", data=data, files=good))
    taken = await manager.post(f"{base}/apply", data=data, files=good)
    assert taken.headers["location"] == "/imports?community=GARDEN&done=import-applied"
    assert (await manager.post(f"{base}/apply", data=data, files=bad)).status_code == 409
    back = await send(manager, "/imports", f"{base}/{found[1]}/undo", {})
    assert back.headers["location"] == "/imports?community=GARDEN&done=import-undone"
    assert "已撤回" in words_of(await manager.get("/imports"))
