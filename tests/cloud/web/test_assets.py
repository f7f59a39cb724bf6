"""Static files: types, caching, nothing outside their folder."""

from __future__ import annotations

import httpx

from cloud.web.assets import asset


async def test_a_named_static_file_is_kept_for_good_and_an_unnamed_one_asked_for_again(
    stranger: httpx.AsyncClient,
) -> None:
    address = asset("gatehouse.css")
    named = await stranger.get(address)
    assert named.headers["content-type"] == "text/css; charset=utf-8"
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    plain = await stranger.get("/static/gatehouse.css")
    assert plain.headers["cache-control"] == "no-cache"
    again = await stranger.get("/static/gatehouse.css", headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304
    assert (await stranger.get("/static/gatehouse.js")).headers["content-type"].startswith("text/javascript")
    assert (await stranger.get("/static/mark.svg")).headers["content-type"].startswith("image/svg+xml")
    for outside in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/vendor/none.js"):
        assert (await stranger.get(outside)).status_code == 404, outside
