"""The port to those who carry messages, and what their answers mean.

A provider sends once and says what it knows: taken on, a final no, certainly not sent (later), or unknown. Unknown is
never sent again by itself. `tells` says whether it can be asked afterwards what became of a letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from cloud.kit.calls import Later, Refused, Unknown
from cloud.notices.kinds import Language, NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text that a provider approved: its code, and which fact fills each of its fields."""

    kind: NoticeKind
    language: Language
    code: str
    fields: tuple[tuple[str, str], ...]

    def filled(self, facts: Mapping[str, str]) -> dict[str, str]:
        """Return the fields with their texts; without named fields every fact fills the field of its own name."""
        if not self.fields:
            return dict(facts)
        return {name: facts.get(fact, "") for name, fact in self.fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to one address; `letter_id` is the same however often it is looked at."""

    letter_id: UUID
    to: str = field(repr=False)
    kind: NoticeKind
    language: Language
    title: str
    body: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which letter is asked about: by its id, or by the reference it was taken on with."""

    letter_id: UUID
    to: str = field(repr=False)
    reference: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider took the letter on; it has not said that it arrived."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The letter arrived, as the provider says."""

    reference: str
    at: datetime | None


SendOutcome = Accepted | Refused | Later | Unknown
AskOutcome = Accepted | Delivered | Refused | Unknown


class Carrier(Protocol):
    """A provider's client for one account of a company."""

    @property
    def tells(self) -> bool:
        """Return whether it can be asked what became of a letter."""
        ...

    async def send(self, letter: Letter) -> SendOutcome:
        """Send a letter once."""
        ...

    async def ask(self, question: Question) -> AskOutcome:
        """Return what became of a letter; unknown where it never heard of it."""
        ...


def template_of(templates: tuple[Template, ...], letter: Letter) -> Template | None:
    """Return the approved text for a letter, in its language or else in Chinese, or None."""
    for language in (letter.language, Language.ZH):
        for one in templates:
            if one.kind is letter.kind and one.language is language:
                return one
    return None
