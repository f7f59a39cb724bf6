-- The directory: what must be known before the company is. One private table of digests, and functions that answer
-- exact questions past row security. Its role owns nothing else and nobody logs in as it.

grant usage on schema public to gatehouse_app, gatehouse_worker, gatehouse_bulk, gatehouse_directory;

create schema directory authorization gatehouse_directory;

grant select, update, delete on job to gatehouse_directory;

grant select, insert on job_archive to gatehouse_directory;

grant select (tenant_id, zone) on tenant to gatehouse_directory;

set local role gatehouse_directory;

grant usage on schema directory to gatehouse_app, gatehouse_worker;

create table directory.entry (
  kind text not null,
  key_sha bytea not null,
  tenant_id uuid not null,
  object_id uuid not null,
  primary key (kind, key_sha)
);

create function directory.digest(kind text, key text) returns bytea language sql immutable
  return sha256(convert_to(kind || ':' || key, 'UTF8'));

create function directory.company() returns uuid language sql stable
  return nullif(current_setting('app.tenant', true), '')::uuid;

create function directory.find(wanted_kind text, wanted_key text)
  returns table (tenant_id uuid, object_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select e.tenant_id, e.object_id from directory.entry e
   where e.kind = wanted_kind and e.key_sha = directory.digest(wanted_kind, wanted_key) $$;

-- Answers whether the key now leads to the wanted object of this company.
create function directory.enter(wanted_kind text, wanted_key text, wanted_object uuid)
  returns boolean
  language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  insert into directory.entry (kind, key_sha, tenant_id, object_id)
  values (wanted_kind, directory.digest(wanted_kind, wanted_key), directory.company(), wanted_object)
  on conflict do nothing;
  select exists (
    select from directory.entry e
     where e.kind = wanted_kind and e.key_sha = directory.digest(wanted_kind, wanted_key)
       and e.tenant_id = directory.company() and e.object_id = wanted_object) $$;

create function directory.withdraw(wanted_kind text, wanted_key text)
  returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  delete from directory.entry e
   where e.kind = wanted_kind and e.key_sha = directory.digest(wanted_kind, wanted_key)
     and e.tenant_id = directory.company() $$;

-- One claimer at a time: the claim is short, and only so can a partition never be handed out twice.
create function directory.claim_jobs(
    worker_name text, business_now timestamptz, wanted bigint, lease interval, kinds text[])
  returns setof public.job language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtext('gatehouse claim'));
  return query
    with due as (
      select j.tenant_id, j.job_id, j.run_at, j.enqueued_at,
             case j.partition when '' then j.job_id::text else j.partition end as lane
        from public.job j
       where j.run_at <= business_now and j.kind = any (kinds)
         and (j.retry_at is null or j.retry_at <= clock_timestamp())
         and (j.state = 'ready' or (j.state = 'leased' and j.lease_until < clock_timestamp()))
         and (j.partition = '' or not exists (
               select from public.job h
                where h.tenant_id = j.tenant_id and h.partition = j.partition and h.state = 'leased'
                  and h.job_id <> j.job_id and h.lease_until >= clock_timestamp()))
       order by j.run_at, j.enqueued_at, j.job_id
       limit wanted * 4
         for update skip locked),
    heads as (
      select distinct on (d.tenant_id, d.lane) d.* from due d order by d.tenant_id, d.lane, d.run_at, d.enqueued_at, d.job_id),
    chosen as (select * from heads order by run_at, enqueued_at, job_id limit wanted)
    update public.job j
       set state = 'leased', epoch = j.epoch + 1, attempts = j.attempts + 1, worker = worker_name,
           lease_until = clock_timestamp() + lease, retry_at = null
      from chosen c
     where j.tenant_id = c.tenant_id and j.job_id = c.job_id
    returning j.*;
end $$;

-- The table lock keeps enqueueing out for a moment, so that no key is seen in neither table.
create function directory.archive_jobs(age interval, wanted bigint)
  returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
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
end $$;

create function directory.job_counts()
  returns table (kind text, state text, count bigint, oldest_s double precision)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select j.kind, j.state, count(*), extract(epoch from clock_timestamp() - min(j.enqueued_at))
    from public.job j where j.state <> 'done' group by j.kind, j.state $$;

create function directory.companies()
  returns table (tenant_id uuid, zone text)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.tenant_id, t.zone from public.tenant t order by t.tenant_id $$;

revoke execute on all functions in schema directory from public;

grant execute on all functions in schema directory to gatehouse_worker;

grant execute on function directory.find, directory.enter, directory.withdraw to gatehouse_app;

reset role;
