"""What loading a site hands back once: ids to go on with, and one-time codes that stand nowhere else."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Report:
    """What the loader hands back once: ids to go on with and one-time codes."""

    companies: dict[str, str] = field(default_factory=dict)
    communities: dict[str, str] = field(default_factory=dict)
    gateways: dict[str, dict[str, str]] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the report so that only its owner can read it."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            json.dump({name: getattr(self, name) for name in self.__slots__}, target, ensure_ascii=False, indent=1)
