"""Find every module of the cloud that defines tables, so that the metadata is whole."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import ForeignKeyConstraint, MetaData

import cloud
from cloud.kit import audit, jobs, outbox, schedules
from cloud.kit.tables import metadata

KIT_TABLES = (audit, jobs, outbox, schedules)


def whole_metadata() -> MetaData:
    """Import the `tables` module of each domain and return the metadata with all of them in it."""
    for domain in iter_modules(cloud.__path__, "cloud."):
        if domain.ispkg and any(
            name == "tables" for _, name, _ in iter_modules([f"{cloud.__path__[0]}/{domain.name[6:]}"])
        ):
            import_module(f"{domain.name}.tables")
    for table in metadata.tables.values():
        for constraint in [c for c in table.foreign_key_constraints if _target(c) not in metadata.tables]:
            table.constraints.discard(constraint)
            for element in constraint.elements:
                element.parent.foreign_keys.discard(element)
    return metadata


def _target(constraint: ForeignKeyConstraint) -> str:
    return constraint.elements[0].target_fullname.split(".")[0]
