"""What every page shares: templates, forms read with a bound, who asks, messages in two languages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from common.errors import RefusalError
from common.money.amount import CNY, format_minor

HERE = Path(__file__).parent
FORM_BYTES_MAX = 4_096
TOO_MANY = 429
FORBIDDEN = 403
NOT_FOUND = 404
REFUSED = 409
TOO_LARGE = 413
Handler = Callable[[Request], Awaitable[Response]]


class Renderer:
    """Turns templates into answers that no browser keeps; `say` gives the key under which a sentence can be heard."""

    def __init__(self, zone: Callable[[], tzinfo], idle_s: int, say: Callable[[str], str]) -> None:
        self._zone = zone
        self._idle_s = idle_s
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(yuan=_yuan, moment=self._moment, instant=self._instant)
        self._templates.globals["say"] = say

    def page(self, template: str, *, code: int = 200, **shown: Any) -> HTMLResponse:
        """Return a page."""
        text = self._templates.get_template(template).render(idle_s=self._idle_s, **shown)
        return HTMLResponse(text, status_code=code, headers={"Cache-Control": "no-store"})

    def message(self, what: str, *, detail: str = "", code: int = 200) -> HTMLResponse:
        """Return a page that says one thing."""
        return self.page("message.html", code=code, what=what, detail=detail)

    def _moment(self, instant: datetime | None) -> str:
        return "—" if instant is None else instant.astimezone(self._zone()).strftime("%Y-%m-%d %H:%M")

    def _instant(self, instant: datetime) -> str:
        return instant.astimezone(self._zone()).strftime("%m-%d %H:%M:%S")


async def read_form(request: Request) -> dict[str, str]:
    """Return a form's first values; a body past the bound is refused before it is read whole."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise HTTPException(TOO_LARGE)
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}


def parse_id(text: str) -> UUID:
    """Return the id written as text.

    Raises:
        RefusalError: the text is no id.
    """
    try:
        return UUID(text)
    except ValueError as error:
        raise RefusalError(f"{text!r} is no id; open the page again") from error


def address_of(request: Request) -> str:
    """Return who asks, for the limit on guesses."""
    return request.client.host if request.client else "local"


def _yuan(fen: int) -> str:
    return format_minor(fen, CNY)
