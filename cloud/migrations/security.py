"""The guards of the schema, as statements: row security, grants, append-only triggers, the bulk check, the directory.

Nothing here decides which table is what: the flags stand with the tables (`kit/tables.py`). The catalogue test walks
the real database and finds any table that slipped past.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import MetaData, Table

from cloud.kit.roles import APP, BULK, DIRECTORY, WORKER

_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


def functions() -> Iterator[str]:
    """Yield the trigger functions that the guards call."""
    yield """
        create function refuse_change() returns trigger language plpgsql as $$
        begin
          raise exception 'table % is append-only: correct by a new row', tg_table_name
            using errcode = 'restrict_violation';
        end $$"""
    yield f"""
        create function refuse_foreign_rows() returns trigger language plpgsql as $$
        begin
          if exists (select from loaded where tenant_id is distinct from {_TENANT}) then
            raise exception 'a row of another company was offered to table %', tg_table_name
              using errcode = 'insufficient_privilege';
          end if;
          return null;
        end $$"""


def guards(metadata: MetaData) -> Iterator[str]:
    """Yield the statements that guard every table, in the order of their dependencies."""
    for table in metadata.sorted_tables:
        if "tenant_id" in table.columns:
            yield from guard(table)


def guard(table: Table) -> Iterator[str]:
    """Yield the statements that guard one table of companies' rows."""
    name = table.name
    append_only = bool(table.info.get("append_only"))
    yield f'alter table "{name}" enable row level security'
    yield f'alter table "{name}" force row level security'
    yield f'create policy company on "{name}" using (tenant_id = {_TENANT}) with check (tenant_id = {_TENANT})'
    verbs = "select, insert" if append_only else "select, insert, update, delete"
    yield f'grant {verbs} on "{name}" to {APP}, {WORKER}'
    if append_only:
        yield (
            f'create trigger append_only before update or delete or truncate on "{name}"'
            " for each statement execute function refuse_change()"
        )
    if table.info.get("bulk"):
        yield f'grant insert on "{name}" to {BULK}'
        yield (
            f'create trigger same_company after insert on "{name}" referencing new table as loaded'
            " for each statement execute function refuse_foreign_rows()"
        )


def directory() -> Iterator[str]:
    """Yield the directory: one private table of digests, and the functions that answer exact questions."""
    yield f"grant usage on schema public to {APP}, {WORKER}, {BULK}, {DIRECTORY}"
    yield f"create schema directory authorization {DIRECTORY}"
    yield f"grant select, update, delete on job to {DIRECTORY}"
    yield f"grant select, insert on job_archive to {DIRECTORY}"
    yield f"grant select (tenant_id) on tenant to {DIRECTORY}"
    yield f"set local role {DIRECTORY}"
    yield f"grant usage on schema directory to {APP}, {WORKER}"
    yield """
        create table directory.entry (
          kind text not null,
          key_sha bytea not null,
          tenant_id uuid not null,
          object_id uuid not null,
          primary key (kind, key_sha)
        )"""
    yield from _entry_functions()
    yield from _job_functions()
    yield "revoke execute on all functions in schema directory from public"
    yield f"grant execute on all functions in schema directory to {WORKER}"
    yield f"grant execute on function directory.find, directory.enter, directory.withdraw to {APP}"
    yield "reset role"


_DEFINER = "security definer set search_path = pg_catalog, pg_temp"
_SHA = "sha256(convert_to(wanted_kind || ':' || wanted_key, 'UTF8'))"


def _entry_functions() -> Iterator[str]:
    yield f"""
        create function directory.find(wanted_kind text, wanted_key text)
          returns table (tenant_id uuid, object_id uuid) language sql stable {_DEFINER} as $$
          select e.tenant_id, e.object_id from directory.entry e
           where e.kind = wanted_kind and e.key_sha = {_SHA} $$"""
    yield f"""
        create function directory.enter(wanted_kind text, wanted_key text, wanted_object uuid)
          returns boolean language sql volatile {_DEFINER} as $$
          insert into directory.entry values (wanted_kind, {_SHA}, {_TENANT}, wanted_object) on conflict do nothing;
          select exists (select from directory.entry e where e.kind = wanted_kind and e.key_sha = {_SHA}
                            and e.tenant_id = {_TENANT} and e.object_id = wanted_object) $$"""
    yield f"""
        create function directory.withdraw(wanted_kind text, wanted_key text)
          returns void language sql volatile {_DEFINER} as $$
          delete from directory.entry e
           where e.kind = wanted_kind and e.key_sha = {_SHA} and e.tenant_id = {_TENANT} $$"""


def _job_functions() -> Iterator[str]:
    # One claimer at a time: the claim is short, and only so can a partition never be handed out twice.
    yield f"""
        create function directory.claim_jobs(
            worker_name text, business_now timestamptz, wanted bigint, lease interval, kinds text[])
          returns setof public.job language plpgsql volatile {_DEFINER} as $$
        begin
          perform pg_advisory_xact_lock(hashtext('gatehouse claim'));
          return query
            with due as (
              select j.tenant_id, j.job_id, j.run_at,
                     case j.partition when '' then j.job_id::text else j.partition end as lane
                from public.job j
               where j.run_at <= business_now and j.kind = any (kinds)
                 and (j.retry_at is null or j.retry_at <= clock_timestamp())
                 and (j.state = 'ready' or (j.state = 'leased' and j.lease_until < clock_timestamp()))
                 and (j.partition = '' or not exists (
                       select from public.job h
                        where h.tenant_id = j.tenant_id and h.partition = j.partition and h.state = 'leased'
                          and h.job_id <> j.job_id and h.lease_until >= clock_timestamp()))
               order by j.run_at, j.job_id
               limit wanted * 4
                 for update skip locked),
            heads as (
              select distinct on (d.tenant_id, d.lane) d.* from due d order by d.tenant_id, d.lane, d.run_at, d.job_id),
            chosen as (select * from heads order by run_at, job_id limit wanted)
            update public.job j
               set state = 'leased', epoch = j.epoch + 1, attempts = j.attempts + 1, worker = worker_name,
                   lease_until = clock_timestamp() + lease, retry_at = null
              from chosen c
             where j.tenant_id = c.tenant_id and j.job_id = c.job_id
            returning j.*;
        end $$"""
    # The table lock keeps enqueueing out for a moment, so that no key is seen in neither table.
    yield f"""
        create function directory.archive_jobs(age interval, wanted bigint)
          returns bigint language plpgsql volatile {_DEFINER} as $$
        declare moved bigint;
        begin
          lock table public.job in share row exclusive mode;
          with gone as (
            delete from public.job j using (
              select tenant_id, job_id from public.job
               where state = 'done' and done_at < clock_timestamp() - age order by done_at limit wanted) old
             where j.tenant_id = old.tenant_id and j.job_id = old.job_id
            returning j.*)
          insert into public.job_archive (tenant_id, key, job_id, kind, run_at, done_at, attempts, worker)
          select tenant_id, key, job_id, kind, run_at, done_at, attempts, worker from gone;
          get diagnostics moved = row_count;
          return moved;
        end $$"""
    yield f"""
        create function directory.job_counts()
          returns table (kind text, state text, count bigint, oldest_s double precision)
          language sql stable {_DEFINER} as $$
          select j.kind, j.state, count(*), extract(epoch from clock_timestamp() - min(j.enqueued_at))
            from public.job j where j.state <> 'done' group by j.kind, j.state $$"""
    yield f"""
        create function directory.companies()
          returns setof uuid language sql stable {_DEFINER} as $$
          select tenant_id from public.tenant order by tenant_id $$"""
