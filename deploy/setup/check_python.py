"""Refuse an interpreter that is too old, in one clear line (this file must parse on old Pythons)."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "setup: Python 3.11 or newer is needed, this is %d.%d; install it, or name one: make PYTHON=python3.13 ..."
        % sys.version_info[:2]
    )
