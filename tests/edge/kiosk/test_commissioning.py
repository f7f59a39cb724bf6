"""A technician adds a meter on trial and holds dials against registers; both are kept, told, and survive a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Quantity
from common.wire.commissioning import DIAL_COMPARED, METER_PROPOSED, unpack_comparison, unpack_proposal
from common.wire.records import Note
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind
from edge.kiosk.commissioning import DRAFTS_MAX, OWNER, TRIALS_MAX, Commissioning
from tests.edge.builders import HandClock, OpenSealer, counted, meter, until
from tests.edge.driver.builders import NOON, StandingClock
from tests.edge.kiosk.test_pages import DEVICE, READ, SILENT, Box, box
from tests.simulation.devices.description import Line, Meter, Site
from tests.simulation.devices.house import serve_site

__all__ = ["box"]
MODEL = "eastron-sdm120"


@asynccontextmanager
async def meters_on_a_line(box: Box, folder: Path, *addresses: str) -> AsyncIterator[None]:
    """Hang meters on wire `w` of the plan."""
    site = Site(
        seed=7,
        epoch=NOON.replace(month=1),
        lines=(Line(line="w", kind="modbus-tcp", listen="127.0.0.1:0"),),
        meters=tuple(
            Meter(serial=f"T{address}", model=MODEL, line="w", address=address, start_milli=5_000_000)
            for address in addresses
        ),
    )
    async with serve_site(site, StandingClock(), folder) as lines:
        box.wires = {"w": WireConfig(wire="w", kind=WireKind.MODBUS_TCP, address=lines["w"])}
        yield


async def notes(store: Store) -> list[Note]:
    sealer = OpenSealer()
    store.use_sealer(sealer)
    await store.seal()
    rows = [row.record for material in sealer.materials for row in material.events]
    return [record for record in rows if isinstance(record, Note) and record.what != "boot"]


async def test_a_meter_is_tried_kept_and_told_with_its_values(box: Box, tmp_path: Path) -> None:
    desk = box.commissioning
    async with meters_on_a_line(box, tmp_path, "3"):
        trial = await desk.try_meter("w", MODEL, " 3 ", "王工")
        assert trial.outcome is not None
        assert {point.quantity for point in trial.outcome.points} >= {Quantity.ENERGY_FORWARD, Quantity.VOLTAGE}
        assert desk.drafts == {}
        kept = await desk.keep(trial.device.meter_id, serial="E-1001", label="2-301", multiplier="20")
    told = await notes(box.store)
    assert [note.what for note in told] == [METER_PROPOSED]
    proposal = unpack_proposal(told[0].detail)
    assert (proposal.serial, proposal.wire, proposal.address, proposal.by) == ("E-1001", "w", "3", "王工")
    assert (proposal.label, proposal.multiplier_milli, proposal.resource) == ("2-301", 20_000, "electricity")
    assert "energy_forward" in proposal.points
    assert "voltage" not in proposal.points
    said = {point.quantity: point.value_milli for point in trial.outcome.points}
    assert proposal.values["energy_forward"] == said[Quantity.ENERGY_FORWARD]
    assert set(proposal.values) <= set(proposal.points)
    again = Commissioning(box.store, box.site_look(), await box.store.stage(OWNER))
    assert [replace(draft, outcome=None, read_at=None) for draft in again.drafts.values()] == [
        replace(kept, outcome=None, read_at=None)
    ]


async def test_a_meter_that_says_nothing_is_not_kept(box: Box, tmp_path: Path) -> None:
    async with meters_on_a_line(box, tmp_path, "3"):
        trial = await box.commissioning.try_meter("w", MODEL, "9", "王工")
    with pytest.raises(RefusalError, match="gave no value"):
        await box.commissioning.keep(trial.device.meter_id, serial="E", label="", multiplier="1")
    assert await notes(box.store) == []


@pytest.mark.parametrize(
    ("wire", "model", "address", "by", "why"),
    [
        ("x", MODEL, "3", "王工", "not in the plan in force"),
        ("w", "no-such", "3", "王工", "no device model"),
        ("w", MODEL, "900", "王工", "900"),
        ("w", "cjt188-water", "33000001", "王工", "does not run over"),
        ("w", MODEL, "3", " ", "your name"),
        ("w", MODEL, "3", "a\nb", "your name"),
    ],
)
async def test_what_cannot_be_is_refused_before_the_wire_is_asked(
    box: Box, wire: str, model: str, address: str, by: str, why: str
) -> None:
    box.wires = {"w": WireConfig(wire="w", kind=WireKind.MODBUS_TCP, address="127.0.0.1:1")}
    with pytest.raises(RefusalError, match=why):
        await box.commissioning.try_meter(wire, model, address, by)


async def test_an_address_of_the_plan_is_not_tried_again(box: Box) -> None:
    box.lay_out(READ)
    box.wires = {"g1-bus": WireConfig(wire="g1-bus", kind=WireKind.SERIAL_TCP, address="127.0.0.1:4001")}
    with pytest.raises(RefusalError, match="1-2-301 水表 of the plan already"):
        await box.commissioning.try_meter("g1-bus", "cjt188-water", DEVICE.address, "王工")


@pytest.mark.parametrize(
    ("serial", "multiplier"), [("", "1"), ("E1", "0"), ("E1", "1.5"), ("E1", "9" * 9), ("E1", "二")]
)
async def test_a_faulty_nameplate_is_not_kept(box: Box, tmp_path: Path, serial: str, multiplier: str) -> None:
    async with meters_on_a_line(box, tmp_path, "3"):
        trial = await box.commissioning.try_meter("w", MODEL, "3", "王工")
        with pytest.raises(RefusalError):
            await box.commissioning.keep(trial.device.meter_id, serial=serial, label="", multiplier=multiplier)
    assert box.commissioning.drafts == {}


async def test_a_meter_kept_twice_is_one_draft(box: Box, tmp_path: Path) -> None:
    desk = box.commissioning
    async with meters_on_a_line(box, tmp_path, "3"):
        first = await desk.try_meter("w", MODEL, "3", "王工")
        trial = await desk.try_meter("w", MODEL, "3", "王工")
        await desk.keep(first.device.meter_id, serial="E1", label="first", multiplier="1")
        await desk.keep(trial.device.meter_id, serial="E1", label="second", multiplier="1")
        with pytest.raises(RefusalError, match="trial is over"):
            await desk.keep(trial.device.meter_id, serial="E1", label="", multiplier="1")
    assert [draft.device.label for draft in desk.drafts.values()] == ["second"]
    assert len(await box.store.stage(OWNER)) == 1


async def test_drafts_and_trials_are_bounded(box: Box, tmp_path: Path) -> None:
    desk = box.commissioning
    async with meters_on_a_line(box, tmp_path, "3"):
        first = await desk.try_meter("w", MODEL, "3", "王工")
        for _ in range(TRIALS_MAX - 1):
            await desk.try_meter("w", MODEL, "3", "王工")
        last = await desk.try_meter("w", MODEL, "3", "王工")
    with pytest.raises(RefusalError, match="trial is over"):
        await desk.keep(first.device.meter_id, serial="E1", label="", multiplier="1")
    desk.drafts.update({meter(n): replace(last, device=_elsewhere(n)) for n in range(DRAFTS_MAX)})
    with pytest.raises(RefusalError, match="drafts wait"):
        await desk.keep(last.device.meter_id, serial="E1", label="", multiplier="1")


async def test_a_draft_is_read_on_trial_and_goes_when_the_plan_has_its_place(box: Box, tmp_path: Path) -> None:
    desk = box.commissioning
    async with meters_on_a_line(box, tmp_path, "3"):
        trial = await desk.try_meter("w", MODEL, "3", "王工")
        kept = await desk.keep(trial.device.meter_id, serial="E1", label="", multiplier="1")
        meter_id = kept.device.meter_id
        desk.drafts[meter_id] = replace(kept, outcome=None, read_at=None)
        running = asyncio.get_running_loop().create_task(desk.run())
        await until(lambda: desk.drafts[meter_id].outcome is not None)
        running.cancel()
    box.board.lay_out([], [replace(kept.device, meter_id=meter(5))])
    await desk.settle()
    assert desk.drafts == {}
    assert await box.store.stage(OWNER) == {}
    with pytest.raises(RefusalError, match="no such draft"):
        await desk.drop(meter_id)
    with pytest.raises(RefusalError, match="no such draft"):
        await desk.read_draft(meter_id)


async def test_a_draft_whose_wire_is_gone_keeps_nobody_from_being_read(box: Box, tmp_path: Path) -> None:
    desk = box.commissioning
    async with meters_on_a_line(box, tmp_path, "3"):
        trial = await desk.try_meter("w", MODEL, "3", "王工")
        kept = await desk.keep(trial.device.meter_id, serial="E1", label="", multiplier="1")
        desk.drafts = {
            meter(1): replace(kept, device=_elsewhere(1)),
            kept.device.meter_id: replace(kept, outcome=None),
        }
        running = asyncio.get_running_loop().create_task(desk.run())
        await until(lambda: desk.drafts[kept.device.meter_id].outcome is not None)
        assert not running.done()
        running.cancel()


async def test_a_dial_is_held_against_the_register_kept_and_told(box: Box) -> None:
    box.lay_out(READ)
    found = await box.commissioning.compare(DEVICE.meter_id, "volume", "152", "王工")
    assert found.comparison.difference_milli == 375
    assert found.at == box.clock.now()
    told = await notes(box.store)
    assert [note.what for note in told] == [DIAL_COMPARED]
    assert unpack_comparison(told[0].detail) == found.comparison
    again = Commissioning(box.store, box.site_look(), await box.store.stage(OWNER))
    assert list(again.compared.values()) == [found]


@pytest.mark.parametrize(("dial", "by"), [("much", "王工"), ("", "王工"), ("152", ""), ("1.0005", "王工")])
async def test_a_faulty_comparison_is_refused(box: Box, dial: str, by: str) -> None:
    box.lay_out(READ)
    with pytest.raises(RefusalError):
        await box.commissioning.compare(DEVICE.meter_id, "volume", dial, by)
    assert box.commissioning.compared == {}


async def test_a_silent_meter_cannot_be_compared(box: Box) -> None:
    box.lay_out(SILENT)
    with pytest.raises(RefusalError, match="gave no value"):
        await box.commissioning.compare(DEVICE.meter_id, "volume", "152", "王工")


async def test_what_another_release_stored_is_left_alone(tmp_path: Path, box: Box) -> None:
    store = Store.open(tmp_path / "other.db", clock=HandClock(), entropy=counted, budget=Budget())
    desk = Commissioning(store, box.site_look(), {"draft/1": b"\xc1", "dial/1/volume": b"\x80"})
    store.close()
    assert (desk.drafts, desk.compared) == ({}, {})


def _elsewhere(number: int) -> DeviceConfig:
    return replace(DEVICE, meter_id=MeterId(meter(number)), wire="elsewhere", address=str(number))
