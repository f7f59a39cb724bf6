"""The two families of errors, and the check that survives optimised mode.

A `RefusalError` says no to input from outside: what, where and what to do about it, and nothing was changed.
An `InvariantError` says that our own assumption failed: the unit of work stops and a person looks.

    GatehouseError
    ├── RefusalError        input we do not accept (HTTP layers map families of it)
    │   └── FaultsError     several faults of one document, listed together
    └── InvariantError      a bug or damaged data; never caught to go on
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override


class GatehouseError(Exception):
    """Base of all errors raised on purpose by Gatehouse."""


class RefusalError(GatehouseError):
    """Input from outside that is not accepted; the message says what, where and what to do."""


class InvariantError(GatehouseError):
    """An assumption of ours that does not hold; the unit of work must not go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a document: where it is, what is wrong and how to mend it."""

    where: str
    what: str
    remedy: str

    @override
    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"{self.where}: {self.what}; {self.remedy}"


class FaultsError(RefusalError):
    """All faults of one document at once, so that it is mended in one pass."""

    def __init__(self, subject: str, faults: Sequence[Fault]) -> None:
        self.subject = subject
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{subject}: {len(self.faults)} fault(s)\n{lines}")


def ensure(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence at the call
    """Check an invariant, in optimised mode too.

    Raises:
        InvariantError: the condition does not hold.
    """
    if not condition:
        raise InvariantError(message)
