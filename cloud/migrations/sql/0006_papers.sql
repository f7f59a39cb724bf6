-- Documents, seals, notices and dunning.

CREATE TABLE paper (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    paper_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    subject_id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    number TEXT NOT NULL,
    token TEXT NOT NULL,
    template TEXT NOT NULL,
    template_sha BYTEA NOT NULL,
    font_sha BYTEA NOT NULL,
    sheet JSONB NOT NULL,
    missing_letters TEXT NOT NULL,
    pdf_sha BYTEA NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_paper PRIMARY KEY (tenant_id, community_id, paper_id),
    CONSTRAINT fk_paper_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_paper_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT uq_paper_tenant_id_kind_subject_id UNIQUE (tenant_id, kind, subject_id),
    CONSTRAINT uq_paper_tenant_id_token UNIQUE (tenant_id, token),
    CONSTRAINT ck_paper_token_long_enough CHECK (length(token) >= 22),
    CONSTRAINT ck_paper_sha256 CHECK (octet_length(pdf_sha) = 32 and octet_length(font_sha) = 32 and octet_length(template_sha) = 32),
    CONSTRAINT ck_paper_paperkind CHECK (kind IN ('bill', 'receipt', 'refund_voucher', 'deposit_voucher', 'move_out'))
);

CREATE INDEX ix_paper_account ON paper (tenant_id, account_id, issued_at);

alter table "paper" enable row level security;
alter table "paper" force row level security;
create policy company on "paper" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "paper" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "paper" for each statement execute function refuse_change();
CREATE TABLE seal_key (
    tenant_id UUID NOT NULL,
    seal_key_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    certificate BYTEA NOT NULL,
    certificate_sha BYTEA NOT NULL,
    private_key_sealed BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_seal_key PRIMARY KEY (tenant_id, seal_key_id),
    CONSTRAINT fk_seal_key_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT uq_seal_key_tenant_id_certificate_sha UNIQUE (tenant_id, certificate_sha),
    CONSTRAINT ck_seal_key_sha256 CHECK (octet_length(certificate_sha) = 32)
);

CREATE UNIQUE INDEX uq_seal_key_in_use ON seal_key (tenant_id, legal_entity_id) WHERE retired_at is null;

alter table "seal_key" enable row level security;
alter table "seal_key" force row level security;
create policy company on "seal_key" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "seal_key" to gatehouse_app, gatehouse_worker;
CREATE TABLE paper_seal (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    paper_id UUID NOT NULL,
    seal_key_id UUID NOT NULL,
    sealed_sha BYTEA NOT NULL,
    sealed_pdf BYTEA NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_paper_seal PRIMARY KEY (tenant_id, community_id, paper_id),
    CONSTRAINT fk_paper_seal_tenant_id_community_id_paper_id_paper FOREIGN KEY(tenant_id, community_id, paper_id) REFERENCES paper (tenant_id, community_id, paper_id),
    CONSTRAINT fk_paper_seal_tenant_id_seal_key_id_seal_key FOREIGN KEY(tenant_id, seal_key_id) REFERENCES seal_key (tenant_id, seal_key_id),
    CONSTRAINT ck_paper_seal_sha256 CHECK (octet_length(sealed_sha) = 32)
);

alter table "paper_seal" enable row level security;
alter table "paper_seal" force row level security;
create policy company on "paper_seal" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "paper_seal" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "paper_seal" for each statement execute function refuse_change();

CREATE TABLE notice_wish (
    tenant_id UUID NOT NULL,
    party_id UUID NOT NULL,
    language VARCHAR(32) NOT NULL,
    quiet_from TIME WITHOUT TIME ZONE NOT NULL,
    quiet_to TIME WITHOUT TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_notice_wish PRIMARY KEY (tenant_id, party_id),
    CONSTRAINT fk_notice_wish_tenant_id_party_id_party FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_notice_wish_language CHECK (language IN ('zh', 'en'))
);

alter table "notice_wish" enable row level security;
alter table "notice_wish" force row level security;
create policy company on "notice_wish" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "notice_wish" to gatehouse_app, gatehouse_worker;
CREATE TABLE notice (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    notice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    party_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    subject_id UUID NOT NULL,
    key TEXT NOT NULL,
    language VARCHAR(32) NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    channel TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tell_at TIMESTAMP WITH TIME ZONE NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_notice PRIMARY KEY (tenant_id, community_id, notice_id),
    CONSTRAINT fk_notice_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT uq_notice_tenant_id_key UNIQUE (tenant_id, key),
    CONSTRAINT ck_notice_told_has_time CHECK ((state = 'told') = (told_at is not null)),
    CONSTRAINT ck_notice_noticekind CHECK (kind IN ('due_soon', 'due_today', 'overdue', 'overdue_long', 'deduction')),
    CONSTRAINT ck_notice_language CHECK (language IN ('zh', 'en')),
    CONSTRAINT ck_notice_noticestate CHECK (state IN ('written', 'told', 'dropped'))
);

CREATE INDEX ix_notice_community ON notice (tenant_id, community_id, written_at);

CREATE INDEX ix_notice_party ON notice (tenant_id, party_id, written_at);

alter table "notice" enable row level security;
alter table "notice" force row level security;
create policy company on "notice" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "notice" to gatehouse_app, gatehouse_worker;
