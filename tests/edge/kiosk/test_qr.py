"""A code to scan is drawn at any size, or the page shows the address."""

from __future__ import annotations

import subprocess
import sys

from edge.kiosk.qr import qr_svg


def test_a_code_scales_with_the_page() -> None:
    drawn = qr_svg("https://pay.example/pay/abc")
    assert drawn is not None
    assert "viewBox" in drawn


def test_without_the_package_there_is_no_code_and_no_failure() -> None:
    code = "import sys; sys.modules['segno'] = None; from edge.kiosk.qr import qr_svg; print(qr_svg('x'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout.strip() == "None"
