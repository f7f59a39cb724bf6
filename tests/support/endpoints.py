"""Every operation of an application as a request that can be sent: from its own description, with ids put in by name.

A new endpoint is asked as soon as it exists. An id that its path names must be known to `Filler`, or asking fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

JSON_BODY = "application/json"
FORM_BODY = "application/x-www-form-urlencoded"


class _Shown(RouteContext):
    """A route as the description sees it, pages not left out."""

    @property
    def include_in_schema(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation, with the schemas that its parts refer to."""

    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None
    form: bool
    schemas: Mapping[str, Any]

    @property
    def named_ids(self) -> tuple[str, ...]:
        """Return the names of the ids in the path."""
        return tuple(one["name"] for one in self.parameters if one["in"] == "path" and is_id(one["schema"]))


def operations(app: FastAPI) -> Iterator[Call]:
    """Yield every operation of an application, those that its description leaves out too."""
    contexts = iter_route_contexts(app.routes)
    shown = [_Shown(one.route, one._route_context) for one in contexts if isinstance(one.original_route, APIRoute)]
    described = get_openapi(title="all", version="1", routes=shown)
    schemas = described.get("components", {}).get("schemas", {})
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            kind = next((kind for kind in (JSON_BODY, FORM_BODY) if kind in content), None)
            yield Call(
                method=method,
                path=path,
                parameters=tuple(operation.get("parameters", ())),
                body=None if kind is None else content[kind]["schema"],
                form=kind == FORM_BODY,
                schemas=schemas,
            )


def ways_in(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield method and path of everything that an application answers, of whatever kind the route is.

    What is no operation and so cannot be asked by `operations` is told by its kind in the place of a method.
    """
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            yield from ((method.lower(), str(context.path)) for method in context.methods or ())
        else:
            yield type(context.original_route).__name__, str(context.path)


def is_id(schema: Mapping[str, Any]) -> bool:
    """Return whether a value is an id, or an id or nothing."""
    return any(one.get("format") == "uuid" for one in (schema, *schema.get("anyOf", ())))


class Filler:
    """Fills requests in: ids by their names, everything else plausible.

    `values` gives what must be used under a name; an id under no known name is `fallback`.
    """

    def __init__(self, values: Mapping[str, object], fallback: UUID) -> None:
        self._values = values
        self._fallback = fallback

    def request(self, call: Call) -> dict[str, Any]:
        """Return what httpx sends for an operation: every id it can take is given, of the rest what is required."""
        path, query = call.path, {}
        for parameter in call.parameters:
            value = self._value(call, parameter["schema"], parameter["name"])
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", str(value))
            elif parameter["in"] == "query" and (parameter.get("required") or is_id(parameter["schema"])):
                query[parameter["name"]] = value
        request: dict[str, Any] = {"method": call.method.upper(), "url": path, "params": query}
        if call.body is not None:
            request["data" if call.form else "json"] = self._value(call, call.body, "")
        return request

    def _value(self, call: Call, schema: Mapping[str, Any], name: str) -> Any:
        if "$ref" in schema:
            return self._value(call, call.schemas[schema["$ref"].rsplit("/", 1)[-1]], name)
        if "anyOf" in schema:
            return self._value(call, schema["anyOf"][0], name)
        if schema.get("type") == "object":
            return {key: self._value(call, inner, key) for key, inner in schema.get("properties", {}).items()}
        if schema.get("type") == "array":
            return [self._value(call, schema["items"], name)]
        return self._plain(schema, name)

    def _plain(self, schema: Mapping[str, Any], name: str) -> Any:
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if name in self._values:
            return str(self._values[name])
        match schema.get("type"):
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
            case _:
                return self._text(schema)

    def _text(self, schema: Mapping[str, Any]) -> str:
        match schema.get("format"):
            case "uuid":
                return str(self._fallback)
            case "date":
                return "2026-05-01"
            case "date-time":
                return "2026-05-01T00:00:00Z"
            case _:
                return "x" * max(1, min(64, int(schema.get("minLength", 1))))
