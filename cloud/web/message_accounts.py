"""The company's accounts for messages: by which providers notices go out beside the inbox. For who manages the company.

/messages                 the accounts, and a form for another one of each way
/messages/<id>/close      close one (form); what it has in hand is still asked about
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field

from cloud.identity.caller import Caller
from cloud.identity.callers import require_everywhere
from cloud.identity.policy import Permission
from cloud.notices import provider_accounts as accounts
from cloud.notices.kinds import NoticeKind, Way
from cloud.notices.provider_accounts import FACTS, MAIL_PORTS, TEXT_LENGTH_MAX, NewAccount, parse_templates
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.notices import WAYS

_TEMPLATES_LENGTH_MAX = 10_000
_PORT_MAX = 65_535
Line = Annotated[str, Field(max_length=TEXT_LENGTH_MAX)]


Keeper = Annotated[Caller, Depends(require_everywhere(Permission.MANAGE_USERS))]


class AccountForm(BaseModel):
    """An account as its provider issued it."""

    way: Way
    login: Line = ""
    secret: Line = ""
    sender: Line = ""
    host: Line = ""
    port: Annotated[int, Field(ge=0, le=_PORT_MAX)] = MAIL_PORTS[0]
    templates: Annotated[str, Field(max_length=_TEMPLATES_LENGTH_MAX)] = ""

    def value(self) -> NewAccount:
        """Return the account as a value.

        Raises:
            FaultsError: a template cannot be read.
        """
        is_mail = self.way is Way.MAIL
        return NewAccount(
            way=self.way,
            login=self.login.strip(),
            secret=self.secret.strip(),
            sender=self.sender.strip(),
            host=self.host.strip() if is_mail else "",
            port=self.port if is_mail else 0,
            templates=() if is_mail else parse_templates(self.templates),
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of accounts for messages."""
    router = page_router()

    @router.get("/messages")
    async def listed(request: Request, caller: Keeper) -> Response:
        """Show the accounts; a secret is never shown again."""
        async with frame.database.view(caller.tenant) as session:
            found = await accounts.accounts(session)
        return frame.page(
            request,
            "manager/messages.html",
            caller=caller,
            accounts=found,
            ways=WAYS,
            notices=list(NoticeKind),
            facts=FACTS,
            ports=MAIL_PORTS,
        )

    @router.post("/messages")
    async def opened(caller: Keeper, form: Annotated[AccountForm, Form()]) -> Response:
        """Open an account; the one before of the same way is closed."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await accounts.open_account(unit, frame.parts.secret_box, form.value(), frame.parts.plain_mail_hosts)
        return see_other("/messages", done="message-account")

    @router.post("/messages/{message_account_id}/close")
    async def closed(message_account_id: UUID, caller: Keeper) -> Response:
        """Close an account."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await accounts.close_account(unit, message_account_id)
        return see_other("/messages", done="message-account-closed")

    return router
