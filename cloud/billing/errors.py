"""What billing refuses.

NotFoundError
├── UnknownPeriodError    the community has no such period
└── UnknownBillError      the company has no such bill
ConflictError
├── PreviewChangedError   the outcome is not what was previewed
└── CaseClosedError       the correction is applied or dropped
"""

from __future__ import annotations

from datetime import date

from cloud.kit.errors import ConflictError, NotFoundError


class UnknownPeriodError(NotFoundError):
    """The community has no such period."""

    def __init__(self, cycle: str, period_start: date) -> None:
        super().__init__(f"there is no billing period {cycle} from {period_start}; create it first")


class UnknownBillError(NotFoundError):
    """The company has no such bill."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no bill {name}")


class PreviewChangedError(ConflictError):
    """What would be issued now is not what was previewed."""

    def __init__(self) -> None:
        super().__init__("the outcome is no longer what was previewed; nothing was issued, look at a new preview")


class CaseClosedError(ConflictError):
    """The correction is not open."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the correction is {state}; open a new one")
