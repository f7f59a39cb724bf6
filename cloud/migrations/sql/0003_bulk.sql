-- Bill runs in bulk: references of bulk tables are compared set by set when a statement ends, not row by row. What they
-- name is only ever added (journals, accounts of the book, routes, periods, bills, lines, transfers) or held by another
-- key (accounts, by their obligations), so a comparison when the row is added holds for ever. Each key that is named is
-- looked up once. A run measures tables that were empty (`maintain`), so that the look-ups take the right index.

alter table transfer drop constraint fk_transfer_tenant_id_community_id_journal_id_journal;
alter table transfer drop constraint fk_transfer_debit_ledger_account;
alter table transfer drop constraint fk_transfer_credit_ledger_account;
alter table transfer drop constraint fk_transfer_fund_route;
alter table transfer drop constraint fk_transfer_pending_transfer;
alter table transfer drop constraint uq_transfer_accounts;
alter table ledger_account drop constraint uq_ledger_account_book;
alter table bill drop constraint fk_bill_tenant_id_community_id_account_id_account;
alter table bill drop constraint fk_bill_tenant_id_community_id_cycle_period_start_billi_38e3;
alter table bill_line drop constraint fk_bill_line_tenant_id_community_id_bill_id_bill;
alter table bill_line drop constraint fk_bill_line_corrects;

create function refuse_unknown(named text, of_table text) returns void language plpgsql as $$
begin
  raise exception 'a row of % names a % that is not there', of_table, named
    using errcode = 'foreign_key_violation', constraint = 'known_of_' || of_table, table = of_table;
end $$;

create function known_of_transfer() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
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
create trigger known_of_transfer after insert on transfer referencing new table as written
    for each statement execute function known_of_transfer();

create function known_of_bill() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
  if exists (
    select from written w
     where (select true from account a
             where a.tenant_id = w.tenant_id and a.community_id = w.community_id and a.account_id = w.account_id) is null) then
    perform refuse_unknown('account', 'bill');
  end if;
  if exists (
    select from (select distinct tenant_id, community_id, cycle, period_start from written) w
     where (select true from billing_period p
             where p.tenant_id = w.tenant_id and p.community_id = w.community_id
               and p.cycle = w.cycle and p.period_start = w.period_start) is null) then
    perform refuse_unknown('billing period', 'bill');
  end if;
  return null;
end $$;
create trigger known_of_bill after insert on bill referencing new table as written
    for each statement execute function known_of_bill();

create function known_of_bill_line() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
  if exists (
    select from (select distinct tenant_id, community_id, bill_id from written) w
     where (select true from bill b
             where b.tenant_id = w.tenant_id and b.community_id = w.community_id and b.bill_id = w.bill_id) is null) then
    perform refuse_unknown('bill', 'bill_line');
  end if;
  if exists (
    select from (select * from written where corrects_bill_id is not null) w
     where (select true from bill_line l
             where l.tenant_id = w.tenant_id and l.community_id = w.community_id
               and l.bill_id = w.corrects_bill_id and l.n = w.corrects_n) is null) then
    perform refuse_unknown('line that it corrects', 'bill_line');
  end if;
  return null;
end $$;
create trigger known_of_bill_line after insert on bill_line referencing new table as written
    for each statement execute function known_of_bill_line();

create or replace function refuse_line_of_standing_bill() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
  if exists (
    select from (select distinct tenant_id, community_id, bill_id from written) w
     where (select b.xmin <> pg_current_xact_id()::xid from bill b
             where b.tenant_id = w.tenant_id and b.community_id = w.community_id and b.bill_id = w.bill_id)) then
    raise exception 'an issued bill takes no further line; correct it by an adjustment'
        using errcode = 'restrict_violation';
  end if;
  return null;
end $$;

grant maintain on ledger_account, journal, transfer, bill, bill_line to gatehouse_worker;
grant insert on ledger_account to gatehouse_bulk;
create trigger same_company after insert on ledger_account referencing new table as loaded
    for each statement execute function refuse_foreign_rows();
