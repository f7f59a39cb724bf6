-- Charge items, late charges, settlements, periods and imports.

alter table charge_item drop constraint ck_charge_item_chargebasis;

alter table charge_item add constraint ck_charge_item_chargebasis check (basis in ('area', 'metered', 'share', 'parking', 'flat', 'one_off', 'late'));

alter table correction_case drop constraint ck_correction_case_cause_known;

alter table correction_case add constraint ck_correction_case_cause_known check (cause in ('reading', 'tariff', 'assignment', 'share', 'dispute', 'area', 'occupancy', 'estimate', 'withdrawal', 'waiver', 'late'));

CREATE TABLE book_close (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    period_end DATE NOT NULL,
    period_start DATE NOT NULL,
    debit_fen BIGINT NOT NULL,
    credit_fen BIGINT NOT NULL,
    lines JSONB NOT NULL,
    lines_sha BYTEA NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_by UUID NOT NULL,
    CONSTRAINT pk_book_close PRIMARY KEY (tenant_id, community_id, period_end),
    CONSTRAINT ck_book_close_period CHECK (period_start < period_end),
    CONSTRAINT ck_book_close_balanced CHECK (debit_fen = credit_fen),
    CONSTRAINT ck_book_close_sha256 CHECK (octet_length(lines_sha) = 32)
);

CREATE TABLE announcement (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    announcement_id UUID NOT NULL,
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    text_zh TEXT NOT NULL,
    text_en TEXT NOT NULL,
    holds_from DATE NOT NULL,
    premises JSONB,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    published_by UUID NOT NULL,
    CONSTRAINT pk_announcement PRIMARY KEY (tenant_id, community_id, announcement_id),
    CONSTRAINT fk_announcement_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT uq_announcement_tenant_id_announcement_id UNIQUE (tenant_id, announcement_id)
);

CREATE INDEX ix_announcement_published ON announcement (tenant_id, community_id, published_at);

CREATE TABLE import_run (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    import_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    file_name TEXT NOT NULL,
    file_sha BYTEA NOT NULL,
    rows BIGINT NOT NULL,
    state VARCHAR(32) NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE NOT NULL,
    applied_by UUID NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    undone_by UUID,
    CONSTRAINT pk_import_run PRIMARY KEY (tenant_id, community_id, import_id),
    CONSTRAINT fk_import_run_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_import_run_undone_says_when CHECK ((state = 'undone') = (undone_at is not null)),
    CONSTRAINT ck_import_run_sha256 CHECK (octet_length(file_sha) = 32),
    CONSTRAINT ck_import_run_importkind CHECK (kind IN ('estate', 'meters', 'openings', 'readings')),
    CONSTRAINT ck_import_run_importstate CHECK (state IN ('applied', 'undone'))
);

CREATE TABLE premises_group (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_premises_group PRIMARY KEY (tenant_id, community_id, code),
    CONSTRAINT fk_premises_group_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id)
);

CREATE TABLE run_policy (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    rev BIGINT NOT NULL,
    nightly BOOLEAN NOT NULL,
    days_after BIGINT NOT NULL,
    decided_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_run_policy PRIMARY KEY (tenant_id, community_id, rev),
    CONSTRAINT fk_run_policy_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_run_policy_rev CHECK (rev >= 1),
    CONSTRAINT ck_run_policy_days_after CHECK (days_after between 0 and 60)
);

CREATE TABLE settling_order (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    rev BIGINT NOT NULL,
    settling TEXT NOT NULL,
    decided_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_settling_order PRIMARY KEY (tenant_id, community_id, rev),
    CONSTRAINT fk_settling_order_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_settling_order_rev CHECK (rev >= 1),
    CONSTRAINT ck_settling_order_known CHECK (settling in ('oldest_first', 'late_charges_first', 'principal_first', 'newest_first'))
);

