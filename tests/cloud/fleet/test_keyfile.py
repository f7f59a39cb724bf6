"""The cloud's signing key is made once, read by its owner only, and never half there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cloud.fleet.keyfile import signing_key
from common.errors import RefusalError


def test_the_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "home" / "signing.key"
    assert signing_key(path).public_key == signing_key(path).public_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["signing.key"]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    signing_key(path)
    path.chmod(0o640)
    with pytest.raises(RefusalError, match="can be read by others"):
        signing_key(path)


def test_a_damaged_key_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    path.write_text("half a ke")
    path.chmod(0o600)
    with pytest.raises(RefusalError, match="damaged"):
        signing_key(path)
    assert path.read_text() == "half a ke"
