"""Why something that arrived is refused, and which reason wins when several hold.

The members stand in the order of precedence: what can be told without a key comes before what needs one, and nothing
about a key or a stream is told to a sender who could not sign.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from common.errors import RefusalError, ensure


class Refusal(StrEnum):
    """Reasons for refusing a batch, a request or a bundle, the first that holds is the answer."""

    OVERSIZE = "oversize"  # more bytes than the bound
    MALFORMED = "malformed"  # not the envelope this format knows
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    REVOKED_KEY = "revoked_key"
    EXPIRED_KEY = "expired_key"
    BOMB = "bomb"  # unpacks to more than the bound
    UNREADABLE = "unreadable"  # signed, but the content is not what the schema says
    UNKNOWN_VERSION = "unknown_version"
    FOREIGN_GATEWAY = "foreign_gateway"  # signed by one gateway in the name of another
    PERSONAL_ALTERED = "personal_altered"  # a body of the personal lane does not have the signed hash
    ALTERED = "altered"  # a known sequence with another hash
    CHAIN_BROKEN = "chain_broken"  # does not follow the batch before it, or the one after does not follow it
    TOO_FAR = "too_far"  # too many batches ahead of the watermark
    TOO_MANY_EPOCHS = "too_many_epochs"
    STALE_CHALLENGE = "stale_challenge"
    STALE_VERSION = "stale_version"  # a bundle not newer than the one in force
    EXPIRED = "expired"  # a bundle, command or code past its time


PRECEDENCE = tuple(Refusal)

# The same bytes can be accepted later: once the cloud is newer, a person has acted, or what is missing has come.
TEMPORARY = frozenset(
    {
        Refusal.UNKNOWN_KEY,
        Refusal.EXPIRED_KEY,
        Refusal.UNKNOWN_VERSION,
        Refusal.TOO_FAR,
        Refusal.TOO_MANY_EPOCHS,
        Refusal.STALE_CHALLENGE,
    }
)


class WireError(RefusalError):
    """Bytes from the other side that are not accepted, with the one reason that wins."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


def foremost(reasons: Collection[Refusal]) -> Refusal:
    """Return the reason that wins among several that hold at once."""
    ensure(len(reasons) > 0, "there is no foremost of no reasons")
    return min(reasons, key=PRECEDENCE.index)
