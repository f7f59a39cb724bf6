"""What the office may tell a gateway to do by a signed command bundle; each is refused by name when it is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from common.errors import RefusalError
from edge.uplink.enrolment import Door, change_key
from edge.uplink.errors import LinkError
from edge.uplink.identity import Identity

CHANGE_KEY = "change_key"


async def obey(link: Door, identity: Identity, entropy: Callable[[int], bytes], body: Mapping[str, Any]) -> None:
    """Do what a command says: `{"do": "change_key"}` changes the gateway's key without a visit.

    Raises:
        RefusalError: the command is unknown, or the cloud did not take the new key; the old one goes on.
    """
    if body.get("do") != CHANGE_KEY:
        raise RefusalError(f"the command {body.get('do')!r} is not known here; update the gateway")
    try:
        await change_key(link, identity, entropy)
    except LinkError as error:
        raise RefusalError(f"the cloud was not reached ({error}); publish the command again") from error