CREATE TABLE fund_entry (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    entry_id UUID NOT NULL,
    charge_item_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    fen BIGINT NOT NULL,
    day DATE NOT NULL,
    words_zh TEXT NOT NULL,
    words_en TEXT NOT NULL,
    evidence TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_by UUID NOT NULL,
    CONSTRAINT pk_fund_entry PRIMARY KEY (tenant_id, community_id, entry_id),
    CONSTRAINT fk_fund_entry_tenant_id_community_id_charge_item_id_charge_item FOREIGN KEY(tenant_id, community_id, charge_item_id) REFERENCES charge_item (tenant_id, community_id, charge_item_id),
    CONSTRAINT ck_fund_entry_amount_positive CHECK (fen > 0),
    CONSTRAINT ck_fund_entry_entrykind CHECK (kind IN ('income', 'spending'))
);

CREATE INDEX ix_fund_entry_day ON fund_entry (tenant_id, community_id, day);

CREATE TABLE import_made (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    import_id UUID NOT NULL,
    n BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    object_id UUID NOT NULL,
    detail JSONB NOT NULL,
    CONSTRAINT pk_import_made PRIMARY KEY (tenant_id, community_id, import_id, n),
    CONSTRAINT fk_import_made_tenant_id_community_id_import_id_import_run FOREIGN KEY(tenant_id, community_id, import_id) REFERENCES import_run (tenant_id, community_id, import_id),
    CONSTRAINT uq_import_made_tenant_id_community_id_import_id_kind_ob_a240 UNIQUE (tenant_id, community_id, import_id, kind, object_id, n),
    CONSTRAINT ck_import_made_madekind CHECK (kind IN ('building', 'premises', 'party', 'meter', 'reading', 'opening_bill', 'opening_ahead'))
);

CREATE TABLE one_off_charge (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    charge_id UUID NOT NULL,
    charge_item_id UUID NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    sharing VARCHAR(32) NOT NULL,
    amount_fen BIGINT NOT NULL,
    targets JSONB NOT NULL,
    groups JSONB NOT NULL,
    service_start DATE NOT NULL,
    service_end DATE NOT NULL,
    due_on DATE NOT NULL,
    reference TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    drafted_by UUID NOT NULL,
    preview_sha BYTEA,
    issued_at TIMESTAMP WITH TIME ZONE,
    issued_by UUID,
    CONSTRAINT pk_one_off_charge PRIMARY KEY (tenant_id, community_id, charge_id),
    CONSTRAINT fk_one_off_charge_tenant_id_community_id_charge_item_id_9e8c FOREIGN KEY(tenant_id, community_id, charge_item_id) REFERENCES charge_item (tenant_id, community_id, charge_item_id),
    CONSTRAINT ck_one_off_charge_amount_positive CHECK (amount_fen > 0),
    CONSTRAINT ck_one_off_charge_service CHECK (service_start < service_end),
    CONSTRAINT ck_one_off_charge_issued_is_approved CHECK ((state in ('issued', 'withdrawn')) = (preview_sha is not null and issued_at is not null and issued_by is not null)),
    CONSTRAINT ck_one_off_charge_sharing CHECK (sharing IN ('each', 'by_household', 'by_area', 'by_persons', 'by_coefficient')),
    CONSTRAINT ck_one_off_charge_chargestate CHECK (state IN ('draft', 'issued', 'dropped', 'withdrawn'))
);

CREATE INDEX ix_one_off_charge_drafted ON one_off_charge (tenant_id, community_id, drafted_at);

CREATE TABLE premises_group_member (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    code TEXT NOT NULL,
    premises_id UUID NOT NULL,
    CONSTRAINT pk_premises_group_member PRIMARY KEY (tenant_id, community_id, code, premises_id),
    CONSTRAINT fk_premises_group_member_tenant_id_community_id_code_pr_33be FOREIGN KEY(tenant_id, community_id, code) REFERENCES premises_group (tenant_id, community_id, code),
    CONSTRAINT fk_premises_group_member_tenant_id_community_id_premise_da0f FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id)
);

CREATE TABLE relief (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    relief_id UUID NOT NULL,
    account_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    lines JSONB NOT NULL,
    total_fen BIGINT NOT NULL,
    reason TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_by UUID NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by UUID,
    note TEXT NOT NULL,
    CONSTRAINT pk_relief PRIMARY KEY (tenant_id, community_id, relief_id),
    CONSTRAINT fk_relief_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT ck_relief_amount_positive CHECK (total_fen > 0),
    CONSTRAINT ck_relief_decided_by_somebody CHECK ((state = 'asked') = (decided_by is null)),
    CONSTRAINT ck_relief_two_persons CHECK (decided_by is null or decided_by <> asked_by),
    CONSTRAINT ck_relief_reliefkind CHECK (kind IN ('waiver', 'write_off')),
    CONSTRAINT ck_relief_reliefstate CHECK (state IN ('asked', 'granted', 'refused'))
);

