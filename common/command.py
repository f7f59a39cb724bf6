"""The `gatehouse` command: looks its first word up among the installed command families.

A gateway installs without the cloud's packages, so no family is imported before it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

from common.errors import RefusalError

GROUP = "gatehouse.commands"
_USAGE_EXIT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command family and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    families = {point.name: point for point in entry_points(group=GROUP)}
    if not words or words[0] not in families:
        known = ", ".join(sorted(families))
        sys.stderr.write(f"usage: gatehouse COMMAND ...; 可用命令 commands: {known}\n")
        return _USAGE_EXIT
    try:
        code: int = families[words[0]].load()(words[1:])
    except RefusalError as refusal:
        sys.stderr.write(f"gatehouse {words[0]}: {refusal}\n")
        return 1
    except ModuleNotFoundError as missing:
        extra = "edge" if words[0] == "edge" else "cloud"
        sys.stderr.write(f"gatehouse {words[0]}: {missing.name} is not installed; install gatehouse[{extra}]\n")
        return 1
    return code
