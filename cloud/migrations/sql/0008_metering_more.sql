-- What bill runs and corrections need.

-- Bill runs: the comparisons that end a statement read what was written as few times as they can. The company is read
-- once, not for each row; a line's bill is looked up once for both of its rules; and a statement whose transfers share
-- fund, legal entity and route, as those of a run do, compares nothing but ids. (`offset 0` keeps company and community
-- columns in the look-ups, so that they take the key's own index whatever the statistics say.)

create or replace function refuse_foreign_rows() returns trigger language plpgsql as $$
declare
  own uuid := nullif(current_setting('app.tenant', true), '')::uuid;
begin
  if exists (select from loaded where tenant_id is distinct from own) then
    raise exception 'a row of another company was offered to table %', tg_table_name
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;

create or replace function known_of_transfer() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
  one record;
  alike boolean;
begin
  select tenant_id, community_id, debit_class, credit_class, legal_entity_id, route into one from written limit 1;
  if not found then
    return null;
  end if;
  alike := not exists (
    select from written w
     where w.tenant_id <> one.tenant_id or w.community_id <> one.community_id or w.debit_class <> one.debit_class
        or w.credit_class <> one.credit_class or w.legal_entity_id <> one.legal_entity_id or w.route <> one.route);
  if alike then
    if exists (
      select from (select one.tenant_id, one.community_id, id
                     from (select distinct journal_id as id from written) d offset 0) w
       where (select true from journal j
               where j.tenant_id = w.tenant_id and j.community_id = w.community_id and j.journal_id = w.id) is null) then
      perform refuse_unknown('journal', 'transfer');
    end if;
    if exists (
      select from (select one.tenant_id, one.community_id, id
                     from (select distinct debit_id as id from written) d offset 0) w
       where (select true from ledger_account a
               where a.tenant_id = w.tenant_id and a.community_id = w.community_id and a.ledger_account_id = w.id
                 and a.fund_class = one.debit_class and a.legal_entity_id = one.legal_entity_id) is null)
       or exists (
      select from (select one.tenant_id, one.community_id, id
                     from (select distinct credit_id as id from written) d offset 0) w
       where (select true from ledger_account a
               where a.tenant_id = w.tenant_id and a.community_id = w.community_id and a.ledger_account_id = w.id
                 and a.fund_class = one.credit_class and a.legal_entity_id = one.legal_entity_id) is null) then
      perform refuse_unknown('ledger account of its fund and legal entity', 'transfer');
    end if;
    if not exists (
      select from fund_route r
       where r.code = one.route and r.debit_class = one.debit_class and r.credit_class = one.credit_class) then
      perform refuse_unknown('fund route', 'transfer');
    end if;
  else
    if exists (
      select from (select distinct tenant_id, community_id, journal_id from written) w
       where (select true from journal j
               where j.tenant_id = w.tenant_id and j.community_id = w.community_id and j.journal_id = w.journal_id) is null) then
      perform refuse_unknown('journal', 'transfer');
    end if;
    if exists (
      select from (select tenant_id, community_id, debit_id as id, debit_class as class, legal_entity_id from written
                    union
                   select tenant_id, community_id, credit_id, credit_class, legal_entity_id from written) w
       where (select true from ledger_account a
               where a.tenant_id = w.tenant_id and a.community_id = w.community_id and a.ledger_account_id = w.id
                 and a.fund_class = w.class and a.legal_entity_id = w.legal_entity_id) is null) then
      perform refuse_unknown('ledger account of its fund and legal entity', 'transfer');
    end if;
    if exists (
      select from (select distinct route, debit_class, credit_class from written) w
       where (select true from fund_route r
               where r.code = w.route and r.debit_class = w.debit_class and r.credit_class = w.credit_class) is null) then
      perform refuse_unknown('fund route', 'transfer');
    end if;
  end if;
  if exists (
    select from (select * from written where pending_journal_id is not null) w
     where (select true from transfer t
             where t.tenant_id = w.tenant_id and t.community_id = w.community_id
               and t.journal_id = w.pending_journal_id and t.n = w.pending_n
               and t.debit_id = w.debit_id and t.credit_id = w.credit_id) is null) then
    perform refuse_unknown('reservation of the same accounts', 'transfer');
  end if;
  return null;
end $$;

drop trigger line_with_its_bill on bill_line;
drop function refuse_line_of_standing_bill();

create or replace function known_of_bill_line() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
  unknown boolean;
  standing boolean;
  correcting boolean;
begin
  select bool_or(w.own is null), bool_or(not w.own), bool_or(w.correcting) into unknown, standing, correcting
    from (select l.correcting,
                 (select b.xmin = pg_current_xact_id()::xid from bill b
                   where b.tenant_id = l.tenant_id and b.community_id = l.community_id and b.bill_id = l.bill_id) as own
            from (select tenant_id, community_id, bill_id, count(corrects_bill_id) > 0 as correcting
                    from written group by tenant_id, community_id, bill_id) l) w;
  if unknown then
    perform refuse_unknown('bill', 'bill_line');
  end if;
  if standing then
    raise exception 'an issued bill takes no further line; correct it by an adjustment'
        using errcode = 'restrict_violation';
  end if;
  if correcting and exists (
    select from (select * from written where corrects_bill_id is not null) w
     where (select true from bill_line l
             where l.tenant_id = w.tenant_id and l.community_id = w.community_id
               and l.bill_id = w.corrects_bill_id and l.n = w.corrects_n) is null) then
    perform refuse_unknown('line that it corrects', 'bill_line');
  end if;
  return null;
end $$;

-- No query looks for lines by charge item; corrections look for the lines that correct a bill.
drop index ix_bill_line_charge;
create index ix_bill_line_corrects on bill_line (tenant_id, corrects_bill_id) where corrects_bill_id is not null;
