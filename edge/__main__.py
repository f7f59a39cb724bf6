"""`python -m edge WORD --home DIR`: see `edge/cli/main.py`."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts us with an old Python is told so in one line
    sys.exit("gatehouse edge: needs Python 3.11 or newer")

from edge.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
