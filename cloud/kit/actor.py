"""Who acts: the name that stands in the audit of every unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from common.errors import ensure

ActorKind = Literal["user", "gateway", "worker", "system"]
SYSTEM_ID = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person or a machine in whose name a unit of work is done.

    `name` is a login or a machine's name, never a person's full name, phone or plate.
    """

    kind: ActorKind
    id: UUID
    name: str

    def __post_init__(self) -> None:
        """Check that the actor can be named."""
        ensure(self.name != "", "an actor has a name")


def system_actor(name: str) -> Actor:
    """Return the actor of a set-up step or a schedule."""
    return Actor(kind="system", id=SYSTEM_ID, name=name)
