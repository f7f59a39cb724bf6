"""A browser without a screen: it keeps cookies, asks for pages, and finds the token in a form."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from tests.support.api import HOST

_TOKEN = re.compile(r'X-CSRF-Token": "([0-9a-f]{64})"')


@asynccontextmanager
async def reading(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Open a browser of the application; redirects are shown and not followed."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Accept": "text/html,*/*;q=0.8", "Origin": HOST}
    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as opened:
        yield opened


def csrf_of(page: httpx.Response) -> str:
    """Return the token that the forms of a page carry."""
    found = _TOKEN.search(page.text)
    assert found, page.text
    return found[1]


async def sign_in(browser: httpx.AsyncClient, code: str) -> None:
    """Sign a person in by his one-time code."""
    door = await browser.get("/sign-in")
    answer = await browser.post("/sign-in", data={"csrf": csrf_of(door), "code": code})
    assert answer.status_code == 303, answer.text


async def send(browser: httpx.AsyncClient, page: str, path: str, data: Mapping[str, str]) -> httpx.Response:
    """Send a form that stands on a page."""
    token = csrf_of(await browser.get(page))
    return await browser.post(path, data={**data, "csrf": token})
