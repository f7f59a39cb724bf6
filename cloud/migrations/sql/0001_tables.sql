-- The first schema: every table, its keys and indexes, then what guards it. Frozen: a change is a new revision.

CREATE TABLE audit (
    tenant_id UUID NOT NULL,
    audit_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id UUID NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id UUID NOT NULL,
    before JSONB,
    after JSONB,
    CONSTRAINT pk_audit PRIMARY KEY (tenant_id, audit_id)
);

CREATE INDEX ix_audit_object ON audit (tenant_id, object_kind, object_id, at);

CREATE TABLE job (
    tenant_id UUID NOT NULL,
    job_id UUID NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    partition TEXT NOT NULL,
    payload JSONB NOT NULL,
    run_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR(32) NOT NULL,
    epoch BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    enqueued_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    retry_at TIMESTAMP WITH TIME ZONE,
    lease_until TIMESTAMP WITH TIME ZONE,
    done_at TIMESTAMP WITH TIME ZONE,
    worker TEXT,
    last_error TEXT,
    CONSTRAINT pk_job PRIMARY KEY (tenant_id, job_id),
    CONSTRAINT uq_job_tenant_id_key UNIQUE (tenant_id, key),
    CONSTRAINT ck_job_lease_iff_leased CHECK ((state = 'leased') = (lease_until is not null)),
    CONSTRAINT ck_job_done_at_iff_done CHECK ((state = 'done') = (done_at is not null)),
    CONSTRAINT ck_job_jobstate CHECK (state IN ('ready', 'leased', 'done', 'dead'))
);

CREATE INDEX ix_job_due ON job (run_at) WHERE state in ('ready', 'leased');

CREATE INDEX ix_job_done ON job (done_at) WHERE state = 'done';

CREATE TABLE job_archive (
    tenant_id UUID NOT NULL,
    key TEXT NOT NULL,
    job_id UUID NOT NULL,
    kind TEXT NOT NULL,
    run_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts BIGINT NOT NULL,
    worker TEXT,
    CONSTRAINT pk_job_archive PRIMARY KEY (tenant_id, key)
);

CREATE TABLE outbox (
    tenant_id UUID NOT NULL,
    message_id UUID NOT NULL,
    channel TEXT NOT NULL,
    key TEXT NOT NULL,
    payload JSONB NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    receipt TEXT,
    CONSTRAINT pk_outbox PRIMARY KEY (tenant_id, message_id),
    CONSTRAINT uq_outbox_tenant_id_key UNIQUE (tenant_id, key)
);

CREATE TABLE inbox (
    tenant_id UUID NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_inbox PRIMARY KEY (tenant_id, source, event_id)
);

CREATE TABLE schedule (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    fired_through DATE NOT NULL,
    CONSTRAINT pk_schedule PRIMARY KEY (tenant_id, name)
);

CREATE TABLE number_series (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    prefix TEXT NOT NULL,
    next BIGINT NOT NULL,
    CONSTRAINT pk_number_series PRIMARY KEY (tenant_id, community_id, prefix),
    CONSTRAINT ck_number_series_from_one CHECK (next > 0)
);

CREATE TABLE open_case (
    tenant_id UUID NOT NULL,
    case_id UUID NOT NULL,
    community_id UUID,
    kind VARCHAR(32) NOT NULL,
    reason TEXT NOT NULL,
    origin TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id UUID NOT NULL,
    subject TEXT NOT NULL,
    owner_role VARCHAR(32) NOT NULL,
    owner_id UUID,
    detail_zh TEXT NOT NULL,
    detail_en TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by UUID,
    closing_reason TEXT,
    event_count BIGINT NOT NULL,
    CONSTRAINT pk_open_case PRIMARY KEY (tenant_id, case_id),
    CONSTRAINT ck_open_case_closed_with_reason CHECK ((closed_at is null) = (closing_reason is null)),
    CONSTRAINT ck_open_case_casekind CHECK (kind IN ('exception', 'anomaly', 'alarm', 'repair', 'dispute')),
    CONSTRAINT ck_open_case_ownerrole CHECK (owner_role IN ('manager', 'cashier', 'technician'))
);

CREATE INDEX ix_open_case_opened_at ON open_case (tenant_id, opened_at);

CREATE UNIQUE INDEX uq_open_case_object ON open_case (tenant_id, kind, reason, object_kind, object_id, subject) WHERE closed_at is null;

CREATE TABLE tenant (
    tenant_id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    zone TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_tenant PRIMARY KEY (tenant_id)
);

CREATE TABLE ledger_account (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    ledger_account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class TEXT NOT NULL,
    type TEXT NOT NULL,
    owner_id UUID NOT NULL,
    guard TEXT NOT NULL,
    hot BOOLEAN NOT NULL,
    CONSTRAINT pk_ledger_account PRIMARY KEY (tenant_id, community_id, ledger_account_id),
    CONSTRAINT uq_ledger_account_tenant_id_community_id_legal_entity_i_52ad UNIQUE (tenant_id, community_id, legal_entity_id, fund_class, type, owner_id),
    CONSTRAINT uq_ledger_account_book UNIQUE (tenant_id, community_id, ledger_account_id, fund_class, legal_entity_id),
    CONSTRAINT uq_ledger_account_guard UNIQUE (tenant_id, community_id, ledger_account_id, guard),
    CONSTRAINT ck_ledger_account_guard_known CHECK (guard in ('none', 'credit', 'debit')),
    CONSTRAINT ck_ledger_account_hot_is_unguarded CHECK (not hot or guard = 'none')
);

CREATE INDEX ix_ledger_account_owner ON ledger_account (tenant_id, owner_id, type);

