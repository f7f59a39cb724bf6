"""Who holds a card and what it opens: the access bundle, checked or refused whole. Values only.

A permit names a card in clear or by its SHA-256, doors and piles, and its days. It has no place for money: what a
household owes cannot reach a door (promise 9), and a bundle that carries anything else is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from common.errors import Fault, FaultsError

PERMITS_MAX = 50_000
CARD_CHARACTERS_MOST = 64


class CardState(StrEnum):
    """What a card is worth at a place and an instant."""

    ADMITTED = "admitted"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    ELSEWHERE = "elsewhere"  # known, but not for this place


class _Permit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    valid_from: datetime
    valid_to: datetime
    card: str | None = None
    card_sha: str | None = None
    doors: tuple[str, ...] = ()
    piles: tuple[str, ...] = ()
    revoked: bool = False


class _Document(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    permits: tuple[_Permit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPermit:
    """What a card opens, from an instant until another that is not included."""

    card_sha: str
    doors: frozenset[str]
    piles: frozenset[str]
    valid_from: datetime
    valid_to: datetime
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBook:
    """Permits by the hash of the card; without one nobody is admitted."""

    permits: Mapping[str, tuple[CardPermit, ...]] = field(default_factory=dict)

    def at_door(self, card: str, door: str, instant: datetime) -> CardState:
        """Return what a card is worth at a door."""
        return self._best([permit for permit in self._held(card) if door in permit.doors], card, instant)

    def at_pile(self, card: str, pile: str, instant: datetime) -> CardState:
        """Return what a card is worth at a charging pile."""
        return self._best([permit for permit in self._held(card) if pile in permit.piles], card, instant)

    def _held(self, card: str) -> tuple[CardPermit, ...]:
        return self.permits.get(card_sha(card), ())

    def _best(self, here: list[CardPermit], card: str, instant: datetime) -> CardState:
        if not here:
            return CardState.ELSEWHERE if self._held(card) else CardState.UNKNOWN
        states = {_state(permit, instant) for permit in here}
        order = (CardState.ADMITTED, CardState.REVOKED, CardState.NOT_YET, CardState.EXPIRED)
        return next(state for state in order if state in states)


def _state(permit: CardPermit, instant: datetime) -> CardState:
    if permit.revoked:
        return CardState.REVOKED
    if instant < permit.valid_from:
        return CardState.NOT_YET
    return CardState.ADMITTED if instant < permit.valid_to else CardState.EXPIRED


def card_sha(card: str) -> str:
    """Return the name of a card in the book; leading zeros of a number do not count, readers add and drop them."""
    plain = card.strip().upper()
    return hashlib.sha256((plain.lstrip("0") or "0").encode()).hexdigest()


def parse_cards(body: Mapping[str, Any]) -> CardBook:
    """Return the book of an access bundle.

    Raises:
        FaultsError: with every fault of the payload; cards are not repeated in it.
    """
    try:
        document = msgspec.convert(dict(body), _Document)
    except msgspec.ValidationError as error:
        fault = Fault(where="access", what=str(error), remedy="mend the field and publish the bundle again")
        raise FaultsError("access bundle", [fault]) from error
    faults = list(_faults(document))
    if faults:
        raise FaultsError("access bundle", faults)
    permits: dict[str, tuple[CardPermit, ...]] = {}
    for item in document.permits:
        sha = item.card_sha or card_sha(item.card or "")
        permit = CardPermit(
            card_sha=sha,
            doors=frozenset(item.doors),
            piles=frozenset(item.piles),
            valid_from=item.valid_from,
            valid_to=item.valid_to,
            revoked=item.revoked,
        )
        permits[sha] = (*permits.get(sha, ()), permit)
    return CardBook(permits=permits)


def _faults(document: _Document) -> Iterator[Fault]:
    if len(document.permits) > PERMITS_MAX:
        yield Fault(where="permits", what=f"{len(document.permits)} permits", remedy=f"send at most {PERMITS_MAX}")
    for number, permit in enumerate(document.permits, 1):
        where = f"permit {number}"
        if (permit.card is None) == (permit.card_sha is None):
            yield Fault(where=where, what="names not exactly one of card and card_sha", remedy="name one of them")
        if permit.card is not None and not 0 < len(permit.card.strip()) <= CARD_CHARACTERS_MOST:
            yield Fault(where=where, what="has a card of no usable length", remedy="give 1 to 64 characters")
        if permit.valid_from.tzinfo is None or permit.valid_to.tzinfo is None:
            yield Fault(where=where, what="has an instant without a zone", remedy="write instants in UTC with Z")
        elif permit.valid_from >= permit.valid_to:
            yield Fault(where=where, what="ends before it begins", remedy="correct valid_from and valid_to")
