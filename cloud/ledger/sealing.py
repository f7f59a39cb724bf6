"""Seals: a Merkle tree over the journals of a day, so that one of them can be proved to be in the book.

Leaves and nodes are hashed apart as in RFC 6962 (0x00 before a leaf, 0x01 before a node), so no node can be passed
for a leaf. The root of the day before is the first leaf, which chains the days. Seals show later tampering, not a
lie at entry. Pure functions over bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from common.errors import ensure

NO_ROOT = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """One neighbour on the way from a leaf to the root; `on_left` says on which side it stands."""

    digest: bytes
    on_left: bool


def journal_leaf(journal_id: UUID, request_sha: bytes) -> bytes:
    """Return the leaf of a journal: its id and the fingerprint of all it says."""
    return hashlib.sha256(b"\x00" + journal_id.bytes + request_sha).digest()


def day_root(previous_root: bytes, leaves: Sequence[bytes]) -> bytes:
    """Return the root of a day from the previous root and the day's leaves in the order of journal ids."""
    level = [previous_root, *leaves]
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def inclusion_proof(previous_root: bytes, leaves: Sequence[bytes], position: int) -> tuple[ProofStep, ...]:
    """Return the neighbours by which `root_of_proof` finds the day's root from the leaf at a position."""
    ensure(0 <= position < len(leaves), "the leaf to prove is one of the day")
    level = [previous_root, *leaves]
    index = position + 1
    steps = []
    while len(level) > 1:
        neighbour = index ^ 1
        if neighbour < len(level):
            steps.append(ProofStep(digest=level[neighbour], on_left=neighbour < index))
        level = _level_above(level)
        index //= 2
    return tuple(steps)


def root_of_proof(leaf: bytes, steps: Sequence[ProofStep]) -> bytes:
    """Return the root that a leaf and its neighbours lead to."""
    digest = leaf
    for step in steps:
        digest = _node(step.digest, digest) if step.on_left else _node(digest, step.digest)
    return digest


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    """Pair neighbours; an odd last one moves up as it is."""
    paired = [_node(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
    return paired if len(level) % 2 == 0 else [*paired, level[-1]]
