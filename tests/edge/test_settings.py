"""Settings are read once, with every fault named and no secret invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import FaultsError, RefusalError
from edge.settings import PIN_VARIABLE, SETTINGS_FILE, read_settings


def write(home: Path, text: str) -> Path:
    (home / SETTINGS_FILE).write_text(text, encoding="utf-8")
    return home


def test_an_empty_folder_means_defaults_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PIN_VARIABLE, raising=False)
    settings = read_settings(tmp_path)
    assert (settings.cloud_url, settings.clock_file, settings.technician_pin) == (None, None, None)
    assert settings.store_path == tmp_path / "store.db"


def test_a_full_file_is_taken(tmp_path: Path) -> None:
    text = """
    cloud: {url: "http://127.0.0.1:8000/"}
    pages: {port: 0}
    clock: {file: ../clock.pace}
    store: {limit_mib: 64, ballast_mib: 4, commit_interval_ms: 20}
    sampling: {tick_ms: 10, patience_ms: 0}
    """
    settings = read_settings(write(tmp_path, text))
    assert settings.cloud_url == "http://127.0.0.1:8000"
    assert settings.clock_file == tmp_path / "../clock.pace"
    assert (settings.store_limit_bytes, settings.tick_ms, settings.patience_ms) == (64 * 1024 * 1024, 10, 0)


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    text = """
    cloud: {url: "ftp://x", colour: red}
    pages: {port: 70000, host: 5}
    store: {limit_mib: yes}
    weather: {sun: 1}
    sampling: 3
    """
    with pytest.raises(FaultsError) as caught:
        read_settings(write(tmp_path, text))
    assert sorted(fault.where for fault in caught.value.faults) == [
        "cloud.colour",
        "cloud.url",
        "pages.host",
        "pages.port",
        "sampling",
        "store.limit_mib",
        "weather",
    ]


def test_a_ballast_larger_than_the_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="leaves no room"):
        read_settings(write(tmp_path, "store: {limit_mib: 16, ballast_mib: 16}"))


@pytest.mark.parametrize("text", ["[1, 2]", "a: b: c", "x" * 70_000])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RefusalError):
        read_settings(write(tmp_path, text))
