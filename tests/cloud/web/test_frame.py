"""Addresses of pages, and the community that a filter names."""

from __future__ import annotations

from uuid import UUID

import pytest
from fastapi import Request

from cloud.estate.values import Community
from cloud.kit.errors import NotFoundError
from cloud.web.frame import address, chosen, see_other
from common.ids import CommunityId


def asked(query: str) -> Request:
    scope = {"type": "http", "path": "/cases", "query_string": query.encode(), "headers": []}
    return Request(scope)


@pytest.mark.parametrize(
    ("query", "changes", "found"),
    [
        ("", {}, "/cases"),
        ("kind=alarm&done=closed", {"offset": 50}, "/cases?kind=alarm&offset=50"),
        ("kind=alarm&offset=50", {"offset": None}, "/cases?kind=alarm"),
        ("kind=a%26b", {}, "/cases?kind=a%26b"),
    ],
)
def test_an_address_keeps_its_query_but_for_the_changes(query: str, changes: dict[str, int | None], found: str) -> None:
    assert address(asked(query), **changes) == found


def test_a_browser_is_sent_on_by_get() -> None:
    answer = see_other("/cases", done="closed", community="G&H", day=None)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases?community=G%26H&done=closed")


def test_a_filter_names_a_community_by_its_code_and_nobody_elses() -> None:
    one = Community(id=CommunityId(UUID(int=1)), code="G", name="花园", zone_name="UTC")
    assert chosen((one,), None) == chosen((one,), "G") == one
    for communities, code in (((one,), "X"), ((), None)):
        with pytest.raises(NotFoundError):
            chosen(communities, code)
