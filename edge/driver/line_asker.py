"""Asks meters on a byte line: Modbus RTU, DL/T 645, CJ/T 188 and M-Bus side by side, one block at a time."""

from __future__ import annotations

from edge.device.model import Profile, ProtocolName
from edge.device.plan import Block, ItemBlock, RecordBlock, RegisterBlock
from edge.driver.asking import BlockData, BlockFailure
from edge.driver.exchanger import Exchanger, LinePace
from edge.driver.mbus_readout import read_out
from edge.driver.outcome import DeviceConfig, FailureKind, WireStats
from edge.driver.questions import data_bytes_of, identifier_question, item_question, register_questions
from edge.protocol.cjt188 import SERIAL_MOST, Cjt188
from edge.protocol.dlt645 import Dlt645
from edge.protocol.guard import Timing
from edge.protocol.mbus import parse_address
from edge.protocol.modbus_rtu import ModbusRtu, RegisterQuestion
from edge.transport.line import ByteLine, LinkLostError

FRAMING_BYTES_MOST = 32


class LineAsker:
    """The meters behind one byte line."""

    def __init__(self, line: ByteLine, pace: LinePace, stats: WireStats, *, echo: bool) -> None:
        self._exchanger = Exchanger(line, pace, stats, echo=echo)
        self._stats = stats
        self._serial = 0

    async def ask(self, profile: Profile, device: DeviceConfig, block: Block) -> BlockData | BlockFailure:
        """Ask one block of a device."""
        try:
            await self._exchanger.open()
            if isinstance(block, RecordBlock):
                return await read_out(self._exchanger, profile, parse_address(device.address), block)
            timing = self._timing(profile, block)
            if isinstance(block, RegisterBlock):
                question = self._freest(register_questions(block, device.address))
                return await self._exchanger.exchange(ModbusRtu(), question, timing)
            return await self._ask_item(profile, device, block, timing)
        except LinkLostError as problem:
            await self._exchanger.close()
            return BlockFailure(kind=FailureKind.LINK_LOST, detail=str(problem))

    async def close(self) -> None:
        """Release the line."""
        await self._exchanger.close()

    async def _ask_item(
        self, profile: Profile, device: DeviceConfig, block: ItemBlock, timing: Timing
    ) -> BlockData | BlockFailure:
        exchange = self._exchanger.exchange
        if profile.protocol is ProtocolName.CJT188:
            self._serial = (self._serial + 1) % (SERIAL_MOST + 1)
            result = await exchange(Cjt188(), item_question(profile, block, device.address, self._serial), timing)
        else:
            result = await exchange(Dlt645(), identifier_question(profile, block, device.address), timing)
        if isinstance(result, BlockData) and len(result.data) != block.data_bytes:
            self._stats.bad_values += 1
            detail = f"{block.identifier} gave {len(result.data)} data bytes, the profile says {block.data_bytes}"
            return BlockFailure(kind=FailureKind.BAD_VALUE, detail=detail, exchange=result.exchange)
        return result

    def _freest(self, questions: tuple[RegisterQuestion, ...]) -> RegisterQuestion:
        """Return the form of a question that may be asked soonest."""
        codec = ModbusRtu()
        return min(questions, key=lambda question: self._exchanger.free_at(codec.shape(question)))

    def _timing(self, profile: Profile, block: RegisterBlock | ItemBlock) -> Timing:
        return self._exchanger.pace.timing(profile.timing, data_bytes_of(block) + 2 * FRAMING_BYTES_MOST)
