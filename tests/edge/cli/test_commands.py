"""The commands say what is wrong and how to mend it, and change nothing they only look at."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from edge.cli.budget import SiteSize, budget_table, disk_need
from edge.cli.doctor import Finding, examine, report
from edge.cli.main import main
from edge.settings import read_settings
from edge.uplink.identity import KEY_FILE, Identity
from tests.common.wire.builders import GATEWAY
from tests.edge.test_app import SITE, make_home, put_on_board
from tests.edge.uplink.test_identity import certificate
from tests.support.randomness import seeded_bytes

ROOM = 240 * 2**20


def findings(home: Path) -> dict[str, Finding]:
    return {finding.subject: finding for finding in asyncio.run(examine(read_settings(home)))}


def test_ninety_days_of_a_large_building_fit() -> None:
    need = disk_need(SiteSize(meters=500, points=4, every_minutes=15, days=90))
    assert need.readings == 500 * 4 * 96 * 90
    assert need.total <= 120 * 2**20


def test_a_site_too_large_is_told_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text, fits = budget_table(SiteSize(meters=5_000, points=8, every_minutes=1, days=90), ROOM)
    assert not fits
    assert "does not fit" in text
    assert main(["budget", "--home", str(tmp_path), "--meters", "500"]) == 0
    assert "fits" in capsys.readouterr().out
    assert main(["budget", "--home", str(tmp_path), "--meters", "0"]) == 1


def test_a_new_folder_lacks_only_a_cloud_and_a_trusted_clock(tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert {subject for subject, finding in found.items() if not finding.well} <= {"clock", "cloud"}
    assert "settings.yaml" in found["cloud"].remedy


def test_a_site_on_board_has_its_wires_looked_at(tmp_path: Path) -> None:
    settings = make_home(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wires = [
            {"wire": "import", "kind": "recorded", "address": "series.csv"},
            {"wire": "bus", "kind": "serial", "address": str(tmp_path / "no-such-tty")},
            {"wire": "tcp", "kind": "modbus-tcp", "address": f"127.0.0.1:{listener.getsockname()[1]}"},
            {"wire": "dead", "kind": "serial-tcp", "address": "127.0.0.1:9"},
        ]
        asyncio.run(put_on_board(settings, site=SITE | {"wires": wires}))
        found = findings(tmp_path)
    assert {name: found[f"wire {name}"].well for name in ("import", "bus", "tcp", "dead")} == {
        "import": True,
        "bus": False,
        "tcp": True,
        "dead": False,
    }
    assert "by-id" in found["wire bus"].remedy


def test_a_damaged_store_and_one_put_aside_are_told(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"\xff" * 4096)
    (tmp_path / "store.db.damaged-1").write_bytes(b"")
    found = [finding for finding in asyncio.run(examine(read_settings(tmp_path))) if finding.subject == "store"]
    assert [finding.well for finding in found] == [False, False]
    assert "damaged-1" in report(found)


def test_what_is_well_has_no_remedy_and_what_is_not_has_one(tmp_path: Path) -> None:
    for finding in asyncio.run(examine(read_settings(tmp_path))):
        assert finding.well != bool(finding.remedy)


def test_the_doctors_exit_code_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--home", str(tmp_path)]) == 1
    assert "MEND cloud" in capsys.readouterr().out


def test_broken_settings_are_one_clear_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "settings.yaml").write_text("pages: {port: high}", encoding="ascii")
    assert main(["doctor", "--home", str(tmp_path)]) == 1
    assert "pages.port" in capsys.readouterr().err


def test_an_unknown_word_is_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2
    assert "dance" in capsys.readouterr().err


def test_the_doctor_says_how_the_keys_stand_and_makes_none(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert findings(tmp_path)["keys"].well
    assert not keys.exists()
    identity = Identity.load(keys, seeded_bytes(1))
    assert "enrol" in findings(tmp_path)["keys"].remedy
    identity.enrol(certificate(identity.key))
    assert str(GATEWAY) in findings(tmp_path)["keys"].said
    (keys / KEY_FILE).chmod(0o644)
    shown = findings(tmp_path)["keys"]
    assert not shown.well
    assert "chmod 600" in shown.said
