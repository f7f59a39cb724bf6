"""Bring what cloud/web/package-lock.json names to where it is used, with the wheel's own npm.

Browser files go to cloud/web/static/vendor, the font of the documents to cloud/documents/fonts; both are git-ignored.
Nothing from a CDN and nothing third-party in the repository; the lock file carries the integrity hashes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

CLOUD = Path(__file__).resolve().parents[2] / "cloud"
WEB = CLOUD / "web"
# the list in package.json -> the folder its files go to
FOLDERS = {"vendor": WEB / "static" / "vendor", "fonts": CLOUD / "documents" / "fonts"}


def main() -> int:
    """Install the locked packages and copy the files that package.json lists under each name."""
    npm = [str(Path(sys.executable).parent / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(npm, cwd=WEB, check=True)  # noqa: S603 - our own fixed command
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    for name, folder in FOLDERS.items():
        folder.mkdir(parents=True, exist_ok=True)
        for source in package[name]:
            shutil.copyfile(WEB / "node_modules" / source, folder / Path(source).name)
        sys.stdout.write(f"setup: {len(package[name])} {name} files in {folder.relative_to(CLOUD.parent)}\n")
    shutil.rmtree(WEB / "node_modules")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
