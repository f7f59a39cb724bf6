-- The trigger functions that guard tables: see cloud/migrations/security.py.

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'table % is append-only: correct by a new row', tg_table_name
    using errcode = 'restrict_violation';
end $$;

create function refuse_foreign_rows() returns trigger language plpgsql as $$
begin
  if exists (
    select from loaded
     where tenant_id is distinct from nullif(current_setting('app.tenant', true), '')::uuid) then
    raise exception 'a row of another company was offered to table %', tg_table_name
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;
