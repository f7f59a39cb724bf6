"""Jobs of cases: open one from what an earlier domain found.

Earlier domains do not know of cases; they publish findings, and `cloud/flow.py` routes each to `job_of`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.ingest.events import EpochOpened, HistoryForked
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from common.ids import CommunityId

OPEN_CASE = "cases.open"


class Finding(Protocol):
    """What any domain may publish for a person to look at; `key` makes a sighting one, however often it is told."""

    @property
    def key(self) -> str:
        """Return the name of this sighting."""
        ...

    @property
    def kind(self) -> str:
        """Return the kind of case, by its value."""
        ...

    @property
    def reason(self) -> str:
        """Return why, in one word."""
        ...

    @property
    def origin(self) -> str:
        """Return which part of the house found it."""
        ...

    @property
    def object_kind(self) -> str:
        """Return what kind of thing it is about."""
        ...

    @property
    def object_id(self) -> UUID:
        """Return which thing it is about."""
        ...

    @property
    def subject(self) -> str:
        """Return what tells cases of one thing apart."""
        ...

    @property
    def community_id(self) -> CommunityId | None:
        """Return the community, if there is one."""
        ...

    @property
    def owner_role(self) -> str:
        """Return whose work list it goes to, by its value."""
        ...

    @property
    def detail_zh(self) -> str:
        """Return the sentence for people in Chinese."""
        ...

    @property
    def detail_en(self) -> str:
        """Return the sentence for people in English."""
        ...

    @property
    def figures(self) -> Mapping[str, int | str]:
        """Return whole numbers and codes."""
        ...


def job_of(finding: Finding) -> NewJob:
    """Return the job that opens the case of a finding, once for each sighting."""
    sighting = hashlib.sha256(f"{finding.origin}:{finding.key}".encode()).hexdigest()
    return NewJob(
        kind=OPEN_CASE,
        key=f"case:{sighting}",
        payload={
            "kind": finding.kind,
            "reason": finding.reason,
            "origin": finding.origin,
            "object_kind": finding.object_kind,
            "object_id": str(finding.object_id),
            "subject": finding.subject,
            "community_id": None if finding.community_id is None else str(finding.community_id),
            "owner_role": finding.owner_role,
            "detail_zh": finding.detail_zh,
            "detail_en": finding.detail_en,
            "figures": dict(finding.figures),
        },
    )


async def open_case(context: JobContext) -> None:
    """Open the case of a finding, or note the sighting on the one that is open."""
    found = context.job.payload
    report = CaseReport(
        kind=CaseKind(found["kind"]),
        reason=found["reason"],
        origin=found["origin"],
        object_kind=found["object_kind"],
        object_id=UUID(found["object_id"]),
        subject=found["subject"],
        community_id=None if found["community_id"] is None else CommunityId(UUID(found["community_id"])),
        owner_role=OwnerRole(found["owner_role"]),
        detail_zh=found["detail_zh"],
        detail_en=found["detail_en"],
        figures=found["figures"],
    )
    async with context.finishing_unit() as unit:
        await cases.raise_case(unit, report)


def job_of_new_epoch(event: EpochOpened) -> NewJob:
    """Return the job that tells a person of a gateway that began a new stream."""
    return job_of(
        _GatewayFinding(
            key=f"epoch:{event.gateway_id}:{event.epoch}",
            reason="new_store_epoch",
            object_id=event.gateway_id,
            subject=str(event.epoch),
            detail_zh="网关以新的存储卡或恢复的存储重新开始上报，请核实换卡或损坏原因。",
            detail_en="A gateway began a new stream: a new card, a restored one, or a damaged store. Find out which.",
            figures={"epoch": str(event.epoch), "previous_epoch": str(event.previous_epoch)},
        )
    )


def job_of_fork(event: HistoryForked) -> NewJob:
    """Return the job that tells a person of a batch that contradicts what is stored."""
    return job_of(
        _GatewayFinding(
            key=f"fork:{event.gateway_id}:{event.epoch}:{event.sequence}:{event.reason}",
            reason="history_forked",
            object_id=event.gateway_id,
            subject=f"{event.epoch}:{event.sequence}",
            detail_zh=f"第 {event.sequence} 批与已存内容矛盾（{event.reason}），已拒收并留作证据，请核实网关。",
            detail_en=f"Batch {event.sequence} contradicts what is stored ({event.reason}); it was refused and kept as "
            "evidence. Find out whether the gateway was copied.",
            figures={"sequence": event.sequence, "reason": str(event.reason)},
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _GatewayFinding:
    """An alarm about a gateway."""

    key: str
    reason: str
    object_id: UUID
    subject: str
    detail_zh: str
    detail_en: str
    figures: Mapping[str, int | str]
    kind: str = "alarm"
    origin: str = "ingest"
    object_kind: str = "gateway"
    community_id: CommunityId | None = None
    owner_role: str = "technician"
