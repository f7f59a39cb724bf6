"""A real browser without a screen, and a page that is watched: nothing leaves the machine, nothing goes wrong in it.

async with chromium() as browser, serving(app) as address, watched(browser, width=390) as page:
    await page.goto(f"{address}/my")
    ...
# leaving `watched` fails when a request went to another host, or the console or the content policy complained
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, async_playwright
from starlette.types import ASGIApp
from typing_extensions import override

EXECUTABLE = Path("/usr/bin/chromium")
HEIGHT = 900
CAPTURES = 5
_NO_CAPTURE = "Unable to capture screenshot"
# A refusal is answered with its status on purpose; the console notes it like a broken image.
_REFUSED = "the server responded with a status of 4"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser with a profile of its own."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=EXECUTABLE, headless=True, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def watched(browser: Browser, *, width: int, height: int = HEIGHT) -> AsyncIterator[Page]:
    """Open a page of a width in pixels; what it did wrong fails the test when it is left without a fault."""
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = await context.new_page()
    wrongs: list[str] = []

    def asked(request: Request) -> None:
        if urlsplit(request.url).hostname not in {"127.0.0.1", None}:
            wrongs.append(f"asked {request.url}")

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and _REFUSED not in message.text:
            wrongs.append(f"{message.type}: {message.text} at {page.url}")

    page.on("request", asked)
    page.on("console", said)
    page.on("pageerror", lambda error: wrongs.append(f"fault: {error} at {page.url}"))
    try:
        yield page
    finally:
        await context.close()
    assert not wrongs, wrongs


async def fits(page: Page) -> bool:
    """Return whether nothing of the page stands out to the right of the window."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def keep_picture(page: Page, folder: Path, name: str) -> None:
    """Check that the page fits its window and keep a picture of all of it for people to look at.

    A busy Chromium refuses a capture now and then and takes it when asked again (robotframework-browser issue 5237
    counted 21 in 301 runs); the last refusal is raised.
    """
    assert await fits(page), f"{name} is wider than its window"
    for left in reversed(range(CAPTURES)):
        try:
            await page.screenshot(path=folder / f"{name}.png", full_page=True)
        except Error as error:
            if left == 0 or _NO_CAPTURE not in error.message:
                raise
        else:
            return


class _Server(uvicorn.Server):
    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve an application on a loopback port while the block runs, and return its address."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        server = _Server(config)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
