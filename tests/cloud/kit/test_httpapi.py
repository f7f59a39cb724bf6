"""How refusals are answered, bodies bounded, lists paged, faults kept inside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from cloud.kit import errors
from cloud.kit.httpapi import BodyLimit, LastResort, Paging, install_error_handlers, page_of, paging, status_of
from common.errors import Fault, FaultsError, InvariantError, RefusalError

FAULTS = FaultsError("tariff", [Fault(where="line 3", what="overlaps", remedy="move it")])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusalError("x"), 400),
        (errors.UnauthenticatedError("x"), 401),
        (errors.ForbiddenError("x"), 403),
        (errors.NotFoundError("x"), 404),
        (errors.ConflictError("x"), 409),
        (errors.TooLargeError("x"), 413),
        (errors.MalformedError("x"), 422),
        (FAULTS, 422),
        (errors.BusyError("x"), 503),
        (InvariantError("x"), 500),
        (type("LocalError", (errors.ConflictError,), {})("x"), 409),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_family_has_its_status(error: RefusalError, status: int) -> None:
    assert status_of(error) == status


def application() -> FastAPI:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/faults")
    async def faults() -> None:
        raise FAULTS

    @app.get("/busy")
    async def busy() -> None:
        raise errors.BusyError("later")

    @app.get("/broken")
    async def broken() -> None:
        raise InvariantError("the secret inside")

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @app.post("/large")
    async def large(request: Request) -> int:
        return len(await request.body())

    @app.get("/page")
    async def page(wanted: Paging = Depends(paging)) -> int:  # noqa: B008, FAST002 - the plain form of FastAPI
        return wanted.limit

    app.add_middleware(BodyLimit, limit=100, limits=(("/large", 200),))
    app.add_middleware(LastResort)
    return app


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_a_refusal_is_a_problem_document_with_its_faults(client: httpx.AsyncClient) -> None:
    answer = await client.get("/faults")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["faults"] == ["line 3: overlaps; move it"]
    assert (await client.get("/busy")).headers["retry-after"] == "1"


async def test_a_fault_of_ours_tells_nothing_of_the_inside_and_is_logged_once(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert [(entry["event"], entry["route"]) for entry in logs] == [("request_failed", "/broken")]


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/size", 100, 200), ("/size", 101, 413), ("/large", 200, 200), ("/large", 201, 413)],
)
async def test_a_body_has_a_bound_whether_its_length_is_announced_or_not(
    client: httpx.AsyncClient, path: str, size: int, status: int
) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(size):
            yield b"x"

    assert (await client.post(path, content=b"x" * size)).status_code == status
    assert (await client.post(path, content=in_pieces())).status_code == status


async def test_a_false_length_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/size", content=b"x", headers={"content-length": "-5"})
    assert answer.status_code == 413


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"offset": -1}, {"limit": "x"}])
async def test_a_page_outside_its_bounds_is_refused(client: httpx.AsyncClient, query: dict[str, int | str]) -> None:
    assert (await client.get("/page", params=query)).status_code == 422


@given(st.integers(0, 50), st.integers(1, 10))
def test_pages_together_hold_every_row_once(count: int, limit: int) -> None:
    rows, offset, seen = list(range(count)), 0, list[int]()
    while True:
        page = page_of(rows[offset : offset + limit + 1], Paging(offset=offset, limit=limit))
        seen += page.rows
        if page.next_offset is None:
            break
        offset = page.next_offset
    assert seen == rows
