"""How a channel's client calls: one request, bounded in time and size, never repeated, never redirected.

Every end of a call that did not bring a whole answer is *unknown*, with the reason that a counter shows.
"""

from __future__ import annotations

import asyncio

import httpx

from cloud.payments.channels.provider import Unknown, UnknownReason

CALL_S_MAX = 12
ANSWER_SIZE_MAX = 256 * 1024
BILL_SIZE_MAX = 512 * 1024 * 1024
DOWNLOAD_S_MAX = 120
USER_AGENT = "gatehouse/1 (property fees)"
SUCCESS = range(200, 300)
_TOO_MANY = 429


async def send(http: httpx.AsyncClient, request: httpx.Request, seconds: int = CALL_S_MAX) -> httpx.Response | Unknown:
    """Send a request once and return its answer, whatever its status."""
    try:
        async with asyncio.timeout(seconds):
            return await http.send(request, follow_redirects=False)
    except (httpx.HTTPError, TimeoutError) as error:
        return lost(error)


async def send_form(
    http: httpx.AsyncClient, url: httpx.URL | str, form: dict[str, str], *, size_max: int = ANSWER_SIZE_MAX
) -> bytes | Unknown:
    """Post a form and return the body of a 2xx answer of bounded size."""
    request = http.build_request("POST", url, data=form, headers={"User-Agent": USER_AGENT})
    answer = await send(http, request)
    if isinstance(answer, Unknown):
        return answer
    if answer.status_code == _TOO_MANY:
        return Unknown(reason=UnknownReason.RATE_LIMITED, detail="the channel asks us to slow down")
    if answer.status_code not in SUCCESS:
        return Unknown(reason=UnknownReason.SERVER_ERROR, detail=f"the channel answered {answer.status_code}")
    if len(answer.content) > size_max:
        return Unknown(reason=UnknownReason.UNREADABLE, detail="the answer is larger than any the channel gives")
    return answer.content


def lost(error: Exception) -> Unknown:
    """Return what is known of a call that broke: nothing but why."""
    timed_out = isinstance(error, TimeoutError | httpx.TimeoutException)
    reason = UnknownReason.TIMEOUT if timed_out else UnknownReason.UNREACHABLE
    return Unknown(reason=reason, detail=type(error).__name__)
