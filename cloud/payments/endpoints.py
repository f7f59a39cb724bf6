"""The address that channels notify, over HTTP."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request

from cloud.kit.errors import TooLargeError
from cloud.payments.cashier import NOTIFY_PATH
from cloud.payments.inbox import BODY_SIZE_MAX, Inbox


def build_notify_router(inbox: Inbox) -> APIRouter:
    """Return the address that channels notify; it needs no sign-in, the signature of the raw bytes is the proof."""
    router = APIRouter(tags=["notifications"])

    @router.post(NOTIFY_PATH + "/{notify_token}", status_code=HTTPStatus.NO_CONTENT)
    async def notified(notify_token: str, request: Request) -> None:
        """Store a notification; 204 says that we have it, anything else asks for a repetition."""
        body = await request.body()
        if len(body) > BODY_SIZE_MAX:
            raise TooLargeError(f"a notification has at most {BODY_SIZE_MAX} bytes")
        await inbox.receive(notify_token, request.headers, body)

    return router