CREATE INDEX ix_relief_state ON relief (tenant_id, community_id, state, asked_at);

CREATE TABLE settlement (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    settlement_id UUID NOT NULL,
    account_id UUID NOT NULL,
    moved_out_on DATE NOT NULL,
    bill_id UUID,
    owed_fen BIGINT NOT NULL,
    ahead_fen BIGINT NOT NULL,
    deposit_fen BIGINT NOT NULL,
    refund_fen BIGINT NOT NULL,
    statement JSONB NOT NULL,
    preview_sha BYTEA NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_by UUID NOT NULL,
    CONSTRAINT pk_settlement PRIMARY KEY (tenant_id, community_id, settlement_id),
    CONSTRAINT uq_settlement_tenant_id_community_id_account_id_moved_out_on UNIQUE (tenant_id, community_id, account_id, moved_out_on),
    CONSTRAINT fk_settlement_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT ck_settlement_amounts_not_negative CHECK (least(owed_fen, ahead_fen, deposit_fen, refund_fen) >= 0)
);

alter table "book_close" enable row level security;

alter table "book_close" force row level security;

create policy company on "book_close" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "book_close" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "book_close" for each statement execute function refuse_change();

alter table "announcement" enable row level security;

alter table "announcement" force row level security;

create policy company on "announcement" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "announcement" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "announcement" for each statement execute function refuse_change();

alter table "import_run" enable row level security;

alter table "import_run" force row level security;

create policy company on "import_run" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "import_run" to gatehouse_app, gatehouse_worker;

alter table "premises_group" enable row level security;

alter table "premises_group" force row level security;

create policy company on "premises_group" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "premises_group" to gatehouse_app, gatehouse_worker;

alter table "run_policy" enable row level security;

alter table "run_policy" force row level security;

create policy company on "run_policy" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "run_policy" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "run_policy" for each statement execute function refuse_change();

alter table "settling_order" enable row level security;

alter table "settling_order" force row level security;

create policy company on "settling_order" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "settling_order" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "settling_order" for each statement execute function refuse_change();

alter table "fund_entry" enable row level security;

alter table "fund_entry" force row level security;

create policy company on "fund_entry" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "fund_entry" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "fund_entry" for each statement execute function refuse_change();

alter table "import_made" enable row level security;

alter table "import_made" force row level security;

create policy company on "import_made" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "import_made" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "import_made" for each statement execute function refuse_change();

alter table "one_off_charge" enable row level security;

alter table "one_off_charge" force row level security;

create policy company on "one_off_charge" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "one_off_charge" to gatehouse_app, gatehouse_worker;

alter table "premises_group_member" enable row level security;

alter table "premises_group_member" force row level security;

create policy company on "premises_group_member" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "premises_group_member" to gatehouse_app, gatehouse_worker;

alter table "relief" enable row level security;

alter table "relief" force row level security;

create policy company on "relief" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "relief" to gatehouse_app, gatehouse_worker;

alter table "settlement" enable row level security;

alter table "settlement" force row level security;

create policy company on "settlement" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "settlement" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "settlement" for each statement execute function refuse_change();

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening_undone', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening_undone', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening_undone', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening_undone', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('fund_income', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('fund_income', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('fund_spent', 'common_income', 'common_income', true);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('fund_spent', 'maintenance', 'maintenance', true);

drop trigger append_only on premises_fact;

create function refuse_fact_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and not exists (
    select from account
     where (tenant_id, community_id, premises_id) = (old.tenant_id, old.community_id, old.premises_id)) then
    return old;
  end if;
  raise exception 'facts of premises are only added: correct by a new row'
    using errcode = 'restrict_violation';
end $$;

create trigger facts_of_billed_premises before update or delete on premises_fact for each row execute function refuse_fact_change();

create trigger facts_stay before truncate on premises_fact for each statement execute function refuse_change();

grant update, delete on premises_fact to gatehouse_app, gatehouse_worker;
