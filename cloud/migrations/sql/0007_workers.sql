-- What a worker holds ends with its session: a worker keeps an advisory lock under its own name for as long as it
-- lives, and the jobs of a name that nobody keeps are free at once instead of at the end of their lease.

set local role gatehouse_directory;

create function directory.keep_name(worker_name text)
  returns void language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  select pg_advisory_lock(hashtext('gatehouse worker'), hashtext(worker_name))
$$;

create function directory.free_jobs_of_the_gone()
  returns bigint language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  with kept as (
    select l.classid::bigint as first, l.objid::bigint as second
      from pg_locks l
     where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
       and l.database = (select d.oid from pg_database d where d.datname = current_database())),
  freed as (
    update public.job j set lease_until = clock_timestamp()
     where j.state = 'leased' and j.lease_until > clock_timestamp()
       and not exists (
         select from kept k
          where k.first = hashtext('gatehouse worker')::bigint & 4294967295
            and k.second = hashtext(j.worker)::bigint & 4294967295)
    returning 1)
  select count(*) from freed
$$;

revoke execute on function directory.keep_name, directory.free_jobs_of_the_gone from public;
grant execute on function directory.keep_name, directory.free_jobs_of_the_gone to gatehouse_worker;

reset role;
