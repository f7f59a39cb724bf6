"""Bring the browser files named in cloud/web/package-lock.json into cloud/web/static/vendor, with the wheel's own npm.

Nothing from a CDN and nothing third-party in the repository; the lock file carries the integrity hashes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parents[2] / "cloud" / "web"
VENDOR = WEB / "static" / "vendor"


def main() -> int:
    """Install the locked packages and copy the files that package.json lists under `vendor`."""
    npm = [str(Path(sys.executable).parent / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(npm, cwd=WEB, check=True)  # noqa: S603 - our own fixed command
    VENDOR.mkdir(parents=True, exist_ok=True)
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["vendor"]
    for source in wanted:
        shutil.copyfile(WEB / "node_modules" / source, VENDOR / Path(source).name)
    shutil.rmtree(WEB / "node_modules")
    sys.stdout.write(f"setup: {len(wanted)} browser files in {VENDOR.relative_to(WEB.parents[1])}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
