"""The channel's signing keys: one current, older ones still known, and a stranger's for forgeries."""

from __future__ import annotations

import time
from pathlib import Path

from tests.simulation.wechat.seals import SigningKey, kept_key, new_key


class Keys:
    """Keys kept in a folder, and the channel's machine clock, which can be set wrong."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.known: dict[str, SigningKey] = {}
        for file in sorted(folder.glob("PUB_KEY_ID_*.pem")) or [folder / f"PUB_KEY_ID_{1:032d}.pem"]:
            self.known[file.stem] = kept_key(file, file.stem)
        self.current = list(self.known.values())[-1]
        self.stranger = new_key(self.current.serial, "stranger")
        self.skew_s = 0

    def rotate(self) -> SigningKey:
        """Make a new current key; the old one stays known."""
        serial = f"PUB_KEY_ID_{len(self.known) + 1:032d}"
        self.current = kept_key(self._folder / f"{serial}.pem", serial)
        self.known[serial] = self.current
        return self.current

    def chosen(self, serial: str | None) -> SigningKey:
        """Return the key the other side asked for by `Wechatpay-Serial`, else the current one."""
        return self.known.get(serial or "", self.current)

    def machine_s(self) -> float:
        """Return the channel's machine clock."""
        return time.time() + self.skew_s
