"""A gate office and charging piles for tests of the pages: one car, one charge, and a list of what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from common.errors import RefusalError
from common.wire.charge import ChargeAnswer, ChargeState, Silence
from edge.charging.desk import ShownCharge, ShownPile
from edge.driver.door_events import DoorAnswer
from edge.driver.printer import Printed
from edge.gate.desk import ShownLane, ShownStay
from tests.edge.builders import START

STAY = ShownStay(
    session_id=UUID(int=77),
    lot="north",
    plate="苏A1234S",
    vehicle_class="temporary",
    entered=START,
    minutes=135,
    owed_fen=700,
    paid_fen=0,
    grace_minutes=15,
)
LANES = (ShownLane(camera="IN", lot="north", is_exit=False), ShownLane(camera="OUT", lot="north", is_exit=True))


class DeskBook:
    """Says what the gate would, and remembers what it was asked to do."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.stay = STAY

    def occupancy(self) -> Mapping[str, int]:
        return {"north": 3}

    def lanes(self) -> Sequence[ShownLane]:
        return LANES

    def stays(self) -> Sequence[ShownStay]:
        return [self.stay]

    def find(self, text: str) -> ShownStay | None:
        return self.stay if text.strip().upper() == self.stay.plate else None

    async def settle(self, session_id: UUID, amount_fen: int) -> None:
        self.done.append((session_id, amount_fen))

    async def correct(self, session_id: UUID, plate: str) -> None:
        self.done.append((session_id, plate))

    async def end(self, session_id: UUID, *, let_go: bool) -> None:
        self.done.append((session_id, "left" if let_go else "never"))

    async def leave_by_ticket(self, camera: str, code: str) -> None:
        if camera != "OUT":
            raise RefusalError("no car is held at this lane; drive up to the camera first")
        self.done.append((camera, code))

    async def open_by_hand(self, camera: str) -> None:
        self.done.append((camera,))


CHARGE = ShownCharge(
    session_id=UUID(int=88), pile="P1", connector=1, started=START, energy_wh=12_345, ended=False, cost_fen=1850
)


class PileBook:
    """Says what charging would, and remembers what it was asked to do."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []

    def piles(self) -> Sequence[ShownPile]:
        return [ShownPile(pile="P1", label="地库 1 号", connector=1, plug="charging")]

    def charges(self) -> Sequence[ShownCharge]:
        return [CHARGE]

    async def start(self, pile: str, connector: int, card: str) -> str:
        self.done.append((pile, connector, card))
        return "accepted"

    async def stop(self, session_id: UUID) -> str:
        self.done.append((session_id,))
        return "unreachable"


class DoorBook:
    """Says which doors there are, and remembers which was opened."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @property
    def doors(self) -> Sequence[str]:
        return ("gate-1",)

    async def open_by_hand(self, door: str) -> DoorAnswer:
        self.done.append(door)
        return DoorAnswer.OPENED


class TillBook:
    """A till whose cloud says what a test gives it, and that remembers what it recorded and printed.

    `told` are the cloud's next answers about wishes, the last one for good; without any it is away.
    """

    def __init__(self) -> None:
        self.open: int | None = None
        self.told: list[ChargeState | Silence] = [Silence.AWAY]
        self.reason = ""
        self.charged: list[tuple[UUID, str, int, str]] = []
        self._wishes = 500
        self.recorded: list[tuple[str | int, ...]] = []
        self.printed: list[bytes] = []
        self.answer = Printed.PRINTED

    async def open_fen(self, address: str) -> int | None:
        assert address.startswith("https://")
        return self.open

    def new_wish(self) -> UUID:
        self._wishes += 1
        return UUID(int=self._wishes)

    async def charge(self, wish: UUID, token: str, amount_fen: int = 0, auth_code: str = "") -> ChargeAnswer | Silence:
        if auth_code:
            self.charged.append((wish, token, amount_fen, auth_code))
        told = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        if isinstance(told, Silence):
            return told
        receipt = "RC0001" if told is ChargeState.PAID else ""
        fen = self.open or 0
        return ChargeAnswer(
            wish=wish, state=told, amount_fen=fen, receipt=receipt, channel="wechat", reason=self.reason
        )

    async def record_receipt(self, bill_number: str, amount_fen: int, channel: str = "scan") -> None:
        self.recorded.append((bill_number, amount_fen) if channel == "scan" else (bill_number, amount_fen, channel))

    async def print(self, data: bytes) -> Printed:
        assert self.recorded, "printed before it was recorded"
        self.printed.append(data)
        return self.answer
