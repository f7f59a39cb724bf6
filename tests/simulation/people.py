"""The people of the simulated site: names, phones, plates and household sizes, the same for the same seed.

Nobody here exists. Phones use a range of test numbers, plates a region code with letters that are never issued.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN_ONE = "芳伟敏静强磊洋艳勇杰娟涛明超"
GIVEN_TWO = ("秀英", "建国", "晓东", "思远", "雨桐", "子涵")
_TENANT_EVERY = 9
_PLATE_EVERY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A person at one premises."""

    name: str
    phone: str
    role: str
    pays: bool
    persons: int
    plate: str | None


def draw(seed: int, *words: object) -> int:
    """Return a 64-bit number that depends on nothing but the seed and the words."""
    text = ":".join(map(str, (seed, *words)))
    return int.from_bytes(sha256(text.encode()).digest()[:8])


def residents_of(seed: int, community: str, label: str) -> tuple[Resident, ...]:
    """Return who lives behind a door: an owner, and behind every ninth door a tenant who pays instead."""
    let = draw(seed, community, label, "let") % _TENANT_EVERY == 0
    owner = _resident(seed, community, label, "owner", pays=not let)
    return (owner, _resident(seed, community, label, "tenant", pays=True)) if let else (owner,)


def _resident(seed: int, community: str, label: str, role: str, *, pays: bool) -> Resident:
    number = draw(seed, community, label, role)
    given = (*GIVEN_ONE, *GIVEN_TWO)
    name = SURNAMES[number % len(SURNAMES)] + given[number // 97 % len(given)]
    has_plate = pays and draw(seed, community, label, "plate") % _PLATE_EVERY == 0
    return Resident(
        name=name,
        phone=f"1990000{number % 10_000:04d}",
        role=role,
        pays=pays,
        persons=1 + number // 1_009 % 6,
        plate=f"沪A{number // 7 % 100_000:05d}" if has_plate else None,
    )
