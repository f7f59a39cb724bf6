"""The office tells a gateway to change its key, and nothing else that this release does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import RefusalError
from edge.uplink.commands import obey
from edge.uplink.errors import LinkError
from edge.uplink.link import Reply
from tests.edge.uplink.test_identity import certificate, load
from tests.support.randomness import seeded_bytes


class Away:
    """A cloud that is not there."""

    async def post(self, path: str, body: bytes) -> Reply:
        raise LinkError(f"nobody at {path} for {len(body)} bytes", answered=False)


@pytest.mark.parametrize("body", [{}, {"do": "reboot"}, {"do": 7}])
async def test_an_unknown_command_is_refused_by_name(tmp_path: Path, body: dict[str, object]) -> None:
    with pytest.raises(RefusalError, match="update the gateway"):
        await obey(Away(), load(tmp_path), seeded_bytes(1), body)


async def test_a_key_change_without_the_cloud_is_refused_and_the_old_key_goes_on(tmp_path: Path) -> None:
    identity = load(tmp_path)
    identity.enrol(certificate(identity.key))
    key = identity.key.public_key
    with pytest.raises(RefusalError, match="publish the command again"):
        await obey(Away(), identity, seeded_bytes(2), {"do": "change_key"})
    assert identity.key.public_key == key
