"""The library of ready tariffs that comes with the product: read as text, to be tried out and copied."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cloud.kit.errors import NotFoundError

_ROOT = Path(__file__).resolve().parents[2]
_NO_TARIFFS = frozenset({"calendar"})


@cache
def library() -> tuple[str, ...]:
    """Return the names of the tariffs, `electricity/beijing-annual`, in their order."""
    files = (path.relative_to(_folder()) for path in _folder().glob("*/*.yaml"))
    return tuple(sorted(str(file.with_suffix("")) for file in files if file.parts[0] not in _NO_TARIFFS))


def library_text(name: str) -> str:
    """Return the text of a tariff.

    Raises:
        NotFoundError: there is none of that name.
    """
    if name not in library():
        raise NotFoundError("there is no such tariff in the library")
    return _folder().joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def _folder() -> Path:
    """Return the folder: beside the code in a checkout, else as installed with it."""
    candidates = (_ROOT / "firmware-config", _ROOT / "gatehouse_config")
    return next((path for path in candidates if path.is_dir()), candidates[0]) / "tariffs"
