"""Alipay's own signing: what it joins and seals, with RSA done over integers and nothing of the client's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.simulation.wechat.seals import PublicKey, SigningKey


def sealed_form(key: SigningKey, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a notification with their signature."""
    told = {**fields, "sign_type": "RSA2"}
    return {**told, "sign": key.seal(form_text(told).encode())}


def form_text(fields: Mapping[str, str]) -> str:
    """Return what is signed of a notification: no `sign`, no `sign_type`, no empty value, in the order of names."""
    names = [name for name in sorted(fields) if fields[name] != "" and name not in ("sign", "sign_type")]
    return "&".join("=".join((name, fields[name])) for name in names)


def request_confirmed(key: PublicKey, fields: Mapping[str, str]) -> bool:
    """Return whether a merchant's key signed a request; here `sign_type` is signed as well."""
    names = [name for name in sorted(fields) if fields[name] != "" and name != "sign"]
    return key.confirms("&".join("=".join((n, fields[n])) for n in names).encode(), fields.get("sign", ""))


def sealed_answer(key: SigningKey, node: str, content: Mapping[str, Any]) -> bytes:
    """Return an answer: the node as it is written, and the signature over exactly that text."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f'{{"{node}":{text},"sign":"{key.seal(text.encode())}"}}'.encode()
