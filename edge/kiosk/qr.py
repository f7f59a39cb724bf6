"""A code to scan as inline SVG. The package that draws it is optional on a gateway: without it the address is shown."""

from __future__ import annotations

import io


def qr_svg(text: str) -> str | None:
    """Return a code as SVG, None where the package for it is not installed."""
    try:
        import segno  # noqa: PLC0415 - optional on a gateway
    except ImportError:
        return None
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", scale=6, border=2, omitsize=True, xmldecl=False, svgns=True, nl=False
    )
    return out.getvalue().decode()
