"""What a domain says has happened. `cloud/flow.py` alone knows who listens.

An event is published inside a unit of work and becomes jobs in the same transaction, so it is heard if and only if
its cause was committed. Events carry ids and counts, never names, plates or phones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloud.kit.jobs import NewJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; a domain derives its own frozen, slotted, keyword-only dataclasses."""


Router = Callable[[Event], Sequence[NewJob]]
Routes = Mapping[type[Event], Sequence[Callable[[Any], NewJob | None]]]


def router(routes: Routes) -> Router:
    """Return the function that turns an event into the jobs of everybody who listens to it; None is nobody's job."""

    def route(event: Event) -> Sequence[NewJob]:
        made = (make(event) for make in routes.get(type(event), ()))
        return tuple(job for job in made if job is not None)

    return route


def no_listeners(event: Event) -> Sequence[NewJob]:
    """Route an event to nobody, for programs and tests without a flow."""
    del event
    return ()
