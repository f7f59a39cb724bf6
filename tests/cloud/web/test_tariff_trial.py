"""Trying prices out on the console: what the page says is what the functions behind the command say."""

from __future__ import annotations

import csv
import io
from zoneinfo import ZoneInfo

import httpx
import pytest

from cloud.tariffs.library import library_text
from cloud.tariffs.text import load_text
from cloud.tariffs.trial import price_text, read_tariff
from cloud.web.tariff_trial import TEXT_MAX
from common.rating.explain import explain
from common.rating.usage_document import Place
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import csrf_of, send
from tests.cloud.web.garden import add_prices

PAGE = "/price-trial"
BEIJING, JINAN = library_text("electricity/beijing-annual"), library_text("electricity/jinan-tou")
USAGE = 'period: ["2026-06-01", "2026-07-01"]\nquantity: "150"\nprior: "2800"\n'
REQUESTS = "requests:\n" + "".join(
    f'  - {{name: "1-10{n}", period: ["2026-06-01", "2026-07-01"], quantity: "{n * 100}"}}\n' for n in (1, 2, 3)
)
BROKEN = """format: gatehouse-tariff/1
code: test/broken
name: broken
unit: kwh
tiers: {bounds: ["20", "10"]}
charges:
  - key: energy
    prices: ["1", "2", 0.5]
"""


async def tried(browser: httpx.AsyncClient, deed: str, **fields: str) -> httpx.Response:
    return await send(browser, PAGE, PAGE, {"deed": deed, "community": "GARDEN", **fields})


async def test_all_faults_of_a_text_are_shown_at_once_with_line_and_remedy(manager: httpx.AsyncClient) -> None:
    shown = await tried(manager, "check", tariff=BROKEN)
    assert shown.status_code == 200
    assert "3 <span" in shown.text
    assert "10 is not above 20: tiers overlap" in shown.text
    assert "let the bounds rise" in shown.text
    assert shown.text.count('<th scope="row">') == 3
    for line in (4, 5, 8):
        assert f"第 {line} 行" in shown.text
    assert "code: test/broken" in shown.text
    torn = await tried(manager, "check", tariff="a: [1")
    assert "it is not YAML" in torn.text
    assert "beijing-annual" in (await tried(manager, "check", tariff=BEIJING)).text.split('id="tariff-good"')[1]


async def test_a_price_and_its_explanation_are_those_of_the_command_in_both_languages(
    manager: httpx.AsyncClient,
) -> None:
    line = price_text(
        read_tariff(BEIJING, "tariff"), load_text(USAGE, "usage"), Place(zone=ZoneInfo("UTC"), zone_name="UTC")
    )
    shown = await tried(manager, "price", tariff=BEIJING, usage=USAGE)
    assert "76.75 CNY" in shown.text
    for sentence in (*explain(line, "zh"), *explain(line, "en")):
        assert f"<li>{sentence}</li>" in shown.text


async def test_a_request_that_cannot_be_priced_is_told_why_and_its_faults_with_lines(
    manager: httpx.AsyncClient,
) -> None:
    shown = await tried(manager, "price", tariff=BEIJING, usage='period: ["2026-06-01", "2026-07-01"]\n')
    assert "缺少用量" in shown.text
    assert 'id="told"' not in shown.text
    wrong = await tried(manager, "price", tariff=BROKEN, usage="- 1")
    assert 'id="tariff-faults"' in wrong.text
    assert 'id="usage-faults"' in wrong.text


async def test_old_and_new_are_compared_with_table_picture_and_file(manager: httpx.AsyncClient) -> None:
    texts = {"tariff": JINAN, "old": BEIJING, "requests": REQUESTS + '  - {name: "<b>", period: [a, b]}\n'}
    shown = await tried(manager, "compare", **texts)
    assert 'data-chart="spread"' in shown.text
    assert "+35.16" in shown.text
    assert "&lt;b&gt;" in shown.text
    assert "<b>" not in shown.text.split('id="changes"')[1]
    assert "it is no period" in shown.text
    answer = await send(manager, PAGE, f"{PAGE}/changes.csv", {"community": "GARDEN", **texts})
    assert answer.headers["content-type"].startswith("text/csv")
    header, *rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(header) == 6
    assert [row[0] for row in rows] == ["1-103", "1-102", "1-101", "<b>"]
    assert [row[3] for row in rows[:3]] == ["17.58", "11.72", "5.86"]
    assert "it is no period" in rows[3][5]


