"""How an uplink fails, for the moment."""

from __future__ import annotations

from common.errors import GatehouseError


class LinkError(GatehouseError):
    """The cloud could not be asked now; everything stays where it is and is tried again.

    `answered` says whether somebody answered, though not well: then the next attempt waits its turn. Where nobody did,
    a handshake tells when to try again. `sent` is False only when it is certain that nothing left this box.
    """

    def __init__(self, message: str, *, answered: bool, sent: bool = True) -> None:
        self.answered = answered
        self.sent = sent
        super().__init__(message)
