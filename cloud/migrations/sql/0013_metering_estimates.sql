-- Estimates of missing readings, and virtual meters.

CREATE TABLE estimate_rule (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    resource VARCHAR(32) NOT NULL,
    rev BIGINT NOT NULL,
    days_max BIGINT NOT NULL,
    decided_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_estimate_rule PRIMARY KEY (tenant_id, community_id, resource, rev),
    CONSTRAINT fk_estimate_rule_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_estimate_rule_rev CHECK (rev >= 1),
    CONSTRAINT ck_estimate_rule_days_max CHECK (days_max between 0 and 200),
    CONSTRAINT ck_estimate_rule_resource CHECK (resource IN ('electricity', 'water', 'hot_water', 'gas', 'heat'))
);

alter table "estimate_rule" enable row level security;
alter table "estimate_rule" force row level security;
create policy company on "estimate_rule" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "estimate_rule" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "estimate_rule" for each statement execute function refuse_change();

CREATE TABLE reading_estimate (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    meter_id UUID NOT NULL,
    quantity VARCHAR(32) NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    rev BIGINT NOT NULL,
    day DATE NOT NULL,
    method VARCHAR(32) NOT NULL,
    value_milli BIGINT NOT NULL,
    basis JSONB NOT NULL,
    reason TEXT NOT NULL,
    decided_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_reading_estimate PRIMARY KEY (tenant_id, community_id, meter_id, quantity, read_at, rev),
    CONSTRAINT fk_reading_estimate_tenant_id_community_id_meter_id_qua_6fa7 FOREIGN KEY(tenant_id, community_id, meter_id, quantity, read_at, rev) REFERENCES reading_revision (tenant_id, community_id, meter_id, quantity, read_at, rev),
    CONSTRAINT ck_reading_estimate_value CHECK (value_milli >= 0),
    CONSTRAINT ck_reading_estimate_reason CHECK (reason <> ''),
    CONSTRAINT ck_reading_estimate_quantity CHECK (quantity IN ('energy_forward', 'energy_reverse', 'energy_t1', 'energy_t2', 'energy_t3', 'energy_t4', 'volume', 'heat_energy', 'power', 'voltage', 'current', 'flow', 'temperature')),
    CONSTRAINT ck_reading_estimate_method CHECK (method IN ('between', 'year_before', 'recent', 'agreed'))
);

CREATE INDEX ix_reading_estimate_time ON reading_estimate (tenant_id, community_id, recorded_at);

alter table "reading_estimate" enable row level security;
alter table "reading_estimate" force row level security;
create policy company on "reading_estimate" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "reading_estimate" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "reading_estimate" for each statement execute function refuse_change();

CREATE TABLE virtual_meter (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    virtual_id UUID NOT NULL,
    effective_from DATE NOT NULL,
    rev BIGINT NOT NULL,
    name TEXT NOT NULL,
    resource VARCHAR(32) NOT NULL,
    plus JSONB NOT NULL,
    minus JSONB NOT NULL,
    decided_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_virtual_meter PRIMARY KEY (tenant_id, community_id, virtual_id, effective_from, rev),
    CONSTRAINT fk_virtual_meter_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_virtual_meter_rev CHECK (rev >= 1),
    CONSTRAINT ck_virtual_meter_name CHECK (name <> ''),
    CONSTRAINT ck_virtual_meter_resource CHECK (resource IN ('electricity', 'water', 'hot_water', 'gas', 'heat'))
);

alter table "virtual_meter" enable row level security;
alter table "virtual_meter" force row level security;
create policy company on "virtual_meter" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "virtual_meter" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "virtual_meter" for each statement execute function refuse_change();
