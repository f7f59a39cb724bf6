"""The files of the house as git tracks them, relative to its root."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE_ROOTS = ("common", "edge", "cloud", "tests", "deploy")


def tracked() -> list[Path]:
    """Return the files git tracks, or in an exported tree every file below the roots."""
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - git
    names = run.stdout.split("\n") if run.returncode == 0 else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


FILES = tracked()
PYTHON = [path for path in FILES if path.suffix == ".py" and path.parts[0] in CODE_ROOTS]
PRODUCT = [path for path in PYTHON if path.parts[0] in {"common", "edge", "cloud"}]