async def test_faults_of_all_three_texts_are_shown_and_a_file_is_refused_with_them(
    manager: httpx.AsyncClient,
) -> None:
    texts = {"tariff": BROKEN, "old": "a: 1", "requests": "requests: 7"}
    shown = await tried(manager, "compare", **texts)
    for name in ("tariff", "old", "requests"):
        assert f'id="{name}-faults"' in shown.text
    refused = await send(manager, PAGE, f"{PAGE}/changes.csv", {"community": "GARDEN", **texts})
    assert refused.status_code == 422
    assert "line 1: " in refused.text


async def test_other_currencies_and_too_many_requests_are_refused(manager: httpx.AsyncClient) -> None:
    other = library_text("electricity/taipower-bimonthly")
    shown = await tried(manager, "compare", tariff=BEIJING, old=other, requests=REQUESTS)
    assert "TWD and CNY cannot be compared" in shown.text
    many = "requests:\n" + '  - {name: "a"}\n' * 1_001
    shown = await tried(manager, "compare", tariff=BEIJING, old=BEIJING, requests=many)
    assert "these are 1001 requests" in shown.text


async def test_a_tariff_is_taken_from_the_library_or_from_a_revision_of_the_community(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    await add_prices(garden)
    page = await manager.get(PAGE)
    assert 'value="library:electricity/beijing-annual"' in page.text
    source = page.text.split('value="revision:')[1].partition('"')[0]
    taken = await tried(manager, "take", source="library:electricity/beijing-annual", old="kept")
    assert "北京居民年阶梯电价" in taken.text
    assert ">\nkept</textarea>" in taken.text
    old = await tried(manager, "take_old", source=f"revision:{source}", tariff="kept")
    assert "code: area-fee" in old.text
    linked = await manager.get(PAGE, params={"source": f"revision:{source}", "old": "library:generic/package"})
    assert "code: area-fee" in linked.text
    assert "code: generic/package" in linked.text
    for nothing in ("library:../../etc/passwd", "revision:" + "0" * 64, "x"):
        assert (await tried(manager, "take", source=nothing)).status_code == 404
    history = await manager.get("/tariffs/history", params={"community": "GARDEN", "code": "area-fee"})
    assert f"source=revision%3A{source}" in history.text


async def test_a_file_stands_in_for_the_text(manager: httpx.AsyncClient) -> None:
    fields = {"deed": "check", "community": "GARDEN", "tariff": BROKEN}

    async def upload(content: bytes) -> httpx.Response:
        data = {**fields, "csrf": csrf_of(await manager.get(PAGE))}
        return await manager.post(PAGE, data=data, files={"tariff_file": ("t.yaml", content)})

    assert 'id="tariff-good"' in (await upload("\ufeff".encode() + BEIJING.encode())).text
    assert 'id="tariff-faults"' in (await upload(b"")).text
    assert (await upload(b"\xff\xfe")).status_code == 400
    assert (await upload(b"#" * (TEXT_MAX + 1))).status_code == 413


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"deed": "guess"}, 422),
        ({"deed": "check", "tariff": "#" * (TEXT_MAX + 1)}, 422),
        ({"deed": "check", "community": "NOWHERE"}, 404),
        ({"deed": "check", "tariff": "价" * 400_000}, 413),
    ],
)
async def test_what_no_form_of_ours_sends_is_refused(
    manager: httpx.AsyncClient, fields: dict[str, str], status: int
) -> None:
    assert (await send(manager, PAGE, PAGE, fields)).status_code == status


async def test_a_text_of_a_million_nested_lists_is_a_fault_and_no_crash(manager: httpx.AsyncClient) -> None:
    shown = await tried(manager, "check", tariff="[" * 100_000)
    assert "nests deeper than 40" in shown.text


async def test_only_who_may_change_prices_tries_them(technician: httpx.AsyncClient) -> None:
    assert (await technician.get(PAGE)).status_code == 403
    assert PAGE not in (await technician.get("/fleet")).text
