"""The files that pages load: ours and the vendored ones, from our own address, with a name that changes with the bytes.

A page names a file with the digest of its content, so a browser may keep it for good; without the digest it asks
again each time and mostly hears that nothing changed.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from os import PathLike, stat_result

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope
from typing_extensions import override

from cloud.web.rendering import STATIC
from common.errors import ensure

PREFIX = "/static"
_KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
_ASKED_AGAIN = "no-cache"
_DIGEST_HEX = 12
_ZIPPED_BYTES_MIN = 1_000


class _Files(StaticFiles):
    @override
    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        versioned = scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = _KEPT_FOR_GOOD if versioned else _ASKED_AGAIN
        return response


def static_files() -> ASGIApp:
    """Return the application that serves the static files, compressed where the browser takes it."""
    return GZipMiddleware(_Files(directory=STATIC), minimum_size=_ZIPPED_BYTES_MIN)


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """Return the address of a static file, with the digest of its content.

    Raises:
        InvariantError: a template names a file that is not there.
    """
    path = STATIC / name
    ensure(path.is_file(), f"the static file {name} is there; `make` brings the vendored ones")
    return f"{PREFIX}/{name}?v={sha256(path.read_bytes()).hexdigest()[:_DIGEST_HEX]}"