CREATE TABLE fund_route (
    code TEXT NOT NULL,
    debit_class TEXT NOT NULL,
    credit_class TEXT NOT NULL,
    needs_approval BOOLEAN NOT NULL,
    CONSTRAINT pk_fund_route PRIMARY KEY (code, debit_class, credit_class)
);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('issue', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('issue', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('issue', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('issue', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('credit_note', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('credit_note', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('credit_note', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('credit_note', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('receipt', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('receipt', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('receipt', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('receipt', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('prepay', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('prepay', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('prepay', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('prepay', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('offset', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('offset', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('offset', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('offset', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('overpaid', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('overpaid', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('overpaid', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('overpaid', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('refund', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('refund', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('refund', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('refund', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('suspend', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('suspend', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('suspend', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('suspend', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('identify', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('identify', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('identify', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('identify', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('return', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('return', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('return', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('return', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('settle', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('settle', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('settle', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('settle', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('channel_fee', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('channel_fee', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('channel_fee', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('channel_fee', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_over', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_over', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_over', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_over', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_short', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_short', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_short', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('cash_short', 'common_income', 'common_income', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('deposit_in', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('deposit_hold', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('deposit_out', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('deposit_deduction', 'deposit', 'operating', true);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('write_off', 'operating', 'operating', true);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('write_off', 'deposit', 'deposit', true);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('write_off', 'maintenance', 'maintenance', true);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('write_off', 'common_income', 'common_income', true);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening', 'operating', 'operating', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening', 'deposit', 'deposit', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening', 'maintenance', 'maintenance', false);

insert into fund_route (code, debit_class, credit_class, needs_approval) values ('opening', 'common_income', 'common_income', false);

CREATE TABLE book (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    sealed_through DATE,
    CONSTRAINT pk_book PRIMARY KEY (tenant_id, community_id)
);

CREATE TABLE journal (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    journal_id UUID NOT NULL,
    idem_key TEXT NOT NULL,
    request_sha BYTEA NOT NULL,
    kind TEXT NOT NULL,
    business_date DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    document_kind TEXT NOT NULL,
    document_id UUID NOT NULL,
    approved_by UUID,
    CONSTRAINT pk_journal PRIMARY KEY (tenant_id, community_id, journal_id),
    CONSTRAINT uq_journal_tenant_id_community_id_idem_key UNIQUE (tenant_id, community_id, idem_key),
    CONSTRAINT ck_journal_request_sha_is_sha256 CHECK (octet_length(request_sha) = 32)
);

CREATE INDEX ix_journal_day ON journal (tenant_id, community_id, business_date);

CREATE INDEX ix_journal_document ON journal (tenant_id, document_id);

create function refuse_journal_of_sealed_day() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
    declare
        day record;
        through date;
    begin
        for day in select tenant_id, community_id, min(business_date) as first from written group by 1, 2 order by 1, 2
        loop
            insert into book (tenant_id, community_id) values (day.tenant_id, day.community_id) on conflict do nothing;
            select sealed_through into through from book
             where tenant_id = day.tenant_id and community_id = day.community_id for share;
            if day.first <= through then
                raise exception 'the book is sealed through %; no journal of % is added', through, day.first
                    using errcode = 'GH001';
            end if;
        end loop;
        return null;
    end $$;
    create trigger journal_of_open_day after insert on journal referencing new table as written
        for each statement execute function refuse_journal_of_sealed_day();

CREATE TABLE seal (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    business_date DATE NOT NULL,
    journals BIGINT NOT NULL,
    transfers_fen BIGINT NOT NULL,
    merkle_root BYTEA NOT NULL,
    previous_root BYTEA NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_seal PRIMARY KEY (tenant_id, community_id, business_date)
);

CREATE TABLE unpacked_batch (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    readings BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_unpacked_batch PRIMARY KEY (tenant_id, gateway_id, store_epoch, sequence)
);

CREATE TABLE batch_watermark (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    contiguous BIGINT NOT NULL,
    complete_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_batch_watermark PRIMARY KEY (tenant_id, gateway_id, store_epoch)
);

CREATE TABLE meter_day_block (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    quantity VARCHAR(32) NOT NULL,
    day DATE NOT NULL,
    rev BIGINT NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_milli BIGINT NOT NULL,
    first_quality BIGINT NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_milli BIGINT NOT NULL,
    last_quality BIGINT NOT NULL,
    count BIGINT NOT NULL,
    quality BIGINT NOT NULL,
    body BYTEA NOT NULL,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_meter_day_block PRIMARY KEY (tenant_id, community_id, meter_id, quantity, day, rev),
    CONSTRAINT ck_meter_day_block_bounds CHECK (rev >= 1 and count >= 1),
    CONSTRAINT ck_meter_day_block_order CHECK (first_at <= last_at),
    CONSTRAINT ck_meter_day_block_quantity CHECK (quantity IN ('energy_forward', 'energy_reverse', 'energy_t1', 'energy_t2', 'energy_t3', 'energy_t4', 'volume', 'heat_energy', 'power', 'voltage', 'current', 'flow', 'temperature'))
);

CREATE INDEX ix_meter_day_block_day ON meter_day_block (tenant_id, community_id, day);

CREATE TABLE reading_revision (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    quantity VARCHAR(32) NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    rev BIGINT NOT NULL,
    value_milli BIGINT,
    quality BIGINT NOT NULL,
    reason TEXT NOT NULL,
    recorded_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_reading_revision PRIMARY KEY (tenant_id, community_id, meter_id, quantity, read_at, rev),
    CONSTRAINT ck_reading_revision_rev CHECK (rev >= 1),
    CONSTRAINT ck_reading_revision_reason CHECK (reason <> ''),
    CONSTRAINT ck_reading_revision_quantity CHECK (quantity IN ('energy_forward', 'energy_reverse', 'energy_t1', 'energy_t2', 'energy_t3', 'energy_t4', 'volume', 'heat_energy', 'power', 'voltage', 'current', 'flow', 'temperature'))
);

CREATE TABLE meter_rollover (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    quantity VARCHAR(32) NOT NULL,
    day DATE NOT NULL,
    reason TEXT NOT NULL,
    recorded_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_meter_rollover PRIMARY KEY (tenant_id, community_id, meter_id, quantity, day),
    CONSTRAINT ck_meter_rollover_quantity CHECK (quantity IN ('energy_forward', 'energy_reverse', 'energy_t1', 'energy_t2', 'energy_t3', 'energy_t4', 'volume', 'heat_energy', 'power', 'voltage', 'current', 'flow', 'temperature'))
);

CREATE TABLE reading_gap (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    item BIGINT NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    slots BIGINT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_reading_gap PRIMARY KEY (tenant_id, community_id, meter_id, first_at, gateway_id, store_epoch, sequence, item)
);

CREATE INDEX ix_reading_gap_time ON reading_gap (tenant_id, community_id, first_at);

CREATE TABLE provisional_line (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    charge_code TEXT NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    usage_milli BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    tariff_code TEXT NOT NULL,
    tariff_from DATE NOT NULL,
    tariff_rev BIGINT NOT NULL,
    tariff_sha TEXT NOT NULL,
    input_sha TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_provisional_line PRIMARY KEY (tenant_id, community_id, meter_id, charge_code, period_start, period_end, gateway_id, store_epoch, sequence),
    CONSTRAINT ck_provisional_line_period CHECK (period_start < period_end)
);

CREATE INDEX ix_provisional_line_end ON provisional_line (tenant_id, community_id, period_end);

CREATE TABLE usage_session (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    session_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    place TEXT NOT NULL,
    premises_id UUID NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_day DATE NOT NULL,
    facts JSONB NOT NULL,
    sources JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_usage_session PRIMARY KEY (tenant_id, community_id, session_id),
    CONSTRAINT ck_usage_session_order CHECK (started_at <= ended_at),
    CONSTRAINT ck_usage_session_sessionkind CHECK (kind IN ('parking', 'charging'))
);

CREATE INDEX ix_usage_session_ended_day ON usage_session (tenant_id, community_id, ended_day);

CREATE TABLE rating_input (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    sha TEXT NOT NULL,
    body BYTEA NOT NULL,
    engine_version BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_rating_input PRIMARY KEY (tenant_id, community_id, sha),
    CONSTRAINT ck_rating_input_sha CHECK (length(sha) = 64)
);

CREATE TABLE apportionment (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    pool_id UUID NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    input_sha TEXT NOT NULL,
    total_fen BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_apportionment PRIMARY KEY (tenant_id, community_id, pool_id, period_start, period_end, input_sha),
    CONSTRAINT ck_apportionment_period CHECK (period_start < period_end)
);

CREATE TABLE calendar_revision (
    tenant_id UUID NOT NULL,
    calendar_code TEXT NOT NULL,
    year BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    body JSONB NOT NULL,
    body_sha TEXT NOT NULL,
    basis_document TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_calendar_revision PRIMARY KEY (tenant_id, calendar_code, year, rev),
    CONSTRAINT ck_calendar_revision_rev CHECK (rev >= 1)
);

CREATE TABLE case_event (
    tenant_id UUID NOT NULL,
    case_id UUID NOT NULL,
    n BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    deed VARCHAR(32) NOT NULL,
    actor_id UUID NOT NULL,
    actor_name TEXT NOT NULL,
    note TEXT NOT NULL,
    figures JSONB NOT NULL,
    CONSTRAINT pk_case_event PRIMARY KEY (tenant_id, case_id, n),
    CONSTRAINT fk_case_event_tenant_id_case_id_open_case FOREIGN KEY(tenant_id, case_id) REFERENCES open_case (tenant_id, case_id),
    CONSTRAINT ck_case_event_casedeed CHECK (deed IN ('opened', 'seen_again', 'assigned', 'noted', 'closed'))
);

CREATE TABLE legal_entity (
    tenant_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    tax_number TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_legal_entity PRIMARY KEY (tenant_id, legal_entity_id),
    CONSTRAINT uq_legal_entity_tenant_id_name UNIQUE (tenant_id, name),
    CONSTRAINT fk_legal_entity_tenant_id_tenant FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id),
    CONSTRAINT ck_legal_entity_entitykind CHECK (kind IN ('company', 'owners_committee', 'merchant'))
);

CREATE TABLE community (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    zone TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_community PRIMARY KEY (tenant_id, community_id),
    CONSTRAINT uq_community_tenant_id_code UNIQUE (tenant_id, code),
    CONSTRAINT fk_community_tenant_id_tenant FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE person (
    tenant_id UUID NOT NULL,
    person_id UUID NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    phone_sealed BYTEA,
    phone_tail TEXT,
    CONSTRAINT pk_person PRIMARY KEY (tenant_id, person_id),
    CONSTRAINT fk_person_tenant_id_tenant FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id)
);

CREATE TABLE gateway (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    label TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    hardware TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_gateway PRIMARY KEY (tenant_id, gateway_id),
    CONSTRAINT uq_gateway_tenant_id_label UNIQUE (tenant_id, label),
    CONSTRAINT fk_gateway_tenant_id_tenant FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id),
    CONSTRAINT ck_gateway_gatewaystate CHECK (state IN ('planned', 'enrolled', 'retired'))
);

CREATE TABLE meter (
    tenant_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    serial TEXT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    resource VARCHAR(32) NOT NULL,
    model TEXT NOT NULL,
    digits BIGINT NOT NULL,
    multiplier_milli BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_meter PRIMARY KEY (tenant_id, meter_id),
    CONSTRAINT uq_meter_tenant_id_serial UNIQUE (tenant_id, serial),
    CONSTRAINT fk_meter_tenant_id_tenant FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id),
    CONSTRAINT ck_meter_multiplier_positive CHECK (multiplier_milli > 0),
    CONSTRAINT ck_meter_digits_sane CHECK (digits between 1 and 15),
    CONSTRAINT ck_meter_meterkind CHECK (kind IN ('physical', 'virtual')),
    CONSTRAINT ck_meter_resource CHECK (resource IN ('electricity', 'water', 'hot_water', 'gas', 'heat'))
);

CREATE TABLE transfer (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    journal_id UUID NOT NULL,
    n BIGINT NOT NULL,
    kind TEXT NOT NULL,
    debit_id UUID NOT NULL,
    debit_class TEXT NOT NULL,
    credit_id UUID NOT NULL,
    credit_class TEXT NOT NULL,
    legal_entity_id UUID NOT NULL,
    fen BIGINT NOT NULL,
    route TEXT NOT NULL,
    bill_id UUID,
    line_n BIGINT,
    pending_journal_id UUID,
    pending_n BIGINT,
    CONSTRAINT pk_transfer PRIMARY KEY (tenant_id, community_id, journal_id, n),
    CONSTRAINT fk_transfer_tenant_id_community_id_journal_id_journal FOREIGN KEY(tenant_id, community_id, journal_id) REFERENCES journal (tenant_id, community_id, journal_id),
    CONSTRAINT fk_transfer_debit_ledger_account FOREIGN KEY(tenant_id, community_id, debit_id, debit_class, legal_entity_id) REFERENCES ledger_account (tenant_id, community_id, ledger_account_id, fund_class, legal_entity_id),
    CONSTRAINT fk_transfer_credit_ledger_account FOREIGN KEY(tenant_id, community_id, credit_id, credit_class, legal_entity_id) REFERENCES ledger_account (tenant_id, community_id, ledger_account_id, fund_class, legal_entity_id),
    CONSTRAINT fk_transfer_fund_route FOREIGN KEY(route, debit_class, credit_class) REFERENCES fund_route (code, debit_class, credit_class),
    CONSTRAINT fk_transfer_pending_transfer FOREIGN KEY(tenant_id, community_id, pending_journal_id, pending_n, debit_id, credit_id) REFERENCES transfer (tenant_id, community_id, journal_id, n, debit_id, credit_id),
    CONSTRAINT uq_transfer_accounts UNIQUE (tenant_id, community_id, journal_id, n, debit_id, credit_id),
    CONSTRAINT ck_transfer_number_positive CHECK (n > 0),
    CONSTRAINT ck_transfer_amount_positive CHECK (fen > 0),
    CONSTRAINT ck_transfer_two_accounts CHECK (debit_id <> credit_id),
    CONSTRAINT ck_transfer_kind_known CHECK (kind in ('posted', 'pending', 'post', 'void')),
    CONSTRAINT ck_transfer_resolution_names_one CHECK ((kind in ('post', 'void')) = (pending_journal_id is not null)),
    CONSTRAINT ck_transfer_pending_whole CHECK ((pending_journal_id is null) = (pending_n is null)),
    CONSTRAINT ck_transfer_line_whole CHECK ((bill_id is null) = (line_n is null))
);

CREATE INDEX ix_transfer_debit ON transfer (tenant_id, debit_id);

CREATE UNIQUE INDEX uq_transfer_resolution ON transfer (tenant_id, community_id, pending_journal_id, pending_n) WHERE pending_journal_id is not null;

CREATE INDEX ix_transfer_credit ON transfer (tenant_id, credit_id);

CREATE INDEX ix_transfer_line ON transfer (tenant_id, bill_id, line_n) WHERE bill_id is not null;

CREATE TABLE balance (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    ledger_account_id UUID NOT NULL,
    guard TEXT NOT NULL,
    debit_pending BIGINT NOT NULL,
    debit_posted BIGINT NOT NULL,
    credit_pending BIGINT NOT NULL,
    credit_posted BIGINT NOT NULL,
    CONSTRAINT pk_balance PRIMARY KEY (tenant_id, community_id, ledger_account_id),
    CONSTRAINT fk_balance_tenant_id_community_id_ledger_account_id_gua_d6fd FOREIGN KEY(tenant_id, community_id, ledger_account_id, guard) REFERENCES ledger_account (tenant_id, community_id, ledger_account_id, guard),
    CONSTRAINT ck_balance_guarded_only CHECK (guard in ('credit', 'debit')),
    CONSTRAINT ck_balance_sums_not_negative CHECK (least(debit_pending, debit_posted, credit_pending, credit_posted) >= 0),
    CONSTRAINT ck_balance_debits_within_credits CHECK (guard <> 'credit' or debit_pending + debit_posted <= credit_posted),
    CONSTRAINT ck_balance_credits_within_debits CHECK (guard <> 'debit' or credit_pending + credit_posted <= debit_posted)
);

CREATE TABLE usage_claim (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    session_id UUID NOT NULL,
    bill_id UUID NOT NULL,
    line_n BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_usage_claim PRIMARY KEY (tenant_id, community_id, session_id),
    CONSTRAINT uq_usage_claim_tenant_id_community_id_bill_id_line_n UNIQUE (tenant_id, community_id, bill_id, line_n),
    CONSTRAINT fk_usage_claim_tenant_id_community_id_session_id_usage_session FOREIGN KEY(tenant_id, community_id, session_id) REFERENCES usage_session (tenant_id, community_id, session_id)
);

CREATE TABLE billing_period (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    cycle TEXT NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    due_on DATE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_billing_period PRIMARY KEY (tenant_id, community_id, cycle, period_start),
    CONSTRAINT fk_billing_period_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_billing_period_period CHECK (period_start < period_end),
    CONSTRAINT ck_billing_period_due_after_start CHECK (due_on >= period_start)
);

CREATE TABLE correction_case (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    case_id UUID NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    cycle TEXT NOT NULL,
    first_day DATE NOT NULL,
    premises JSONB NOT NULL,
    state TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_by UUID NOT NULL,
    preview_sha BYTEA,
    net_fen BIGINT,
    known_at TIMESTAMP WITH TIME ZONE,
    approved_by UUID,
    CONSTRAINT pk_correction_case PRIMARY KEY (tenant_id, community_id, case_id),
    CONSTRAINT fk_correction_case_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_correction_case_cause_known CHECK (cause in ('reading', 'tariff', 'assignment', 'share', 'dispute')),
    CONSTRAINT ck_correction_case_state_known CHECK (state in ('open', 'applied', 'dropped')),
    CONSTRAINT ck_correction_case_reason CHECK (reason <> ''),
    CONSTRAINT ck_correction_case_applied_is_approved CHECK ((state = 'applied') = (preview_sha is not null and net_fen is not null and approved_by is not null))
);

CREATE TABLE community_tenure (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    starts DATE NOT NULL,
    ends DATE,
    CONSTRAINT pk_community_tenure PRIMARY KEY (tenant_id, community_id, starts),
    CONSTRAINT fk_community_tenure_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_community_tenure_ends_after_start CHECK (ends is null or ends > starts),
    CONSTRAINT one_tenure EXCLUDE USING gist (tenant_id WITH =, community_id WITH =, daterange(starts, ends) WITH &&)
);

CREATE TABLE building (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    building_id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    CONSTRAINT pk_building PRIMARY KEY (tenant_id, community_id, building_id),
    CONSTRAINT uq_building_tenant_id_community_id_code UNIQUE (tenant_id, community_id, code),
    CONSTRAINT fk_building_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id)
);

CREATE TABLE party (
    tenant_id UUID NOT NULL,
    party_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    person_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_party PRIMARY KEY (tenant_id, party_id),
    CONSTRAINT ck_party_person_iff_person CHECK ((kind = 'person') = (person_id is not null)),
    CONSTRAINT fk_party_tenant_id_tenant FOREIGN KEY(tenant_id) REFERENCES tenant (tenant_id),
    CONSTRAINT fk_party_tenant_id_person_id_person FOREIGN KEY(tenant_id, person_id) REFERENCES person (tenant_id, person_id),
    CONSTRAINT ck_party_partykind CHECK (kind IN ('person', 'organisation'))
);

CREATE TABLE gateway_key (
    tenant_id UUID NOT NULL,
    key_id BYTEA NOT NULL,
    gateway_id UUID NOT NULL,
    public_key BYTEA NOT NULL,
    enrolled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_gateway_key PRIMARY KEY (tenant_id, key_id),
    CONSTRAINT fk_gateway_key_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id),
    CONSTRAINT ck_gateway_key_lengths CHECK (octet_length(public_key) = 32 and octet_length(key_id) = 16)
);

CREATE INDEX ix_gateway_key_gateway ON gateway_key (tenant_id, gateway_id);

CREATE TABLE enrolment_code (
    tenant_id UUID NOT NULL,
    code_sha TEXT NOT NULL,
    gateway_id UUID NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    used_key_id BYTEA,
    CONSTRAINT pk_enrolment_code PRIMARY KEY (tenant_id, code_sha),
    CONSTRAINT fk_enrolment_code_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id),
    CONSTRAINT ck_enrolment_code_used_by_a_key CHECK ((used_at is null) = (used_key_id is null))
);

CREATE TABLE gateway_bundle (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    version BIGINT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    body_sha BYTEA NOT NULL,
    body BYTEA NOT NULL,
    CONSTRAINT pk_gateway_bundle PRIMARY KEY (tenant_id, gateway_id, kind, version),
    CONSTRAINT fk_gateway_bundle_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id),
    CONSTRAINT ck_gateway_bundle_version_from_one CHECK (version >= 1),
    CONSTRAINT ck_gateway_bundle_bundlekind CHECK (kind IN ('certificate', 'site', 'tariffs', 'permits', 'dues', 'command'))
);

CREATE TABLE bundle_effect (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL,
    effect TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bundle_effect PRIMARY KEY (tenant_id, gateway_id, epoch, seq),
    CONSTRAINT fk_bundle_effect_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id)
);

CREATE TABLE gateway_health (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    counters JSONB NOT NULL,
    CONSTRAINT pk_gateway_health PRIMARY KEY (tenant_id, gateway_id),
    CONSTRAINT fk_gateway_health_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id)
);

CREATE TABLE stream (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    previous_epoch BIGINT,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    contiguous BIGINT NOT NULL,
    highest BIGINT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stream PRIMARY KEY (tenant_id, gateway_id, epoch),
    CONSTRAINT fk_stream_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id),
    CONSTRAINT ck_stream_watermark CHECK (contiguous between 0 and highest)
);

CREATE TABLE batch_refusal (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    refusal_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    reason TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    signed BYTEA NOT NULL,
    CONSTRAINT pk_batch_refusal PRIMARY KEY (tenant_id, gateway_id, digest),
    CONSTRAINT fk_batch_refusal_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id)
);

CREATE TABLE parking_lot (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    lot TEXT NOT NULL,
    gateway_id UUID NOT NULL,
    spaces BIGINT,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_parking_lot PRIMARY KEY (tenant_id, community_id, lot),
    CONSTRAINT uq_parking_lot_tenant_id_lot UNIQUE (tenant_id, lot),
    CONSTRAINT fk_parking_lot_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT fk_parking_lot_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id)
);

CREATE TABLE merchant_account (
    tenant_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL,
    label TEXT NOT NULL,
    merchant_number TEXT NOT NULL,
    app_id TEXT NOT NULL,
    merchant_serial TEXT NOT NULL,
    channel_keys JSONB NOT NULL,
    secrets_sealed BYTEA NOT NULL,
    notify_token TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_merchant_account PRIMARY KEY (tenant_id, merchant_account_id),
    CONSTRAINT fk_merchant_account_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT uq_merchant_account_owner UNIQUE (tenant_id, merchant_account_id, legal_entity_id, fund_class),
    CONSTRAINT uq_merchant_account_tenant_id_channel_merchant_number_app_id UNIQUE (tenant_id, channel, merchant_number, app_id),
    CONSTRAINT uq_merchant_account_tenant_id_notify_token UNIQUE (tenant_id, notify_token),
    CONSTRAINT ck_merchant_account_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income')),
    CONSTRAINT ck_merchant_account_channel CHECK (channel IN ('wechat', 'cash'))
);

CREATE UNIQUE INDEX uq_merchant_account_open ON merchant_account (tenant_id, legal_entity_id, fund_class, channel) WHERE closed_at is null;

CREATE TABLE cash_box (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    cash_box_id UUID NOT NULL,
    name TEXT NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    CONSTRAINT pk_cash_box PRIMARY KEY (tenant_id, community_id, cash_box_id),
    CONSTRAINT fk_cash_box_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT fk_cash_box_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT uq_cash_box_tenant_id_community_id_name UNIQUE (tenant_id, community_id, name),
    CONSTRAINT ck_cash_box_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income'))
);

CREATE TABLE refund_policy (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    rev BIGINT NOT NULL,
    automatic_fen BIGINT NOT NULL,
    automatic_day_fen BIGINT NOT NULL,
    automatic_age_days BIGINT NOT NULL,
    two_persons_fen BIGINT NOT NULL,
    deposit_automatic_fen BIGINT NOT NULL,
    decided_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_refund_policy PRIMARY KEY (tenant_id, community_id, rev),
    CONSTRAINT fk_refund_policy_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_refund_policy_rev_positive CHECK (rev > 0),
    CONSTRAINT ck_refund_policy_limits_not_negative CHECK (least(automatic_fen, automatic_day_fen, automatic_age_days, two_persons_fen, deposit_automatic_fen) >= 0)
);

CREATE TABLE charge_item (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    charge_item_id UUID NOT NULL,
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    basis VARCHAR(32) NOT NULL,
    resource VARCHAR(32),
    nature VARCHAR(32) NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    legal_entity_id UUID NOT NULL,
    tax_code TEXT NOT NULL,
    tax_rate_micro BIGINT NOT NULL,
    bears_late_charge BOOLEAN NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_charge_item PRIMARY KEY (tenant_id, community_id, charge_item_id),
    CONSTRAINT uq_charge_item_tenant_id_community_id_code UNIQUE (tenant_id, community_id, code),
    CONSTRAINT ck_charge_item_metered_names_resource CHECK ((basis = 'metered') = (resource is not null)),
    CONSTRAINT ck_charge_item_tax_rate CHECK (tax_rate_micro between 0 and 999999),
    CONSTRAINT ck_charge_item_deposit_is_liability CHECK ((fund_class = 'deposit') <= (nature = 'liability')),
    CONSTRAINT fk_charge_item_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT fk_charge_item_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT ck_charge_item_chargebasis CHECK (basis IN ('area', 'metered', 'share', 'parking', 'flat')),
    CONSTRAINT ck_charge_item_resource CHECK (resource IN ('electricity', 'water', 'hot_water', 'gas', 'heat')),
    CONSTRAINT ck_charge_item_nature CHECK (nature IN ('revenue', 'agency', 'liability')),
    CONSTRAINT ck_charge_item_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income'))
);

CREATE TABLE tariff (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    tariff_id UUID NOT NULL,
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_tariff PRIMARY KEY (tenant_id, community_id, tariff_id),
    CONSTRAINT uq_tariff_tenant_id_community_id_code UNIQUE (tenant_id, community_id, code),
    CONSTRAINT fk_tariff_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id)
);

CREATE TABLE premises (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    premises_id UUID NOT NULL,
    building_id UUID,
    label TEXT NOT NULL,
    label_key TEXT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    CONSTRAINT pk_premises PRIMARY KEY (tenant_id, community_id, premises_id),
    CONSTRAINT uq_premises_tenant_id_community_id_label UNIQUE (tenant_id, community_id, label),
    CONSTRAINT fk_premises_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT fk_premises_tenant_id_community_id_building_id_building FOREIGN KEY(tenant_id, community_id, building_id) REFERENCES building (tenant_id, community_id, building_id),
    CONSTRAINT ck_premises_premiseskind CHECK (kind IN ('residence', 'shop', 'office', 'space', 'public'))
);

CREATE INDEX ix_premises_order ON premises (tenant_id, community_id, label_key);

CREATE TABLE delegation (
    tenant_id UUID NOT NULL,
    delegation_id UUID NOT NULL,
    grantor_party_id UUID NOT NULL,
    delegate_party_id UUID NOT NULL,
    scope VARCHAR(32) NOT NULL,
    starts DATE NOT NULL,
    ends DATE,
    CONSTRAINT pk_delegation PRIMARY KEY (tenant_id, delegation_id),
    CONSTRAINT fk_delegation_tenant_id_grantor_party_id_party FOREIGN KEY(tenant_id, grantor_party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_delegation_tenant_id_delegate_party_id_party FOREIGN KEY(tenant_id, delegate_party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_delegation_to_another CHECK (grantor_party_id <> delegate_party_id),
    CONSTRAINT ck_delegation_ends_after_start CHECK (ends is null or ends > starts),
    CONSTRAINT ck_delegation_delegationscope CHECK (scope IN ('view', 'pay'))
);

CREATE INDEX ix_delegation_delegate ON delegation (tenant_id, delegate_party_id);

CREATE TABLE app_user (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    login TEXT NOT NULL,
    display_name TEXT NOT NULL,
    party_id UUID,
    password_hash TEXT,
    failures BIGINT DEFAULT 0 NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_app_user PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT uq_app_user_tenant_id_login UNIQUE (tenant_id, login),
    CONSTRAINT fk_app_user_tenant_id_party_id_party FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id)
);

CREATE TABLE gateway_batch (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    batch_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    previous_hash BYTEA NOT NULL,
    key_id BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    signed BYTEA NOT NULL,
    receipt BYTEA NOT NULL,
    CONSTRAINT pk_gateway_batch PRIMARY KEY (tenant_id, gateway_id, epoch, sequence),
    CONSTRAINT uq_gateway_batch_tenant_id_batch_id UNIQUE (tenant_id, batch_id),
    CONSTRAINT uq_gateway_batch_tenant_id_gateway_id_digest UNIQUE (tenant_id, gateway_id, digest),
    CONSTRAINT fk_gateway_batch_tenant_id_gateway_id_epoch_stream FOREIGN KEY(tenant_id, gateway_id, epoch) REFERENCES stream (tenant_id, gateway_id, epoch),
    CONSTRAINT ck_gateway_batch_sequence_from_one CHECK (sequence >= 1)
);

CREATE TABLE parking_event (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    event_id UUID NOT NULL,
    lot TEXT NOT NULL,
    act VARCHAR(32) NOT NULL,
    session_id UUID,
    vehicle UUID,
    vehicle_class TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    entered_at TIMESTAMP WITH TIME ZONE,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    offline BOOLEAN NOT NULL,
    quote_fen BIGINT,
    tariff_code TEXT,
    tariff_from DATE,
    tariff_rev BIGINT,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_parking_event PRIMARY KEY (tenant_id, community_id, event_id),
    CONSTRAINT fk_parking_event_tenant_id_community_id_lot_parking_lot FOREIGN KEY(tenant_id, community_id, lot) REFERENCES parking_lot (tenant_id, community_id, lot),
    CONSTRAINT ck_parking_event_act CHECK (act IN ('entry', 'exit', 'refused', 'corrected', 'settled', 'void'))
);

CREATE INDEX ix_parking_event_session ON parking_event (tenant_id, community_id, session_id);

CREATE TABLE parking_session (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    session_id UUID NOT NULL,
    lot TEXT NOT NULL,
    vehicle_class TEXT NOT NULL,
    entered_at TIMESTAMP WITH TIME ZONE,
    left_at TIMESTAMP WITH TIME ZONE,
    state VARCHAR(32) NOT NULL,
    settlement VARCHAR(32) NOT NULL,
    quote_fen BIGINT,
    paid_fen BIGINT NOT NULL,
    premises_id UUID,
    CONSTRAINT pk_parking_session PRIMARY KEY (tenant_id, community_id, session_id),
    CONSTRAINT ck_parking_session_left_at_iff_left CHECK ((state = 'left') = (left_at is not null)),
    CONSTRAINT fk_parking_session_tenant_id_community_id_lot_parking_lot FOREIGN KEY(tenant_id, community_id, lot) REFERENCES parking_lot (tenant_id, community_id, lot),
    CONSTRAINT ck_parking_session_staystate CHECK (state IN ('inside', 'left', 'void')),
    CONSTRAINT ck_parking_session_settlement CHECK (settlement IN ('open', 'nothing', 'at_gate', 'account', 'unpaid'))
);

CREATE INDEX ix_parking_session_lot ON parking_session (tenant_id, community_id, lot, state);

CREATE TABLE notification (
    tenant_id UUID NOT NULL,
    notification_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    order_number TEXT NOT NULL,
    body_sealed BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome VARCHAR(32) NOT NULL,
    CONSTRAINT pk_notification PRIMARY KEY (tenant_id, notification_id),
    CONSTRAINT fk_notification_tenant_id_merchant_account_id_merchant_account FOREIGN KEY(tenant_id, merchant_account_id) REFERENCES merchant_account (tenant_id, merchant_account_id),
    CONSTRAINT uq_notification_tenant_id_merchant_account_id_event_id UNIQUE (tenant_id, merchant_account_id, event_id),
    CONSTRAINT ck_notification_received CHECK (outcome IN ('stored', 'repeated', 'not_ours', 'differs'))
);

CREATE INDEX ix_notification_order ON notification (tenant_id, order_number);

CREATE TABLE cash_shift (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    cash_shift_id UUID NOT NULL,
    cash_box_id UUID NOT NULL,
    cashier_id UUID NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opening_fen BIGINT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    expected_fen BIGINT,
    counted_fen BIGINT,
    reason TEXT NOT NULL,
    CONSTRAINT pk_cash_shift PRIMARY KEY (tenant_id, community_id, cash_shift_id),
    CONSTRAINT fk_cash_shift_tenant_id_community_id_cash_box_id_cash_box FOREIGN KEY(tenant_id, community_id, cash_box_id) REFERENCES cash_box (tenant_id, community_id, cash_box_id),
    CONSTRAINT ck_cash_shift_counts_not_negative CHECK (opening_fen >= 0 and counted_fen >= 0),
    CONSTRAINT ck_cash_shift_closed_is_counted CHECK ((closed_at is null) = (counted_fen is null) and (closed_at is null) = (expected_fen is null)),
    CONSTRAINT ck_cash_shift_difference_has_reason CHECK (closed_at is null or counted_fen = expected_fen or reason <> '')
);

CREATE UNIQUE INDEX uq_cash_shift_open ON cash_shift (tenant_id, community_id, cash_box_id) WHERE closed_at is null;

CREATE UNIQUE INDEX uq_cash_shift_cashier ON cash_shift (tenant_id, cashier_id) WHERE closed_at is null;

CREATE TABLE statement_file (
    tenant_id UUID NOT NULL,
    statement_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    day DATE NOT NULL,
    version BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    raw_sealed BYTEA NOT NULL,
    parser TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    rows BIGINT NOT NULL,
    payments_fen BIGINT NOT NULL,
    refunds_fen BIGINT NOT NULL,
    fees_fen BIGINT NOT NULL,
    faults JSONB NOT NULL,
    CONSTRAINT pk_statement_file PRIMARY KEY (tenant_id, statement_id),
    CONSTRAINT fk_statement_file_tenant_id_merchant_account_id_merchan_0099 FOREIGN KEY(tenant_id, merchant_account_id) REFERENCES merchant_account (tenant_id, merchant_account_id),
    CONSTRAINT uq_statement_file_tenant_id_merchant_account_id_day_version UNIQUE (tenant_id, merchant_account_id, day, version),
    CONSTRAINT uq_statement_file_tenant_id_merchant_account_id_day_digest UNIQUE (tenant_id, merchant_account_id, day, digest),
    CONSTRAINT ck_statement_file_version_from_one CHECK (version > 0)
);

CREATE TABLE tariff_revision (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    tariff_id UUID NOT NULL,
    effective_from DATE NOT NULL,
    rev BIGINT NOT NULL,
    body JSONB,
    body_sha TEXT NOT NULL,
    basis_document TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_tariff_revision PRIMARY KEY (tenant_id, community_id, tariff_id, effective_from, rev),
    CONSTRAINT ck_tariff_revision_rev CHECK (rev >= 1),
    CONSTRAINT ck_tariff_revision_sha_iff_body CHECK ((body is null) = (body_sha = '')),
    CONSTRAINT fk_tariff_revision_tenant_id_community_id_tariff_id_tariff FOREIGN KEY(tenant_id, community_id, tariff_id) REFERENCES tariff (tenant_id, community_id, tariff_id)
);

CREATE TABLE tariff_assignment (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    charge_item_id UUID NOT NULL,
    target_kind VARCHAR(32) NOT NULL,
    target_key TEXT NOT NULL,
    effective_from DATE NOT NULL,
    rev BIGINT NOT NULL,
    effect VARCHAR(32) NOT NULL,
    tariff_id UUID,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_tariff_assignment PRIMARY KEY (tenant_id, community_id, charge_item_id, target_kind, target_key, effective_from, rev),
    CONSTRAINT ck_tariff_assignment_rev CHECK (rev >= 1),
    CONSTRAINT ck_tariff_assignment_tariff_iff_charge CHECK ((effect = 'charge') = (tariff_id is not null)),
    CONSTRAINT ck_tariff_assignment_key_names_target CHECK ((target_kind = 'community') = (target_key = '')),
    CONSTRAINT fk_tariff_assignment_tenant_id_community_id_charge_item_00c6 FOREIGN KEY(tenant_id, community_id, charge_item_id) REFERENCES charge_item (tenant_id, community_id, charge_item_id),
    CONSTRAINT fk_tariff_assignment_tenant_id_community_id_tariff_id_tariff FOREIGN KEY(tenant_id, community_id, tariff_id) REFERENCES tariff (tenant_id, community_id, tariff_id),
    CONSTRAINT ck_tariff_assignment_targetkind CHECK (target_kind IN ('community', 'building', 'premises_kind', 'premises', 'meter', 'lot')),
    CONSTRAINT ck_tariff_assignment_effect CHECK (effect IN ('charge', 'exempt', 'inherit'))
);

CREATE TABLE share_pool (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    pool_id UUID NOT NULL,
    effective_from DATE NOT NULL,
    rev BIGINT NOT NULL,
    charge_item_id UUID NOT NULL,
    meter_id UUID,
    method VARCHAR(32) NOT NULL,
    building_id UUID,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_share_pool PRIMARY KEY (tenant_id, community_id, pool_id, effective_from, rev),
    CONSTRAINT ck_share_pool_rev CHECK (rev >= 1),
    CONSTRAINT fk_share_pool_tenant_id_community_id_charge_item_id_charge_item FOREIGN KEY(tenant_id, community_id, charge_item_id) REFERENCES charge_item (tenant_id, community_id, charge_item_id),
    CONSTRAINT ck_share_pool_poolmethod CHECK (method IN ('meter', 'master_less_subs'))
);

CREATE TABLE account (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    account_id UUID NOT NULL,
    premises_id UUID NOT NULL,
    party_id UUID NOT NULL,
    lookup_code TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (tenant_id, community_id, account_id),
    CONSTRAINT uq_account_tenant_id_community_id_premises_id_party_id UNIQUE (tenant_id, community_id, premises_id, party_id),
    CONSTRAINT fk_account_tenant_id_community_id_premises_id_premises FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id),
    CONSTRAINT fk_account_tenant_id_party_id_party FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_account_lookup_code_six_digits CHECK (lookup_code ~ '^[0-9]{6}$')
);

CREATE INDEX ix_account_party ON account (tenant_id, party_id);

CREATE TABLE contract (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    number TEXT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    premises_id UUID NOT NULL,
    party_id UUID NOT NULL,
    start_on DATE NOT NULL,
    end_on DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contract PRIMARY KEY (tenant_id, community_id, contract_id),
    CONSTRAINT uq_contract_tenant_id_community_id_number UNIQUE (tenant_id, community_id, number),
    CONSTRAINT ck_contract_dates CHECK (start_on < end_on),
    CONSTRAINT fk_contract_tenant_id_community_id_premises_id_premises FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id),
    CONSTRAINT ck_contract_contractkind CHECK (kind IN ('lease', 'service'))
);

CREATE TABLE premises_fact (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    premises_id UUID NOT NULL,
    fact VARCHAR(32) NOT NULL,
    effective_from DATE NOT NULL,
    rev BIGINT NOT NULL,
    value_milli BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_premises_fact PRIMARY KEY (tenant_id, community_id, premises_id, fact, effective_from, rev),
    CONSTRAINT fk_premises_fact_tenant_id_community_id_premises_id_premises FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id),
    CONSTRAINT ck_premises_fact_not_negative CHECK (value_milli >= 0),
    CONSTRAINT ck_premises_fact_fact CHECK (fact IN ('area', 'inner_area', 'persons', 'households', 'coefficient', 'floor_weight', 'vacant'))
);

CREATE TABLE party_premises (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    relation_id UUID NOT NULL,
    premises_id UUID NOT NULL,
    party_id UUID NOT NULL,
    role VARCHAR(32) NOT NULL,
    starts DATE NOT NULL,
    ends DATE,
    CONSTRAINT pk_party_premises PRIMARY KEY (tenant_id, community_id, relation_id),
    CONSTRAINT fk_party_premises_tenant_id_community_id_premises_id_premises FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id),
    CONSTRAINT fk_party_premises_tenant_id_party_id_party FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_party_premises_ends_after_start CHECK (ends is null or ends > starts),
    CONSTRAINT one_payer EXCLUDE USING gist (tenant_id WITH =, premises_id WITH =, daterange(starts, ends) WITH &&) WHERE (role = 'payer'),
    CONSTRAINT same_relation_once EXCLUDE USING gist (tenant_id WITH =, premises_id WITH =, party_id WITH =, role WITH =, daterange(starts, ends) WITH &&),
    CONSTRAINT ck_party_premises_role CHECK (role IN ('owner', 'tenant', 'payer', 'member'))
);

CREATE INDEX ix_party_premises_premises ON party_premises (tenant_id, community_id, premises_id, starts);

CREATE INDEX ix_party_premises_party ON party_premises (tenant_id, party_id);

CREATE TABLE space (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    premises_id UUID NOT NULL,
    lot TEXT NOT NULL,
    CONSTRAINT pk_space PRIMARY KEY (tenant_id, community_id, premises_id),
    CONSTRAINT fk_space_tenant_id_community_id_premises_id_premises FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id)
);

CREATE TABLE meter_installation (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    installation_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    premises_id UUID,
    parent_meter_id UUID,
    starts DATE NOT NULL,
    ends DATE,
    CONSTRAINT pk_meter_installation PRIMARY KEY (tenant_id, community_id, installation_id),
    CONSTRAINT fk_meter_installation_tenant_id_meter_id_meter FOREIGN KEY(tenant_id, meter_id) REFERENCES meter (tenant_id, meter_id),
    CONSTRAINT fk_meter_installation_tenant_id_parent_meter_id_meter FOREIGN KEY(tenant_id, parent_meter_id) REFERENCES meter (tenant_id, meter_id),
    CONSTRAINT fk_meter_installation_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT fk_meter_installation_tenant_id_community_id_premises_i_6478 FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id),
    CONSTRAINT ck_meter_installation_ends_after_start CHECK (ends is null or ends > starts),
    CONSTRAINT ck_meter_installation_not_its_own_parent CHECK (parent_meter_id is null or parent_meter_id <> meter_id),
    CONSTRAINT one_place EXCLUDE USING gist (tenant_id WITH =, meter_id WITH =, daterange(starts, ends) WITH &&)
);

CREATE INDEX ix_meter_installation_premises ON meter_installation (tenant_id, community_id, premises_id);

CREATE TABLE role_grant (
    tenant_id UUID NOT NULL,
    grant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role VARCHAR(32) NOT NULL,
    community_id UUID,
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_role_grant PRIMARY KEY (tenant_id, grant_id),
    CONSTRAINT fk_role_grant_tenant_id_user_id_app_user FOREIGN KEY(tenant_id, user_id) REFERENCES app_user (tenant_id, user_id),
    CONSTRAINT fk_role_grant_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_role_grant_rolename CHECK (role IN ('manager', 'cashier', 'technician', 'resident'))
);

CREATE UNIQUE INDEX uq_role_grant_in_force ON role_grant (tenant_id, user_id, role, community_id) NULLS NOT DISTINCT WHERE withdrawn_at is null;

CREATE TABLE user_session (
    tenant_id UUID NOT NULL,
    session_id UUID NOT NULL,
    user_id UUID NOT NULL,
    secret_sha BYTEA NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_user_session PRIMARY KEY (tenant_id, session_id),
    CONSTRAINT fk_user_session_tenant_id_user_id_app_user FOREIGN KEY(tenant_id, user_id) REFERENCES app_user (tenant_id, user_id)
);

CREATE INDEX ix_user_session_user ON user_session (tenant_id, user_id);

CREATE TABLE sign_in_code (
    tenant_id UUID NOT NULL,
    code_id UUID NOT NULL,
    user_id UUID NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sign_in_code PRIMARY KEY (tenant_id, code_id),
    CONSTRAINT fk_sign_in_code_tenant_id_user_id_app_user FOREIGN KEY(tenant_id, user_id) REFERENCES app_user (tenant_id, user_id)
);

CREATE TABLE external_identity (
    tenant_id UUID NOT NULL,
    provider TEXT NOT NULL,
    subject_sha BYTEA NOT NULL,
    user_id UUID NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_external_identity PRIMARY KEY (tenant_id, provider, subject_sha),
    CONSTRAINT fk_external_identity_tenant_id_user_id_app_user FOREIGN KEY(tenant_id, user_id) REFERENCES app_user (tenant_id, user_id)
);

CREATE TABLE personal_item (
    tenant_id UUID NOT NULL,
    gateway_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    place BIGINT NOT NULL,
    item_id UUID NOT NULL,
    retention TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    body BYTEA,
    CONSTRAINT pk_personal_item PRIMARY KEY (tenant_id, gateway_id, epoch, sequence, place),
    CONSTRAINT fk_personal_item_tenant_id_gateway_id_epoch_sequence_ga_6403 FOREIGN KEY(tenant_id, gateway_id, epoch, sequence) REFERENCES gateway_batch (tenant_id, gateway_id, epoch, sequence)
);

CREATE INDEX ix_personal_item_item ON personal_item (tenant_id, item_id);

CREATE INDEX ix_personal_item_expiry ON personal_item (tenant_id, retention, received_at) WHERE body is not null;

CREATE TABLE parking_permit (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    permit_id UUID NOT NULL,
    plate_sha TEXT NOT NULL,
    vehicle_class VARCHAR(32) NOT NULL,
    premises_id UUID,
    charge_to_account BOOLEAN NOT NULL,
    lots JSONB NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_parking_permit PRIMARY KEY (tenant_id, community_id, permit_id),
    CONSTRAINT ck_parking_permit_validity CHECK (valid_from < valid_to),
    CONSTRAINT ck_parking_permit_account_has_premises CHECK (charge_to_account <= (premises_id is not null)),
    CONSTRAINT ck_parking_permit_sha CHECK (length(plate_sha) = 64),
    CONSTRAINT fk_parking_permit_tenant_id_community_id_premises_id_premises FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id),
    CONSTRAINT ck_parking_permit_vehicleclass CHECK (vehicle_class IN ('temporary', 'monthly', 'vip', 'visitor', 'blacklisted'))
);

CREATE INDEX ix_parking_permit_plate ON parking_permit (tenant_id, community_id, plate_sha);

CREATE TABLE cash_payout (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    payout_id UUID NOT NULL,
    cash_shift_id UUID NOT NULL,
    amount_fen BIGINT NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_cash_payout PRIMARY KEY (tenant_id, community_id, payout_id),
    CONSTRAINT fk_cash_payout_tenant_id_community_id_cash_shift_id_cash_shift FOREIGN KEY(tenant_id, community_id, cash_shift_id) REFERENCES cash_shift (tenant_id, community_id, cash_shift_id),
    CONSTRAINT ck_cash_payout_amount_positive CHECK (amount_fen > 0)
);

CREATE INDEX ix_cash_payout_shift ON cash_payout (tenant_id, cash_shift_id);

CREATE TABLE statement_line (
    tenant_id UUID NOT NULL,
    statement_id UUID NOT NULL,
    line BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    number TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    fen BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    fee_millifen BIGINT NOT NULL,
    CONSTRAINT pk_statement_line PRIMARY KEY (tenant_id, statement_id, line),
    CONSTRAINT fk_statement_line_tenant_id_statement_id_statement_file FOREIGN KEY(tenant_id, statement_id) REFERENCES statement_file (tenant_id, statement_id),
    CONSTRAINT ck_statement_line_entrykind CHECK (kind IN ('payment', 'refund'))
);

CREATE INDEX ix_statement_line_number ON statement_line (tenant_id, number);

CREATE TABLE recon_break (
    tenant_id UUID NOT NULL,
    break_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    day DATE NOT NULL,
    statement_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    entry_kind VARCHAR(32) NOT NULL,
    number TEXT NOT NULL,
    book_fen BIGINT,
    channel_fen BIGINT,
    object_id UUID,
    case_id UUID NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by UUID,
    closing TEXT,
    CONSTRAINT pk_recon_break PRIMARY KEY (tenant_id, break_id),
    CONSTRAINT fk_recon_break_tenant_id_merchant_account_id_merchant_account FOREIGN KEY(tenant_id, merchant_account_id) REFERENCES merchant_account (tenant_id, merchant_account_id),
    CONSTRAINT fk_recon_break_tenant_id_statement_id_statement_file FOREIGN KEY(tenant_id, statement_id) REFERENCES statement_file (tenant_id, statement_id),
    CONSTRAINT fk_recon_break_tenant_id_case_id_open_case FOREIGN KEY(tenant_id, case_id) REFERENCES open_case (tenant_id, case_id),
    CONSTRAINT ck_recon_break_one_side_at_least CHECK (book_fen is not null or channel_fen is not null),
    CONSTRAINT ck_recon_break_closed_says_why CHECK ((closed_at is null) = (closing is null)),
    CONSTRAINT ck_recon_break_breakclass CHECK (kind IN ('lost_notification', 'channel_only', 'book_only', 'amount_differs', 'state_differs', 'doubled_row')),
    CONSTRAINT ck_recon_break_entrykind CHECK (entry_kind IN ('payment', 'refund'))
);

CREATE INDEX ix_recon_break_day ON recon_break (tenant_id, merchant_account_id, day);

CREATE UNIQUE INDEX uq_recon_break_open ON recon_break (tenant_id, merchant_account_id, kind, entry_kind, number) WHERE closed_at is null;

CREATE TABLE recon_day (
    tenant_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    day DATE NOT NULL,
    statement_id UUID NOT NULL,
    compared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    book_rows BIGINT NOT NULL,
    book_fen BIGINT NOT NULL,
    channel_rows BIGINT NOT NULL,
    channel_fen BIGINT NOT NULL,
    matched_rows BIGINT NOT NULL,
    matched_fen BIGINT NOT NULL,
    waiting_rows BIGINT NOT NULL,
    waiting_fen BIGINT NOT NULL,
    open_breaks BIGINT NOT NULL,
    open_fen BIGINT NOT NULL,
    explained_basis_points BIGINT NOT NULL,
    CONSTRAINT pk_recon_day PRIMARY KEY (tenant_id, merchant_account_id, day),
    CONSTRAINT fk_recon_day_tenant_id_merchant_account_id_merchant_account FOREIGN KEY(tenant_id, merchant_account_id) REFERENCES merchant_account (tenant_id, merchant_account_id),
    CONSTRAINT fk_recon_day_tenant_id_statement_id_statement_file FOREIGN KEY(tenant_id, statement_id) REFERENCES statement_file (tenant_id, statement_id),
    CONSTRAINT ck_recon_day_explained_is_a_share CHECK (explained_basis_points between 0 and 10000),
    CONSTRAINT ck_recon_day_whole_only_when_nothing_is_open CHECK ((explained_basis_points = 10000) = (open_breaks = 0))
);

CREATE TABLE obligation (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    cycle TEXT NOT NULL,
    period_start DATE NOT NULL,
    account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL,
    premises_id UUID NOT NULL,
    state TEXT NOT NULL,
    bill_id UUID,
    reason TEXT,
    CONSTRAINT pk_obligation PRIMARY KEY (tenant_id, community_id, cycle, period_start, account_id, kind, seq),
    CONSTRAINT fk_obligation_tenant_id_community_id_cycle_period_start_cc6e FOREIGN KEY(tenant_id, community_id, cycle, period_start) REFERENCES billing_period (tenant_id, community_id, cycle, period_start),
    CONSTRAINT fk_obligation_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT ck_obligation_state_known CHECK (state in ('due', 'issued', 'waived')),
    CONSTRAINT ck_obligation_issued_names_bill CHECK ((state = 'issued') = (bill_id is not null)),
    CONSTRAINT ck_obligation_waived_says_why CHECK ((state = 'waived') = (reason is not null))
);

CREATE INDEX ix_obligation_due ON obligation (tenant_id, community_id, cycle, period_start, premises_id, account_id) WHERE state = 'due';

CREATE TABLE bill (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    bill_id UUID NOT NULL,
    account_id UUID NOT NULL,
    cycle TEXT NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    kind TEXT NOT NULL,
    seq BIGINT NOT NULL,
    number TEXT NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    issued_on DATE NOT NULL,
    due_on DATE NOT NULL,
    currency TEXT NOT NULL,
    total_fen BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    document_sha BYTEA NOT NULL,
    case_id UUID,
    CONSTRAINT pk_bill PRIMARY KEY (tenant_id, community_id, bill_id),
    CONSTRAINT uq_bill_tenant_id_community_id_account_id_cycle_period__801e UNIQUE (tenant_id, community_id, account_id, cycle, period_start, kind, seq),
    CONSTRAINT uq_bill_tenant_id_number UNIQUE (tenant_id, number),
    CONSTRAINT fk_bill_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_bill_tenant_id_community_id_cycle_period_start_billi_38e3 FOREIGN KEY(tenant_id, community_id, cycle, period_start) REFERENCES billing_period (tenant_id, community_id, cycle, period_start),
    CONSTRAINT fk_bill_tenant_id_community_id_case_id_correction_case FOREIGN KEY(tenant_id, community_id, case_id) REFERENCES correction_case (tenant_id, community_id, case_id),
    CONSTRAINT ck_bill_has_lines CHECK (line_count > 0),
    CONSTRAINT ck_bill_adjustment_names_case CHECK ((kind = 'adjustment') = (case_id is not null))
);

CREATE INDEX ix_bill_account ON bill (tenant_id, account_id, issued_at);

CREATE UNIQUE INDEX uq_bill_case ON bill (tenant_id, community_id, case_id, account_id) WHERE case_id is not null;

CREATE TABLE contract_term (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    term_no BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    charge_item_id UUID NOT NULL,
    start_on DATE NOT NULL,
    end_on DATE NOT NULL,
    every VARCHAR(32) NOT NULL,
    amount_fen BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contract_term PRIMARY KEY (tenant_id, community_id, contract_id, term_no, rev),
    CONSTRAINT ck_contract_term_dates CHECK (start_on < end_on),
    CONSTRAINT ck_contract_term_amount CHECK (amount_fen >= 0),
    CONSTRAINT fk_contract_term_tenant_id_community_id_contract_id_contract FOREIGN KEY(tenant_id, community_id, contract_id) REFERENCES contract (tenant_id, community_id, contract_id),
    CONSTRAINT fk_contract_term_tenant_id_community_id_charge_item_id__59ee FOREIGN KEY(tenant_id, community_id, charge_item_id) REFERENCES charge_item (tenant_id, community_id, charge_item_id),
    CONSTRAINT ck_contract_term_every CHECK (every IN ('month', 'quarter', 'year'))
);

CREATE TABLE space_allocation (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    allocation_id UUID NOT NULL,
    premises_id UUID NOT NULL,
    party_id UUID NOT NULL,
    basis VARCHAR(32) NOT NULL,
    starts DATE NOT NULL,
    ends DATE,
    CONSTRAINT pk_space_allocation PRIMARY KEY (tenant_id, community_id, allocation_id),
    CONSTRAINT fk_space_allocation_tenant_id_community_id_premises_id_space FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES space (tenant_id, community_id, premises_id),
    CONSTRAINT fk_space_allocation_tenant_id_party_id_party FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_space_allocation_ends_after_start CHECK (ends is null or ends > starts),
    CONSTRAINT one_user EXCLUDE USING gist (tenant_id WITH =, premises_id WITH =, daterange(starts, ends) WITH &&),
    CONSTRAINT ck_space_allocation_allocationbasis CHECK (basis IN ('owned', 'leased', 'assigned'))
);

CREATE TABLE payment_intent (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    intent_id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    bill_ids JSONB NOT NULL,
    amount_fen BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_payment_intent PRIMARY KEY (tenant_id, community_id, intent_id),
    CONSTRAINT fk_payment_intent_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT uq_payment_intent_book UNIQUE (tenant_id, community_id, intent_id, legal_entity_id, fund_class),
    CONSTRAINT ck_payment_intent_amount_positive CHECK (amount_fen > 0),
    CONSTRAINT ck_payment_intent_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income'))
);

CREATE INDEX ix_payment_intent_account ON payment_intent (tenant_id, account_id);

CREATE TABLE match (
    tenant_id UUID NOT NULL,
    statement_id UUID NOT NULL,
    line BIGINT NOT NULL,
    object_id UUID NOT NULL,
    matched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_match PRIMARY KEY (tenant_id, statement_id, line),
    CONSTRAINT fk_match_tenant_id_statement_id_line_statement_line FOREIGN KEY(tenant_id, statement_id, line) REFERENCES statement_line (tenant_id, statement_id, line),
    CONSTRAINT uq_match_tenant_id_statement_id_object_id UNIQUE (tenant_id, statement_id, object_id)
);

CREATE INDEX ix_match_object ON match (tenant_id, object_id);

CREATE TABLE bill_line (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    bill_id UUID NOT NULL,
    n BIGINT NOT NULL,
    charge_item_id UUID NOT NULL,
    subject TEXT NOT NULL,
    service_start DATE NOT NULL,
    service_end DATE NOT NULL,
    component TEXT NOT NULL,
    charge_code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    basis TEXT NOT NULL,
    nature TEXT NOT NULL,
    fund_class TEXT NOT NULL,
    legal_entity_id UUID NOT NULL,
    tax_code TEXT NOT NULL,
    tax_rate_micro BIGINT NOT NULL,
    bears_late_charge BOOLEAN NOT NULL,
    quantity_milli BIGINT,
    price_micro BIGINT,
    fen BIGINT NOT NULL,
    net_fen BIGINT NOT NULL,
    tax_fen BIGINT NOT NULL,
    tariff_id UUID NOT NULL,
    tariff_code TEXT NOT NULL,
    effective_from DATE NOT NULL,
    rev BIGINT NOT NULL,
    tariff_sha TEXT NOT NULL,
    input_sha TEXT NOT NULL,
    estimated BOOLEAN NOT NULL,
    corrects_bill_id UUID,
    corrects_n BIGINT,
    trace JSONB NOT NULL,
    CONSTRAINT pk_bill_line PRIMARY KEY (tenant_id, community_id, bill_id, n),
    CONSTRAINT fk_bill_line_tenant_id_community_id_bill_id_bill FOREIGN KEY(tenant_id, community_id, bill_id) REFERENCES bill (tenant_id, community_id, bill_id),
    CONSTRAINT fk_bill_line_corrects FOREIGN KEY(tenant_id, community_id, corrects_bill_id, corrects_n) REFERENCES bill_line (tenant_id, community_id, bill_id, n),
    CONSTRAINT ck_bill_line_number_positive CHECK (n > 0),
    CONSTRAINT ck_bill_line_service CHECK (service_start < service_end),
    CONSTRAINT ck_bill_line_net_and_tax CHECK (fen = net_fen + tax_fen),
    CONSTRAINT ck_bill_line_nature_known CHECK (nature in ('revenue', 'agency', 'liability')),
    CONSTRAINT ck_bill_line_corrects_whole CHECK ((corrects_bill_id is null) = (corrects_n is null)),
    CONSTRAINT ck_bill_line_credit_names_line CHECK (fen >= 0 or corrects_bill_id is not null)
);

CREATE INDEX ix_bill_line_charge ON bill_line (tenant_id, community_id, charge_item_id, service_start);

create function refuse_line_of_standing_bill() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
    begin
        if exists (
            select from written l join bill b
                on b.tenant_id = l.tenant_id and b.community_id = l.community_id and b.bill_id = l.bill_id
             where b.xmin <> pg_current_xact_id()::xid
        ) then
            raise exception 'an issued bill takes no further line; correct it by an adjustment'
                using errcode = 'restrict_violation';
        end if;
        return null;
    end $$;
    create trigger line_with_its_bill after insert on bill_line referencing new table as written
        for each statement execute function refuse_line_of_standing_bill();

CREATE TABLE payment_attempt (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    attempt_id UUID NOT NULL,
    intent_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    order_number TEXT NOT NULL,
    amount_fen BIGINT NOT NULL,
    currency TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    code_url TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked BIGINT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE,
    detail TEXT NOT NULL,
    CONSTRAINT pk_payment_attempt PRIMARY KEY (tenant_id, community_id, attempt_id),
    CONSTRAINT fk_payment_attempt_intent FOREIGN KEY(tenant_id, community_id, intent_id, legal_entity_id, fund_class) REFERENCES payment_intent (tenant_id, community_id, intent_id, legal_entity_id, fund_class),
    CONSTRAINT fk_payment_attempt_merchant_account FOREIGN KEY(tenant_id, merchant_account_id, legal_entity_id, fund_class) REFERENCES merchant_account (tenant_id, merchant_account_id, legal_entity_id, fund_class),
    CONSTRAINT uq_payment_attempt_tenant_id_order_number UNIQUE (tenant_id, order_number),
    CONSTRAINT ck_payment_attempt_amount_positive CHECK (amount_fen > 0),
    CONSTRAINT ck_payment_attempt_sent_has_code CHECK (state <> 'sent' or code_url is not null),
    CONSTRAINT ck_payment_attempt_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income')),
    CONSTRAINT ck_payment_attempt_attemptstate CHECK (state IN ('created', 'sent', 'unknown', 'paid', 'closed', 'failed', 'disputed'))
);

CREATE INDEX ix_payment_attempt_intent ON payment_attempt (tenant_id, intent_id);

CREATE INDEX ix_payment_attempt_open ON payment_attempt (tenant_id, expires_at) WHERE state in ('created', 'sent', 'unknown');

CREATE TABLE pay_link (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    link_id UUID NOT NULL,
    token TEXT NOT NULL,
    account_id UUID NOT NULL,
    bill_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_pay_link PRIMARY KEY (tenant_id, community_id, link_id),
    CONSTRAINT fk_pay_link_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_pay_link_tenant_id_community_id_bill_id_bill FOREIGN KEY(tenant_id, community_id, bill_id) REFERENCES bill (tenant_id, community_id, bill_id),
    CONSTRAINT ck_pay_link_token_long_enough CHECK (length(token) >= 22)
);

CREATE UNIQUE INDEX uq_pay_link_bill ON pay_link (tenant_id, community_id, bill_id) WHERE revoked_at is null;

CREATE TABLE payment (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    channel VARCHAR(32) NOT NULL,
    amount_fen BIGINT NOT NULL,
    ahead_fen BIGINT NOT NULL,
    currency TEXT NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE NOT NULL,
    booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    number TEXT NOT NULL,
    journal_id UUID NOT NULL,
    merchant_account_id UUID,
    attempt_id UUID,
    order_number TEXT,
    transaction_id TEXT,
    cash_shift_id UUID,
    tendered_fen BIGINT,
    CONSTRAINT pk_payment PRIMARY KEY (tenant_id, community_id, payment_id),
    CONSTRAINT fk_payment_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_payment_merchant_account FOREIGN KEY(tenant_id, merchant_account_id, legal_entity_id, fund_class) REFERENCES merchant_account (tenant_id, merchant_account_id, legal_entity_id, fund_class),
    CONSTRAINT fk_payment_tenant_id_community_id_attempt_id_payment_attempt FOREIGN KEY(tenant_id, community_id, attempt_id) REFERENCES payment_attempt (tenant_id, community_id, attempt_id),
    CONSTRAINT fk_payment_tenant_id_community_id_cash_shift_id_cash_shift FOREIGN KEY(tenant_id, community_id, cash_shift_id) REFERENCES cash_shift (tenant_id, community_id, cash_shift_id),
    CONSTRAINT uq_payment_transaction UNIQUE (tenant_id, merchant_account_id, transaction_id),
    CONSTRAINT uq_payment_tenant_id_attempt_id UNIQUE (tenant_id, attempt_id),
    CONSTRAINT uq_payment_tenant_id_number UNIQUE (tenant_id, number),
    CONSTRAINT ck_payment_amounts CHECK (amount_fen > 0 and ahead_fen between 0 and amount_fen),
    CONSTRAINT ck_payment_cash_names_shift CHECK ((channel = 'cash') = (cash_shift_id is not null)),
    CONSTRAINT ck_payment_online_names_order CHECK ((channel <> 'cash') = (attempt_id is not null and transaction_id is not null and merchant_account_id is not null and order_number is not null)),
    CONSTRAINT ck_payment_tendered_enough CHECK (tendered_fen is null or tendered_fen >= amount_fen),
    CONSTRAINT ck_payment_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income')),
    CONSTRAINT ck_payment_channel CHECK (channel IN ('wechat', 'cash'))
);

CREATE INDEX ix_payment_order ON payment (tenant_id, merchant_account_id, order_number);

CREATE INDEX ix_payment_day ON payment (tenant_id, merchant_account_id, paid_at);

CREATE INDEX ix_payment_account ON payment (tenant_id, account_id, paid_at);

CREATE TABLE deposit (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    deposit_id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    contract_id UUID,
    purpose TEXT NOT NULL,
    amount_fen BIGINT NOT NULL,
    state VARCHAR(32) NOT NULL,
    objection_days BIGINT NOT NULL,
    instalments JSONB NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    payment_id UUID,
    held_at TIMESTAMP WITH TIME ZONE,
    deducted_fen BIGINT NOT NULL,
    returned_fen BIGINT NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_deposit PRIMARY KEY (tenant_id, community_id, deposit_id),
    CONSTRAINT fk_deposit_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_deposit_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT fk_deposit_tenant_id_community_id_contract_id_contract FOREIGN KEY(tenant_id, community_id, contract_id) REFERENCES contract (tenant_id, community_id, contract_id),
    CONSTRAINT fk_deposit_tenant_id_community_id_payment_id_payment FOREIGN KEY(tenant_id, community_id, payment_id) REFERENCES payment (tenant_id, community_id, payment_id),
    CONSTRAINT uq_deposit_tenant_id_payment_id UNIQUE (tenant_id, payment_id),
    CONSTRAINT ck_deposit_fund_is_deposit CHECK (fund_class = 'deposit'),
    CONSTRAINT ck_deposit_amount_positive CHECK (amount_fen > 0),
    CONSTRAINT ck_deposit_objection_days_not_negative CHECK (objection_days >= 0),
    CONSTRAINT ck_deposit_parts_within_amount CHECK (deducted_fen >= 0 and returned_fen >= 0 and deducted_fen + returned_fen <= amount_fen),
    CONSTRAINT ck_deposit_held_names_payment CHECK ((payment_id is null) = (held_at is null)),
    CONSTRAINT ck_deposit_held_is_paid CHECK (state in ('due', 'cancelled') or payment_id is not null),
    CONSTRAINT ck_deposit_closed_is_empty CHECK (state <> 'closed' or deducted_fen + returned_fen = amount_fen),
    CONSTRAINT ck_deposit_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income')),
    CONSTRAINT ck_deposit_depositkind CHECK (kind IN ('renovation', 'card', 'facility', 'lease', 'key')),
    CONSTRAINT ck_deposit_depositstate CHECK (state IN ('due', 'cancelled', 'held', 'released', 'closed'))
);

CREATE INDEX ix_deposit_account ON deposit (tenant_id, account_id);

CREATE INDEX ix_deposit_state ON deposit (tenant_id, community_id, state);

CREATE TABLE refund_room (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    captured_fen BIGINT NOT NULL,
    reserved_fen BIGINT NOT NULL,
    refunded_fen BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    CONSTRAINT pk_refund_room PRIMARY KEY (tenant_id, community_id, payment_id),
    CONSTRAINT fk_refund_room_tenant_id_community_id_payment_id_payment FOREIGN KEY(tenant_id, community_id, payment_id) REFERENCES payment (tenant_id, community_id, payment_id),
    CONSTRAINT ck_refund_room_sums_not_negative CHECK (reserved_fen >= 0 and refunded_fen >= 0),
    CONSTRAINT ck_refund_room_refunds_within_payment CHECK (reserved_fen + refunded_fen <= captured_fen)
);

CREATE TABLE refund (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    refund_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    source VARCHAR(32) NOT NULL,
    source_id UUID NOT NULL,
    route VARCHAR(32) NOT NULL,
    amount_fen BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    refund_number TEXT NOT NULL,
    merchant_account_id UUID,
    order_number TEXT,
    order_total_fen BIGINT NOT NULL,
    cash_box_id UUID,
    persons_needed BIGINT NOT NULL,
    doubts JSONB NOT NULL,
    reopened JSONB NOT NULL,
    requested_by UUID NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approved_by UUID,
    approved_at TIMESTAMP WITH TIME ZONE,
    reservation_journal_id UUID,
    reservation_n BIGINT,
    submitted_at TIMESTAMP WITH TIME ZONE,
    accepted_at TIMESTAMP WITH TIME ZONE,
    arrived_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    channel_refund_id TEXT,
    cash_shift_id UUID,
    signed_as TEXT,
    asked BIGINT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE,
    detail TEXT NOT NULL,
    CONSTRAINT pk_refund PRIMARY KEY (tenant_id, community_id, refund_id),
    CONSTRAINT fk_refund_tenant_id_community_id_payment_id_payment FOREIGN KEY(tenant_id, community_id, payment_id) REFERENCES payment (tenant_id, community_id, payment_id),
    CONSTRAINT fk_refund_merchant_account FOREIGN KEY(tenant_id, merchant_account_id, legal_entity_id, fund_class) REFERENCES merchant_account (tenant_id, merchant_account_id, legal_entity_id, fund_class),
    CONSTRAINT fk_refund_tenant_id_community_id_cash_box_id_cash_box FOREIGN KEY(tenant_id, community_id, cash_box_id) REFERENCES cash_box (tenant_id, community_id, cash_box_id),
    CONSTRAINT fk_refund_tenant_id_community_id_cash_shift_id_cash_shift FOREIGN KEY(tenant_id, community_id, cash_shift_id) REFERENCES cash_shift (tenant_id, community_id, cash_shift_id),
    CONSTRAINT fk_refund_reservation_transfer FOREIGN KEY(tenant_id, community_id, reservation_journal_id, reservation_n) REFERENCES transfer (tenant_id, community_id, journal_id, n),
    CONSTRAINT uq_refund_tenant_id_refund_number UNIQUE (tenant_id, refund_number),
    CONSTRAINT ck_refund_amount_within_order CHECK (amount_fen > 0 and amount_fen <= order_total_fen),
    CONSTRAINT ck_refund_persons_bounded CHECK (persons_needed between 0 and 2),
    CONSTRAINT ck_refund_cash_names_box CHECK ((route = 'cash') = (cash_box_id is not null)),
    CONSTRAINT ck_refund_original_names_order CHECK (route = 'cash' or (merchant_account_id is not null and order_number is not null)),
    CONSTRAINT ck_refund_under_way_is_reserved CHECK (state not in ('reserved', 'submitted', 'accepted', 'arrived') or reservation_journal_id is not null),
    CONSTRAINT ck_refund_arrived_has_instant CHECK ((state = 'arrived') = (arrived_at is not null)),
    CONSTRAINT ck_refund_cash_is_signed CHECK (route <> 'cash' or state <> 'arrived' or (cash_shift_id is not null and signed_as <> '')),
    CONSTRAINT ck_refund_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income')),
    CONSTRAINT ck_refund_refundsource CHECK (source IN ('ahead', 'deposit')),
    CONSTRAINT ck_refund_refundroute CHECK (route IN ('original', 'cash')),
    CONSTRAINT ck_refund_refundstate CHECK (state IN ('requested', 'rejected', 'approved', 'reserved', 'submitted', 'accepted', 'arrived', 'failed'))
);

CREATE INDEX ix_refund_open ON refund (tenant_id, community_id, requested_at) WHERE state not in ('arrived', 'failed', 'rejected');

CREATE INDEX ix_refund_payment ON refund (tenant_id, payment_id);

CREATE INDEX ix_refund_day ON refund (tenant_id, merchant_account_id, arrived_at);

CREATE INDEX ix_refund_account ON refund (tenant_id, account_id, requested_at);

CREATE TABLE deposit_condition (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    deposit_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    on_day DATE,
    met_at TIMESTAMP WITH TIME ZONE,
    met_by UUID,
    evidence TEXT NOT NULL,
    CONSTRAINT pk_deposit_condition PRIMARY KEY (tenant_id, community_id, deposit_id, kind),
    CONSTRAINT fk_deposit_condition_tenant_id_community_id_deposit_id_deposit FOREIGN KEY(tenant_id, community_id, deposit_id) REFERENCES deposit (tenant_id, community_id, deposit_id),
    CONSTRAINT ck_deposit_condition_met_by_somebody CHECK ((met_at is null) = (met_by is null)),
    CONSTRAINT ck_deposit_condition_conditionkind CHECK (kind IN ('inspection_passed', 'lease_ended', 'card_returned', 'key_returned', 'facility_released'))
);

CREATE INDEX ix_deposit_condition_day ON deposit_condition (tenant_id, on_day) WHERE met_at is null and on_day is not null;

CREATE TABLE deposit_deduction (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    deduction_id UUID NOT NULL,
    deposit_id UUID NOT NULL,
    bill_id UUID NOT NULL,
    line_n BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    evidence_sha TEXT,
    state VARCHAR(32) NOT NULL,
    proposed_by UUID NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    objection_until TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    answer TEXT NOT NULL,
    decided_by UUID,
    decided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_deposit_deduction PRIMARY KEY (tenant_id, community_id, deduction_id),
    CONSTRAINT fk_deposit_deduction_tenant_id_community_id_deposit_id_deposit FOREIGN KEY(tenant_id, community_id, deposit_id) REFERENCES deposit (tenant_id, community_id, deposit_id),
    CONSTRAINT fk_deposit_deduction_tenant_id_community_id_bill_id_bill FOREIGN KEY(tenant_id, community_id, bill_id) REFERENCES bill (tenant_id, community_id, bill_id),
    CONSTRAINT ck_deposit_deduction_amount_positive CHECK (amount_fen > 0),
    CONSTRAINT ck_deposit_deduction_evidence_given CHECK (evidence <> ''),
    CONSTRAINT ck_deposit_deduction_decided_by_somebody CHECK (state not in ('applied', 'withdrawn') or decided_by is not null),
    CONSTRAINT ck_deposit_deduction_deductionstate CHECK (state IN ('proposed', 'agreed', 'disputed', 'applied', 'withdrawn'))
);

CREATE INDEX ix_deposit_deduction_deposit ON deposit_deduction (tenant_id, deposit_id);

CREATE TABLE deposit_return (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    return_id UUID NOT NULL,
    deposit_id UUID NOT NULL,
    n BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    due_on DATE NOT NULL,
    route VARCHAR(32) NOT NULL,
    cash_box_id UUID,
    state VARCHAR(32) NOT NULL,
    asked_by UUID NOT NULL,
    detail TEXT NOT NULL,
    CONSTRAINT pk_deposit_return PRIMARY KEY (tenant_id, community_id, return_id),
    CONSTRAINT fk_deposit_return_tenant_id_community_id_deposit_id_deposit FOREIGN KEY(tenant_id, community_id, deposit_id) REFERENCES deposit (tenant_id, community_id, deposit_id),
    CONSTRAINT ck_deposit_return_amount_positive CHECK (amount_fen > 0),
    CONSTRAINT ck_deposit_return_cash_names_box CHECK ((route = 'cash') = (cash_box_id is not null)),
    CONSTRAINT ck_deposit_return_returnroute CHECK (route IN ('original', 'cash')),
    CONSTRAINT ck_deposit_return_returnstate CHECK (state IN ('due', 'asked', 'accepted', 'arrived', 'failed', 'replaced'))
);

CREATE INDEX ix_deposit_return_deposit ON deposit_return (tenant_id, deposit_id);

CREATE INDEX ix_deposit_return_due ON deposit_return (tenant_id, due_on) WHERE state = 'due';

CREATE TABLE refund_verdict (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    refund_id UUID NOT NULL,
    person_id UUID NOT NULL,
    approves BOOLEAN NOT NULL,
    note TEXT NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_refund_verdict PRIMARY KEY (tenant_id, community_id, refund_id, person_id),
    CONSTRAINT fk_refund_verdict_tenant_id_community_id_refund_id_refund FOREIGN KEY(tenant_id, community_id, refund_id) REFERENCES refund (tenant_id, community_id, refund_id)
);

alter table "apportionment" enable row level security;

alter table "apportionment" force row level security;

create policy company on "apportionment" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "apportionment" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "apportionment" for each statement execute function refuse_change();

alter table "audit" enable row level security;

alter table "audit" force row level security;

create policy company on "audit" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "audit" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "audit" for each statement execute function refuse_change();

alter table "batch_watermark" enable row level security;

alter table "batch_watermark" force row level security;

create policy company on "batch_watermark" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "batch_watermark" to gatehouse_app, gatehouse_worker;

alter table "book" enable row level security;

alter table "book" force row level security;

create policy company on "book" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "book" to gatehouse_app, gatehouse_worker;

alter table "calendar_revision" enable row level security;

alter table "calendar_revision" force row level security;

create policy company on "calendar_revision" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "calendar_revision" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "calendar_revision" for each statement execute function refuse_change();

grant select on "fund_route" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "fund_route" for each statement execute function refuse_change();

alter table "inbox" enable row level security;

alter table "inbox" force row level security;

create policy company on "inbox" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "inbox" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "inbox" for each statement execute function refuse_change();

alter table "job" enable row level security;

alter table "job" force row level security;

create policy company on "job" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "job" to gatehouse_app, gatehouse_worker;

alter table "job_archive" enable row level security;

alter table "job_archive" force row level security;

create policy company on "job_archive" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "job_archive" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "job_archive" for each statement execute function refuse_change();

alter table "journal" enable row level security;

alter table "journal" force row level security;

create policy company on "journal" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "journal" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "journal" for each statement execute function refuse_change();

grant insert on "journal" to gatehouse_bulk;

create trigger same_company after insert on "journal" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "ledger_account" enable row level security;

alter table "ledger_account" force row level security;

create policy company on "ledger_account" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "ledger_account" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "ledger_account" for each statement execute function refuse_change();

alter table "meter_day_block" enable row level security;

alter table "meter_day_block" force row level security;

create policy company on "meter_day_block" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "meter_day_block" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "meter_day_block" for each statement execute function refuse_change();

grant insert on "meter_day_block" to gatehouse_bulk;

create trigger same_company after insert on "meter_day_block" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "meter_rollover" enable row level security;

alter table "meter_rollover" force row level security;

create policy company on "meter_rollover" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "meter_rollover" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "meter_rollover" for each statement execute function refuse_change();

alter table "number_series" enable row level security;

alter table "number_series" force row level security;

create policy company on "number_series" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "number_series" to gatehouse_app, gatehouse_worker;

alter table "open_case" enable row level security;

alter table "open_case" force row level security;

create policy company on "open_case" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "open_case" to gatehouse_app, gatehouse_worker;

alter table "outbox" enable row level security;

alter table "outbox" force row level security;

create policy company on "outbox" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "outbox" to gatehouse_app, gatehouse_worker;

alter table "provisional_line" enable row level security;

alter table "provisional_line" force row level security;

create policy company on "provisional_line" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "provisional_line" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "provisional_line" for each statement execute function refuse_change();

alter table "rating_input" enable row level security;

alter table "rating_input" force row level security;

create policy company on "rating_input" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "rating_input" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "rating_input" for each statement execute function refuse_change();

grant insert on "rating_input" to gatehouse_bulk;

create trigger same_company after insert on "rating_input" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "reading_gap" enable row level security;

alter table "reading_gap" force row level security;

create policy company on "reading_gap" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "reading_gap" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "reading_gap" for each statement execute function refuse_change();

alter table "reading_revision" enable row level security;

alter table "reading_revision" force row level security;

create policy company on "reading_revision" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "reading_revision" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "reading_revision" for each statement execute function refuse_change();

alter table "schedule" enable row level security;

alter table "schedule" force row level security;

create policy company on "schedule" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "schedule" to gatehouse_app, gatehouse_worker;

alter table "seal" enable row level security;

alter table "seal" force row level security;

create policy company on "seal" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "seal" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "seal" for each statement execute function refuse_change();

alter table "tenant" enable row level security;

alter table "tenant" force row level security;

create policy company on "tenant" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "tenant" to gatehouse_app, gatehouse_worker;

alter table "unpacked_batch" enable row level security;

alter table "unpacked_batch" force row level security;

create policy company on "unpacked_batch" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "unpacked_batch" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "unpacked_batch" for each statement execute function refuse_change();

alter table "usage_session" enable row level security;

alter table "usage_session" force row level security;

create policy company on "usage_session" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "usage_session" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "usage_session" for each statement execute function refuse_change();

alter table "balance" enable row level security;

alter table "balance" force row level security;

create policy company on "balance" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "balance" to gatehouse_app, gatehouse_worker;

alter table "case_event" enable row level security;

alter table "case_event" force row level security;

create policy company on "case_event" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "case_event" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "case_event" for each statement execute function refuse_change();

alter table "community" enable row level security;

alter table "community" force row level security;

create policy company on "community" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "community" to gatehouse_app, gatehouse_worker;

alter table "gateway" enable row level security;

alter table "gateway" force row level security;

create policy company on "gateway" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "gateway" to gatehouse_app, gatehouse_worker;

alter table "legal_entity" enable row level security;

alter table "legal_entity" force row level security;

create policy company on "legal_entity" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "legal_entity" to gatehouse_app, gatehouse_worker;

alter table "meter" enable row level security;

alter table "meter" force row level security;

create policy company on "meter" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "meter" to gatehouse_app, gatehouse_worker;

alter table "person" enable row level security;

alter table "person" force row level security;

create policy company on "person" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "person" to gatehouse_app, gatehouse_worker;

alter table "transfer" enable row level security;

alter table "transfer" force row level security;

create policy company on "transfer" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "transfer" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "transfer" for each statement execute function refuse_change();

grant insert on "transfer" to gatehouse_bulk;

create trigger same_company after insert on "transfer" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "usage_claim" enable row level security;

alter table "usage_claim" force row level security;

create policy company on "usage_claim" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "usage_claim" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "usage_claim" for each statement execute function refuse_change();

grant insert on "usage_claim" to gatehouse_bulk;

create trigger same_company after insert on "usage_claim" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "batch_refusal" enable row level security;

alter table "batch_refusal" force row level security;

create policy company on "batch_refusal" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "batch_refusal" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "batch_refusal" for each statement execute function refuse_change();

alter table "billing_period" enable row level security;

alter table "billing_period" force row level security;

create policy company on "billing_period" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "billing_period" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "billing_period" for each statement execute function refuse_change();

alter table "building" enable row level security;

alter table "building" force row level security;

create policy company on "building" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "building" to gatehouse_app, gatehouse_worker;

alter table "bundle_effect" enable row level security;

alter table "bundle_effect" force row level security;

create policy company on "bundle_effect" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "bundle_effect" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "bundle_effect" for each statement execute function refuse_change();

alter table "cash_box" enable row level security;

alter table "cash_box" force row level security;

create policy company on "cash_box" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "cash_box" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "cash_box" for each statement execute function refuse_change();

alter table "charge_item" enable row level security;

alter table "charge_item" force row level security;

create policy company on "charge_item" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "charge_item" to gatehouse_app, gatehouse_worker;

alter table "community_tenure" enable row level security;

alter table "community_tenure" force row level security;

create policy company on "community_tenure" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "community_tenure" to gatehouse_app, gatehouse_worker;

alter table "correction_case" enable row level security;

alter table "correction_case" force row level security;

create policy company on "correction_case" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "correction_case" to gatehouse_app, gatehouse_worker;

alter table "enrolment_code" enable row level security;

alter table "enrolment_code" force row level security;

create policy company on "enrolment_code" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "enrolment_code" to gatehouse_app, gatehouse_worker;

alter table "gateway_bundle" enable row level security;

alter table "gateway_bundle" force row level security;

create policy company on "gateway_bundle" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "gateway_bundle" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "gateway_bundle" for each statement execute function refuse_change();

alter table "gateway_health" enable row level security;

alter table "gateway_health" force row level security;

create policy company on "gateway_health" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "gateway_health" to gatehouse_app, gatehouse_worker;

alter table "gateway_key" enable row level security;

alter table "gateway_key" force row level security;

create policy company on "gateway_key" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "gateway_key" to gatehouse_app, gatehouse_worker;

alter table "merchant_account" enable row level security;

alter table "merchant_account" force row level security;

create policy company on "merchant_account" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "merchant_account" to gatehouse_app, gatehouse_worker;

alter table "parking_lot" enable row level security;

alter table "parking_lot" force row level security;

create policy company on "parking_lot" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "parking_lot" to gatehouse_app, gatehouse_worker;

alter table "party" enable row level security;

alter table "party" force row level security;

create policy company on "party" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "party" to gatehouse_app, gatehouse_worker;

alter table "refund_policy" enable row level security;

alter table "refund_policy" force row level security;

create policy company on "refund_policy" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "refund_policy" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "refund_policy" for each statement execute function refuse_change();

alter table "stream" enable row level security;

alter table "stream" force row level security;

create policy company on "stream" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "stream" to gatehouse_app, gatehouse_worker;

alter table "tariff" enable row level security;

alter table "tariff" force row level security;

create policy company on "tariff" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "tariff" to gatehouse_app, gatehouse_worker;

alter table "app_user" enable row level security;

alter table "app_user" force row level security;

create policy company on "app_user" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "app_user" to gatehouse_app, gatehouse_worker;

alter table "cash_shift" enable row level security;

alter table "cash_shift" force row level security;

create policy company on "cash_shift" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "cash_shift" to gatehouse_app, gatehouse_worker;

alter table "delegation" enable row level security;

alter table "delegation" force row level security;

create policy company on "delegation" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "delegation" to gatehouse_app, gatehouse_worker;

alter table "gateway_batch" enable row level security;

alter table "gateway_batch" force row level security;

create policy company on "gateway_batch" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "gateway_batch" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "gateway_batch" for each statement execute function refuse_change();

alter table "notification" enable row level security;

alter table "notification" force row level security;

create policy company on "notification" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "notification" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "notification" for each statement execute function refuse_change();

alter table "parking_event" enable row level security;

alter table "parking_event" force row level security;

create policy company on "parking_event" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "parking_event" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "parking_event" for each statement execute function refuse_change();

alter table "parking_session" enable row level security;

alter table "parking_session" force row level security;

create policy company on "parking_session" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "parking_session" to gatehouse_app, gatehouse_worker;

alter table "premises" enable row level security;

alter table "premises" force row level security;

create policy company on "premises" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "premises" to gatehouse_app, gatehouse_worker;

alter table "share_pool" enable row level security;

alter table "share_pool" force row level security;

create policy company on "share_pool" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "share_pool" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "share_pool" for each statement execute function refuse_change();

alter table "statement_file" enable row level security;

alter table "statement_file" force row level security;

create policy company on "statement_file" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "statement_file" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "statement_file" for each statement execute function refuse_change();

alter table "tariff_assignment" enable row level security;

alter table "tariff_assignment" force row level security;

create policy company on "tariff_assignment" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "tariff_assignment" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "tariff_assignment" for each statement execute function refuse_change();

alter table "tariff_revision" enable row level security;

alter table "tariff_revision" force row level security;

create policy company on "tariff_revision" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "tariff_revision" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "tariff_revision" for each statement execute function refuse_change();

alter table "account" enable row level security;

alter table "account" force row level security;

create policy company on "account" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "account" to gatehouse_app, gatehouse_worker;

alter table "cash_payout" enable row level security;

alter table "cash_payout" force row level security;

create policy company on "cash_payout" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "cash_payout" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "cash_payout" for each statement execute function refuse_change();

alter table "contract" enable row level security;

alter table "contract" force row level security;

create policy company on "contract" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "contract" to gatehouse_app, gatehouse_worker;

alter table "external_identity" enable row level security;

alter table "external_identity" force row level security;

create policy company on "external_identity" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "external_identity" to gatehouse_app, gatehouse_worker;

alter table "meter_installation" enable row level security;

alter table "meter_installation" force row level security;

create policy company on "meter_installation" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "meter_installation" to gatehouse_app, gatehouse_worker;

alter table "parking_permit" enable row level security;

alter table "parking_permit" force row level security;

create policy company on "parking_permit" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "parking_permit" to gatehouse_app, gatehouse_worker;

alter table "party_premises" enable row level security;

alter table "party_premises" force row level security;

create policy company on "party_premises" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "party_premises" to gatehouse_app, gatehouse_worker;

alter table "personal_item" enable row level security;

alter table "personal_item" force row level security;

create policy company on "personal_item" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "personal_item" to gatehouse_app, gatehouse_worker;

alter table "premises_fact" enable row level security;

alter table "premises_fact" force row level security;

create policy company on "premises_fact" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "premises_fact" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "premises_fact" for each statement execute function refuse_change();

alter table "recon_break" enable row level security;

alter table "recon_break" force row level security;

create policy company on "recon_break" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "recon_break" to gatehouse_app, gatehouse_worker;

alter table "recon_day" enable row level security;

alter table "recon_day" force row level security;

create policy company on "recon_day" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "recon_day" to gatehouse_app, gatehouse_worker;

alter table "role_grant" enable row level security;

alter table "role_grant" force row level security;

create policy company on "role_grant" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "role_grant" to gatehouse_app, gatehouse_worker;

alter table "sign_in_code" enable row level security;

alter table "sign_in_code" force row level security;

create policy company on "sign_in_code" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "sign_in_code" to gatehouse_app, gatehouse_worker;

alter table "space" enable row level security;

alter table "space" force row level security;

create policy company on "space" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "space" to gatehouse_app, gatehouse_worker;

alter table "statement_line" enable row level security;

alter table "statement_line" force row level security;

create policy company on "statement_line" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "statement_line" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "statement_line" for each statement execute function refuse_change();

grant insert on "statement_line" to gatehouse_bulk;

create trigger same_company after insert on "statement_line" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "user_session" enable row level security;

alter table "user_session" force row level security;

create policy company on "user_session" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "user_session" to gatehouse_app, gatehouse_worker;

alter table "bill" enable row level security;

alter table "bill" force row level security;

create policy company on "bill" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "bill" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "bill" for each statement execute function refuse_change();

grant insert on "bill" to gatehouse_bulk;

create trigger same_company after insert on "bill" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "contract_term" enable row level security;

alter table "contract_term" force row level security;

create policy company on "contract_term" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "contract_term" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "contract_term" for each statement execute function refuse_change();

alter table "match" enable row level security;

alter table "match" force row level security;

create policy company on "match" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "match" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "match" for each statement execute function refuse_change();

grant insert on "match" to gatehouse_bulk;

create trigger same_company after insert on "match" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "obligation" enable row level security;

alter table "obligation" force row level security;

create policy company on "obligation" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "obligation" to gatehouse_app, gatehouse_worker;

alter table "payment_intent" enable row level security;

alter table "payment_intent" force row level security;

create policy company on "payment_intent" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "payment_intent" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "payment_intent" for each statement execute function refuse_change();

alter table "space_allocation" enable row level security;

alter table "space_allocation" force row level security;

create policy company on "space_allocation" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "space_allocation" to gatehouse_app, gatehouse_worker;

alter table "bill_line" enable row level security;

alter table "bill_line" force row level security;

create policy company on "bill_line" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "bill_line" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "bill_line" for each statement execute function refuse_change();

grant insert on "bill_line" to gatehouse_bulk;

create trigger same_company after insert on "bill_line" referencing new table as loaded for each statement execute function refuse_foreign_rows();

alter table "pay_link" enable row level security;

alter table "pay_link" force row level security;

create policy company on "pay_link" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "pay_link" to gatehouse_app, gatehouse_worker;

alter table "payment_attempt" enable row level security;

alter table "payment_attempt" force row level security;

create policy company on "payment_attempt" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "payment_attempt" to gatehouse_app, gatehouse_worker;

alter table "payment" enable row level security;

alter table "payment" force row level security;

create policy company on "payment" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "payment" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "payment" for each statement execute function refuse_change();

alter table "deposit" enable row level security;

alter table "deposit" force row level security;

create policy company on "deposit" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "deposit" to gatehouse_app, gatehouse_worker;

alter table "refund" enable row level security;

alter table "refund" force row level security;

create policy company on "refund" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "refund" to gatehouse_app, gatehouse_worker;

alter table "refund_room" enable row level security;

alter table "refund_room" force row level security;

create policy company on "refund_room" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "refund_room" to gatehouse_app, gatehouse_worker;

alter table "deposit_condition" enable row level security;

alter table "deposit_condition" force row level security;

create policy company on "deposit_condition" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "deposit_condition" to gatehouse_app, gatehouse_worker;

alter table "deposit_deduction" enable row level security;

alter table "deposit_deduction" force row level security;

create policy company on "deposit_deduction" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "deposit_deduction" to gatehouse_app, gatehouse_worker;

alter table "deposit_return" enable row level security;

alter table "deposit_return" force row level security;

create policy company on "deposit_return" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "deposit_return" to gatehouse_app, gatehouse_worker;

alter table "refund_verdict" enable row level security;

alter table "refund_verdict" force row level security;

create policy company on "refund_verdict" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "refund_verdict" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "refund_verdict" for each statement execute function refuse_change();
