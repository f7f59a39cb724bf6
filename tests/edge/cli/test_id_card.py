"""The command that tries a kiosk's card reader shows nothing whole, in its output or in its refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli.id_card import read_one
from edge.cli.main import main
from edge.driver.outcome import WireKind
from tests.edge.driver.test_id_reader import NUMBER, card_after, served
from tests.edge.protocol.test_id_card import answer


async def test_a_card_is_shown_masked() -> None:
    async with served(card_after(0, answer(number=NUMBER))) as (host, port):
        said = await read_one(f"{host}:{port}", WireKind.SERIAL_TCP, 5)

    assert "王**" in said
    assert NUMBER[:-2] not in said


def test_a_reader_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["id-card", "127.0.0.1:9", "--over", "serial-tcp", "--home", str(tmp_path)]) == 1
    assert "127.0.0.1:9" in capsys.readouterr().err
