"""Anyone can check: every signature, every chain of hashes and every seal, verified with general libraries only.

Gateway keys are those enrolled in the cloud; the cloud's keys are those that the gateways were told to trust.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

from tests.simulation.promises.stores import Comparison, Figures, Look, sqlite_rows
from tests.simulation.promises.wire import digest, take_apart, unfold

_BATCH = "application/x-gatehouse-batch"
_RECEIPT = "application/x-gatehouse-receipt"
_BUNDLE = "application/x-gatehouse-bundle"
_NO_ROOT = bytes(32)


class _Tally:
    """How much was to verify, how much did, and what did not."""

    def __init__(self) -> None:
        self.all = 0
        self.good = 0
        self.faults: list[str] = []

    def count(self, *, holds: bool, what: str) -> None:
        """Count one check."""
        self.all += 1
        self.good += holds
        if not holds:
            self.faults.append(what)


def _anyone_can_check(look: Look) -> Figures:
    tally = _Tally()
    trusted = _trusted(look)
    _check_batches(look, trusted, tally)
    _check_bundles(look, trusted, tally)
    _check_journals(look, tally)
    _check_seals(look, tally)
    return Figures(left=tally.all, right=tally.good, faults=tuple(tally.faults))


def _trusted(look: Look) -> dict[bytes, bytes]:
    """Return the public keys of the cloud by their ids, from the certificates that the gateways keep."""
    keys: dict[bytes, bytes] = {}
    for gateway in look.stores.gateways:
        signed = take_apart(look.stores.certificate(gateway).read_bytes())
        if signed is not None:
            body = unfold(signed)[6]
            keys |= {hashlib.sha256(key).digest()[:16]: key for key in body["certificate"][3]}
    return keys


def _signed_by(data: bytes, purpose: str, keys: dict[bytes, bytes]) -> bool:
    signed = take_apart(data)
    return signed is not None and signed.purpose == purpose and signed.holds(keys.get(signed.key_id))


def _check_batches(look: Look, trusted: dict[bytes, bytes], tally: _Tally) -> None:
    """Check signature, hash and receipt of each batch, and that each names the hash of the one before it."""
    enrolled: dict[UUID, dict[bytes, bytes]] = defaultdict(dict)
    for row in look.rows("select gateway_id, key_id, public_key from gateway_key"):
        enrolled[row.gateway_id][row.key_id] = row.public_key
    streams: dict[tuple[UUID, int], list[Any]] = defaultdict(list)
    for row in look.rows("""
        select gateway_id, epoch, sequence, digest, previous_hash, signed, receipt
          from gateway_batch order by gateway_id, epoch, sequence
    """):
        name = f"{str(row.gateway_id)[-6:]}/{row.sequence}"
        holds = digest(row.signed) == row.digest and _signed_by(row.signed, _BATCH, enrolled[row.gateway_id])
        tally.count(holds=holds, what=f"batch {name} is not what its gateway signed")
        receipt = _signed_by(row.receipt, _RECEIPT, trusted) and row.digest in row.receipt
        tally.count(holds=receipt, what=f"the receipt of batch {name} is not the cloud's word for it")
        streams[row.gateway_id, row.epoch].append(row)
    for rows in streams.values():
        for before, after in pairwise(rows):
            linked = after.sequence == before.sequence + 1 and after.previous_hash == digest(before.signed)
            tally.count(holds=linked, what=f"batch {after.sequence} does not follow batch {before.sequence}")


def _check_bundles(look: Look, trusted: dict[bytes, bytes], tally: _Tally) -> None:
    """Check the bundles that each gateway keeps, and the certificate it began with."""
    for gateway in look.stores.gateways:
        certificate = look.stores.certificate(gateway).read_bytes()
        tally.count(holds=_signed_by(certificate, _BUNDLE, trusted), what=f"the certificate of {gateway}")
        query = "select kind, version, signed from bundle"
        for kind, version, signed in sqlite_rows(look.stores.gateway_store(gateway), query):
            what = f"bundle {kind} {version} of {gateway} is not signed by the cloud"
            tally.count(holds=_signed_by(signed, _BUNDLE, trusted), what=what)


def _check_journals(look: Look, tally: _Tally) -> None:
    """Take the fingerprint of each journal again, from its row and those of its transfers."""
    lines: dict[UUID, list[str]] = defaultdict(list)
    for row in look.rows("select * from transfer order by journal_id, n"):
        bill = f"{row.bill_id}/{row.line_n}" if row.bill_id else "-"
        pending = f"{row.pending_journal_id}/{row.pending_n}" if row.pending_journal_id else "-"
        lines[row.journal_id].append(
            f"{row.n} {row.kind} {row.debit_id} {row.credit_id} {row.legal_entity_id} {row.fen} {row.route} {bill}"
            f" {pending}"
        )
    for row in look.rows("select * from journal"):
        head = (
            f"{row.idem_key} {row.kind} {row.community_id} {row.business_date.isoformat()} {row.document_kind}"
            f" {row.document_id} {row.approved_by or '-'}"
        )
        said = hashlib.sha256("\n".join([head, *lines[row.journal_id]]).encode()).digest()
        tally.count(holds=said == row.request_sha, what=f"journal {row.idem_key} is not what was posted")


def _check_seals(look: Look, tally: _Tally) -> None:
    """Take the Merkle root of each sealed day again (RFC 6962 leaves and nodes; the root before is the first leaf)."""
    leaves: dict[tuple[UUID, date], list[bytes]] = defaultdict(list)
    for row in look.rows(
        "select community_id, business_date, journal_id, request_sha from journal order by journal_id"
    ):
        leaf = hashlib.sha256(b"\x00" + row.journal_id.bytes + row.request_sha).digest()
        leaves[row.community_id, row.business_date].append(leaf)
    previous: dict[UUID, bytes] = {}
    for row in look.rows("select * from seal order by community_id, business_date"):
        before = previous.get(row.community_id, _NO_ROOT)
        root = _root([before, *leaves[row.community_id, row.business_date]])
        holds = row.previous_root == before and row.merkle_root == root
        tally.count(holds=holds, what=f"the seal of {row.business_date} does not cover the journals of its day")
        previous[row.community_id] = row.merkle_root
    if not previous:
        tally.faults.append("no day is sealed, so nothing is shown")


def _root(level: list[bytes]) -> bytes:
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level = above if len(level) % 2 == 0 else [*above, level[-1]]
    return level[0]


ANYONE_CAN_CHECK = Comparison(
    key="anyone_can_check",
    promise=10,
    name_zh="人人可查验",
    name_en="Anyone can check",
    compared_zh="签名、哈希链、凭证指纹与每日封账的总数 与 独立验证通过的数目",
    compared_en="signatures, hash links, fingerprints and seals | those that verify independently",
    figures=_anyone_can_check,
)
