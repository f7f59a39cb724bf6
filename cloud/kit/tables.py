"""The ground all tables stand on: metadata, column types, and the flags that the migration turns into guards.

Every business table derives from `TenantRow` (company first in its key) or `CommunityRow` (company, then community).
The migration gives each of them forced row security. Two flags go into `__table_args__`:

    __table_args__ = (UniqueConstraint(...), table_flags(append_only=True))   # trigger + grants refuse UPDATE, DELETE
    __table_args__ = (table_flags(append_only=True, bulk=True),)              # `Unit.load` may COPY into it

Foreign keys are composite and name their target by string:

    ForeignKeyConstraint(["tenant_id", "community_id", "premises_id"],
                         ["premises.tenant_id", "premises.community_id", "premises.premises_id"])

Constraint names come from the naming convention: give `CheckConstraint` a short name, nothing else needs one.
There are no ORM relationships: domains meet by id and service call.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum as PyEnum
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NewType
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Enum,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from common import ids
from common.clock import require_utc
from common.errors import InvariantError
from common.ids import CommunityId, TenantId

JsonValue = Any  # what JSON can hold; deep types are the domain's own
JsonObject = Mapping[str, JsonValue]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware and in UTC on both sides of the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else require_utc(value)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


def _values(kind: type[PyEnum]) -> list[str]:
    return [str(member.value) for member in kind]


class Base(DeclarativeBase):
    """Base of all rows."""

    metadata = metadata
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        int: BigInteger(),
        str: Text(),
        bool: Boolean(),
        bytes: LargeBinary(),
        date: Date(),
        datetime: UtcDateTime(),
        UUID: Uuid(),
        **{kind: Uuid() for kind in vars(ids).values() if isinstance(kind, NewType)},
        JsonObject: JSONB(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        StrEnum: Enum(StrEnum, native_enum=False, create_constraint=True, values_callable=_values, length=32),
    }


# Money in whole fen, quantities in thousandths, unit prices in millionths: integers of 64 bits, never floats.
Fen = Annotated[int, mapped_column(BigInteger)]
Milli = Annotated[int, mapped_column(BigInteger)]
Micro = Annotated[int, mapped_column(BigInteger)]


class TenantRow(Base):
    """A row of one company; row security keeps it from all others."""

    __abstract__ = True

    tenant_id: Mapped[TenantId] = mapped_column(primary_key=True, sort_order=-2)


class CommunityRow(TenantRow):
    """A row of one community of one company: the unit of bill runs and of sharding."""

    __abstract__ = True

    community_id: Mapped[CommunityId] = mapped_column(primary_key=True, sort_order=-1)


def table_of(row: type[Base]) -> Table:
    """Return the table of a kind of rows."""
    table = row.__table__
    if not isinstance(table, Table):
        raise InvariantError(f"{row.__name__} is a row of a table")
    return table


def table_flags(*, append_only: bool = False, bulk: bool = False, machinery: bool = False) -> dict[str, Any]:
    """Return the table arguments that the migration reads.

    Args:
        append_only: nobody may update or delete a row, the owner of the table included.
        bulk: the loader role may COPY rows into the table, through `Unit.load`.
        machinery: bookkeeping of the kit (jobs, audit), whose writes need no audit row of their own.
    """
    return {"info": {"append_only": append_only, "bulk": bulk, "machinery": machinery}}
