-- Fewer indexes under a bill run. The journal that issues a bill in a run bears the bill's own id and names the billing
-- account, so its transfers are found through the journal: by bill with the key, by account with one row for each bill.
-- The indexes by line and by debit hold the other transfers only, those of every journal written before among them.

alter table journal add column account_id uuid;
create index ix_journal_account on journal (tenant_id, account_id) where account_id is not null;
alter table journal add constraint ck_journal_account_of_bill check (account_id is null or journal_id = document_id);

alter table transfer add constraint ck_transfer_issued_by_line check (bill_id is distinct from journal_id or (n = line_n and kind = 'posted' and route = 'issue'));
drop index ix_transfer_debit;
create index ix_transfer_debit on transfer (tenant_id, debit_id) where bill_id is distinct from journal_id;
drop index ix_transfer_line;
create index ix_transfer_line on transfer (tenant_id, bill_id, line_n) where bill_id is not null and bill_id <> journal_id;

-- The key against double billing begins with the account, so it finds the bills of an account too.
alter table bill drop constraint uq_bill_tenant_id_community_id_account_id_cycle_period__801e;
alter table bill add constraint uq_bill_once unique (tenant_id, account_id, community_id, cycle, period_start, kind, seq);
drop index ix_bill_account;

-- A transfer that is not in the index by debit is found through its journal, or it would be lost: its journal must name
-- the account whose receivable it debits. For the transfers of a run this is one look-up for each bill, where it were two.
create or replace function known_of_transfer() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
declare
  one record;
  alike boolean;
begin
  select tenant_id, community_id, debit_class, credit_class, legal_entity_id, route,
         bill_id is not distinct from journal_id as issued
    into one from written limit 1;
  if not found then
    return null;
  end if;
  alike := not exists (
    select from written w
     where w.tenant_id <> one.tenant_id or w.community_id <> one.community_id or w.debit_class <> one.debit_class
        or w.credit_class <> one.credit_class or w.legal_entity_id <> one.legal_entity_id or w.route <> one.route
        or (w.bill_id is not distinct from w.journal_id) <> one.issued);
  if alike then
    if one.issued then
      if exists (
        select from (select one.tenant_id, one.community_id, journal_id, debit_id
                       from (select distinct journal_id, debit_id from written) d offset 0) w
         where (select true from journal j, ledger_account a
                 where j.tenant_id = w.tenant_id and j.community_id = w.community_id and j.journal_id = w.journal_id
                   and a.tenant_id = w.tenant_id and a.community_id = w.community_id
                   and a.ledger_account_id = w.debit_id and a.type = 'receivable' and a.owner_id = j.account_id
                   and a.fund_class = one.debit_class and a.legal_entity_id = one.legal_entity_id) is null) then
        perform refuse_unknown('journal of the account that it debits', 'transfer');
      end if;
    else
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
                   and a.fund_class = one.debit_class and a.legal_entity_id = one.legal_entity_id) is null) then
        perform refuse_unknown('ledger account of its fund and legal entity', 'transfer');
      end if;
    end if;
    if exists (
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
    if exists (
      select from (select distinct tenant_id, community_id, journal_id, debit_id from written
                    where bill_id = journal_id) w
       where (select true from journal j, ledger_account a
               where j.tenant_id = w.tenant_id and j.community_id = w.community_id and j.journal_id = w.journal_id
                 and a.tenant_id = w.tenant_id and a.community_id = w.community_id
                 and a.ledger_account_id = w.debit_id and a.type = 'receivable'
                 and a.owner_id = j.account_id) is null) then
      perform refuse_unknown('journal of the account that it debits', 'transfer');
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
