"""Paying at the kiosk with a code on the payer's phone: scanned once, handed to the cloud once, then only asked about.

    offer (what a code would be charged) -> one scan, one wish -> paid | waiting | failed | refused | unknown | away

A wish that was sent is never sent again, whatever is pressed or reloaded. `away` is said only when it is certain that
nothing left this box; what was sent without an answer is unknown and asked about, until the code has long lost its
worth and the cloud still has not heard of it. The code itself is kept nowhere.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from common.errors import RefusalError
from common.wire.charge import NO_CODE, ChargeAnswer, ChargeState, Silence

CODE_DEAD_S = 120.0  # payment codes live one minute; past this one that has not arrived cannot be charged any more
WISHES_MAX = 256
AMOUNT_DIGITS_MAX = 11
_CODE = re.compile(r"[0-9]{16,24}", re.ASCII)


class CodeDesk(Protocol):
    """What the codes need of the till."""

    def new_wish(self) -> UUID:
        """Return the id of a new wish to pay."""
        ...

    async def charge(
        self, wish: UUID, token: str, amount_fen: int = 0, auth_code: str = NO_CODE
    ) -> ChargeAnswer | Silence:
        """Hand a shown code over, or without one ask where its wish stands."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """That a code can be shown now: under which wish, and what it would be charged."""

    wish: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A wish as this kiosk knows it; `shown` is the word of its state, `answer` the cloud's last one."""

    wish: UUID
    token: str
    sent_s: float
    shown: str = "unknown"
    answer: ChargeAnswer | None = None
    away: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether it has not ended yet."""
        return self.shown in {"waiting", "unknown"}


class Codes:
    """The wishes of this kiosk, in memory only: the cloud has the book."""

    def __init__(self, desk: CodeDesk, monotonic_s: Callable[[], float]) -> None:
        self._desk = desk
        self._monotonic_s = monotonic_s
        self._wishes: OrderedDict[UUID, Wish] = OrderedDict()

    async def offer(self, token: str) -> Offer | None:
        """Return what a code would be charged for a bill now; None when none can be taken."""
        wish = self._desk.new_wish()
        told = await self._desk.charge(wish, token)
        if isinstance(told, Silence) or told.state is not ChargeState.ABSENT or not told.amount_fen:
            return None
        return Offer(wish=wish, amount_fen=told.amount_fen)

    async def pay(self, wish: UUID, token: str, amount: str, scanned: str) -> None:
        """Hand a scanned code over, unless its wish was sent before.

        Raises:
            RefusalError: what was scanned is no payment code, or the form was not ours; nothing was sent.
        """
        if wish in self._wishes:
            return
        code = scanned.strip()
        if _CODE.fullmatch(code) is None:
            raise RefusalError(
                "这不是付款码，请出示微信、支付宝或云闪付的付款码 This is no payment code; show yours again"
            )
        if not (amount.isascii() and amount.isdigit() and len(amount) <= AMOUNT_DIGITS_MAX):
            raise RefusalError("请重新打开账单 open the bill again")
        sent = self._keep(Wish(wish=wish, token=token, sent_s=self._monotonic_s()))
        self._note(sent, await self._desk.charge(wish, token, int(amount), code), first=True)

    async def look(self, wish: UUID, token: str) -> Wish:
        """Return where a wish stands; an open one is asked about."""
        known = self._wishes.get(wish)
        if known is None:
            known = self._keep(Wish(wish=wish, token=token, sent_s=self._monotonic_s()))
        if known.token != token:
            raise RefusalError("请重新打开账单 open the bill again")
        if not known.is_open:
            return known
        return self._note(known, await self._desk.charge(wish, token))

    def _note(self, wish: Wish, told: ChargeAnswer | Silence, *, first: bool = False) -> Wish:
        if isinstance(told, Silence):
            never_left = first and told is Silence.AWAY
            return self._keep(replace(wish, shown="away" if never_left else wish.shown, away=True))
        shown = told.state.value
        if told.state is ChargeState.ABSENT:
            shown = "failed" if self._monotonic_s() - wish.sent_s > CODE_DEAD_S else "unknown"
        return self._keep(replace(wish, shown=shown, answer=told, away=False))

    def _keep(self, wish: Wish) -> Wish:
        self._wishes[wish.wish] = wish
        if len(self._wishes) > WISHES_MAX:
            self._wishes.popitem(last=False)
        return wish
