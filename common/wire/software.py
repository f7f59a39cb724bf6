"""The release of a gateway's software as one number of its health report, which holds counters alone.

1.20.3 is 1 020 003; what stands behind the third number (a build, a candidate) is left out.
"""

from __future__ import annotations

import re

from common.errors import RefusalError

SOFTWARE = "software"
_STEP = 1000
_RELEASE = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,3}))?(?!\.?[0-9])", re.ASCII)


def pack_release(text: str) -> int:
    """Return the number of a release such as 1.20.3.

    Raises:
        RefusalError: the text begins with no release of two or three numbers below a thousand.
    """
    found = _RELEASE.match(text)
    if found is None:
        raise RefusalError(f"release {text!r} does not begin with numbers such as 1.20.3")
    major, minor, patch = (int(part or 0) for part in found.groups())
    return (major * _STEP + minor) * _STEP + patch


def unpack_release(number: int) -> str:
    """Return the release of a number."""
    rest, patch = divmod(number, _STEP)
    return f"{rest // _STEP}.{rest % _STEP}.{patch}"
