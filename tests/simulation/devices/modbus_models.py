"""Register maps of the simulated Modbus meters, written here from the makers' documents, apart from the profiles."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from tests.simulation.devices.dial import as_float32_milli

SPACE = 0x7000
_INTEGERS = {"u16": ">H", "u32": ">I", "s32": ">i", "s64": ">q"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value in the register space: where, which quantity, how it is stored, and its milli-units per count."""

    address: int
    quantity: str
    form: str
    milli_per_count: int = 1000

    def pack(self, milli: int) -> bytes:
        """Return the register bytes of a value."""
        if self.form == "f32":
            return struct.pack(">f", milli / self.milli_per_count)
        if self.form == "f32-low-first":
            high_first = struct.pack(">f", milli / self.milli_per_count)
            return high_first[2:] + high_first[:2]
        return struct.pack(
            {"u16": ">H", "u32": ">I", "s32": ">i", "s64": ">q"}[self.form], milli // self.milli_per_count
        )

    def read_back(self, milli: int) -> int:
        """Return the milli-units that a right reader gets from the bytes."""
        if self.form.startswith("f32"):
            return as_float32_milli(milli, self.milli_per_count)
        return milli // self.milli_per_count * self.milli_per_count

    @property
    def registers(self) -> int:
        """Return how many registers the value takes."""
        return len(self.pack(0)) // 2


@dataclass(frozen=True, slots=True)
class ModbusModel:
    """A meter model: which function reads it, and its values."""

    function: int
    cells: tuple[Cell, ...]

    def image(self, shown: Mapping[str, int]) -> dict[int, int]:
        """Return the registers that hold values, by address."""
        registers: dict[int, int] = {}
        for cell in self.cells:
            raw = cell.pack(shown[cell.quantity])
            for n in range(0, len(raw), 2):
                registers[cell.address + n // 2] = int.from_bytes(raw[n : n + 2])
        return registers

    def read_back(self, shown: Mapping[str, int], start: int, count: int) -> dict[str, int]:
        """Return the values that lie wholly in an answer, as a right reader must decode them."""
        return {
            cell.quantity: cell.read_back(shown[cell.quantity])
            for cell in self.cells
            if start <= cell.address and cell.address + cell.registers <= start + count
        }


MODELS = {
    "eastron-sdm120": ModbusModel(
        4,
        (
            Cell(0x0000, "voltage", "f32"),
            Cell(0x0006, "current", "f32"),
            Cell(0x000C, "power", "f32", 1),
            Cell(0x0048, "energy_forward", "f32"),
            Cell(0x004A, "energy_reverse", "f32"),
        ),
    ),
    "chint-ddsu666": ModbusModel(
        3,
        (
            Cell(0x2000, "voltage", "f32"),
            Cell(0x2002, "current", "f32"),
            Cell(0x2004, "power", "f32"),
            Cell(0x4000, "energy_forward", "f32"),
            Cell(0x400A, "energy_reverse", "f32"),
        ),
    ),
    "schneider-iem3155": ModbusModel(
        3,
        (
            Cell(0x0BF3, "power", "f32"),
            Cell(0x0C83, "energy_forward", "s64", 1),
            Cell(0x0C87, "energy_reverse", "s64", 1),
        ),
    ),
    "acrel-dtsd1352": ModbusModel(
        3,
        (
            Cell(0x0002, "energy_t1", "u32", 10),
            Cell(0x0004, "energy_t2", "u32", 10),
            Cell(0x0006, "energy_t3", "u32", 10),
            Cell(0x0008, "energy_t4", "u32", 10),
            Cell(0x000A, "energy_forward", "u32", 10),
            Cell(0x0014, "energy_reverse", "u32", 10),
            Cell(0x0061, "voltage", "u16", 100),
            Cell(0x0064, "current", "u16", 10),
            Cell(0x016A, "power", "s32", 1),
        ),
    ),
    "acrel-adw300": ModbusModel(
        3,
        (
            Cell(0x0014, "voltage", "u16", 100),
            Cell(0x001A, "current", "u16", 10),
            Cell(0x0024, "power", "s32", 1),
            Cell(0x003E, "energy_forward", "s32", 10),
            Cell(0x0040, "energy_reverse", "s32", 10),
        ),
    ),
    "tuf-2000m": ModbusModel(3, (Cell(0x0000, "flow", "f32-low-first"), Cell(0x0070, "volume", "f32-low-first"))),
}
