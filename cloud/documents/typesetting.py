"""From plain data to the bytes of a PDF/A-2b: the same data, template and font give the same bytes, always.

Templates are ours and stand beside this module; data reaches them as JSON only and is never markup. This module reads
no clock and no database, so that a process of its own can run it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import typst

from cloud.documents.glyphs import FONTS, font_paths
from common.errors import InvariantError, ensure

TEMPLATES = Path(__file__).parent / "templates"
PAPER = "paper-1"
SEAL = "seal-1"
# A sealed paper still fits into one request, so that whoever has it can upload it for checking.
PAGES_BYTES_MAX = 900_000
_EPOCH_S = 0


@lru_cache(maxsize=8)
def template_sha(template: str) -> bytes:
    """Return the SHA-256 of a template, which is kept with every paper made from it."""
    return sha256(_path(template).read_bytes()).digest()


def typeset(template: str, data: Mapping[str, Any]) -> bytes:
    """Return the PDF/A-2b of a template and its data.

    Raises:
        InvariantError: there is no such template, or it does not compile with this data.
    """
    inputs = {"data": json.dumps(data, ensure_ascii=False, sort_keys=True)}
    try:
        made = _compiler().compile(
            str(_path(template)), format="pdf", sys_inputs=inputs, pdf_standards=["a-2b"], timestamp=_EPOCH_S
        )
    except typst.TypstError as error:
        raise InvariantError(f"the template {template} does not compile: {error.message}") from error
    ensure(isinstance(made, bytes) and len(made) <= PAGES_BYTES_MAX, f"a paper has at most {PAGES_BYTES_MAX} bytes")
    return made if isinstance(made, bytes) else b""


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    font_paths()
    return typst.Compiler(root=str(TEMPLATES), font_paths=[str(FONTS)], ignore_system_fonts=True)


def _path(template: str) -> Path:
    path = TEMPLATES / f"{template}.typ"
    ensure(path.is_file(), f"there is a template {template}")
    return path
