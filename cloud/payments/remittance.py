"""Remittance codes (附言码): eight symbols that a payer writes beside a bank transfer, with a check symbol.

One code names one account of a company. A code that was mistyped by one symbol, or by two that changed places, does not
hold its check symbol and names nobody. The symbol is that of ISO/IEC 7064 MOD 37-2: the hybrid MOD 37,36 of our order
numbers lets some neighbours change places.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.kit.db import Unit
from cloud.payments import repository
from cloud.payments.tables import RemittanceCodeRow
from common.ids import AccountId

_LETTER = "W"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SYMBOLS = 6
_VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_MODULUS = len(_VALUES)
_CODE = re.compile(r"(?<![0-9A-Z])W[0-9A-HJKMNP-TV-Z]{6}[0-9A-Z](?![0-9A-Z])", re.ASCII)


async def code_for(unit: Unit, account_id: AccountId, random_bytes: Callable[[int], bytes]) -> str:
    """Return the remittance code of an account, making it at first use.

    Raises:
        NotFoundError: there is no such account.
    """
    known = await repository.remittance_code(unit.session, account_id)
    if known is not None:
        return known.code
    account = await billing.account(unit.session, account_id)
    code = new_code(random_bytes)
    unit.session.add(
        RemittanceCodeRow(tenant_id=unit.tenant, community_id=account.community_id, account_id=account_id, code=code)
    )
    await unit.session.flush()
    unit.record("made", "remittance_code", account_id, after={"code": code})
    return code


async def code_of(session: AsyncSession, account_id: AccountId) -> str | None:
    """Return the remittance code of an account when it has one."""
    row = await repository.remittance_code(session, account_id)
    return None if row is None else row.code


async def account_of(session: AsyncSession, memo: str) -> AccountId | None:
    """Return whose code stands in a text; None when there is none that holds, or codes of several accounts."""
    found = set()
    for code in codes_in(memo):
        row = await repository.remittance_account(session, code)
        if row is not None:
            found.add(AccountId(row.account_id))
    return found.pop() if len(found) == 1 else None


def new_code(random_bytes: Callable[[int], bytes]) -> str:
    """Return a fresh code; a body whose check symbol would be no letter or digit is drawn again."""
    while True:
        body = _LETTER + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in random_bytes(_SYMBOLS))
        if (symbol := check_symbol(body)) != "*":
            return body + symbol


def check_symbol(body: str) -> str:
    """Return the ISO/IEC 7064 MOD 37-2 check symbol of text in `[0-9A-Z]`: a letter, a digit or `*`."""
    product = 0
    for symbol in body:
        product = (product + _VALUES.index(symbol)) * 2 % _MODULUS
    return _VALUES[(1 - product) % _MODULUS]


def codes_in(memo: str) -> tuple[str, ...]:
    """Return the codes in a text whose check symbol holds; full-width and small letters are read as well."""
    plain = unicodedata.normalize("NFKC", memo).upper()
    return tuple(code for code in _CODE.findall(plain) if check_symbol(code[:-1]) == code[-1])
