"""Notices as programs see them."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from pydantic import BaseModel

from cloud.notices.kinds import Language, NoticeKind, NoticeState
from cloud.notices.rules import QuietHours
from cloud.notices.service import Notice, Wish


class NoticeOut(BaseModel):
    """A notice."""

    notice_id: UUID
    kind: NoticeKind
    subject_id: UUID
    title: str
    body: str
    language: Language
    channel: str
    state: NoticeState
    written_at: datetime
    tell_at: datetime
    told_at: datetime | None

    @classmethod
    def of(cls, notice: Notice) -> NoticeOut:
        """Return a notice as it is answered."""
        return cls(
            notice_id=notice.notice_id,
            kind=notice.kind,
            subject_id=notice.subject_id,
            title=notice.title,
            body=notice.body,
            language=notice.language,
            channel=notice.channel,
            state=notice.state,
            written_at=notice.written_at,
            tell_at=notice.tell_at,
            told_at=notice.told_at,
        )


class WishIn(BaseModel):
    """How somebody wants to be told: language, and quiet hours by the clock on the wall."""

    language: Language
    quiet_from: time
    quiet_to: time

    def wish(self) -> Wish:
        """Return the wish as a value."""
        return Wish(language=self.language, quiet=QuietHours(starts=self.quiet_from, ends=self.quiet_to))
