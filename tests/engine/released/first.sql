-- A database as the first release made it, with something in every table. Nothing here is ever edited: it stands for
-- those that are in use. `test_upgrade.py` brings it up to date.

create table alembic_version (version_num varchar(32) not null constraint alembic_version_pkc primary key);
insert into alembic_version values ('0001');

CREATE TABLE attempt (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    contact_id BIGINT NOT NULL,
    number SMALLINT NOT NULL,
    trunk_id UUID NOT NULL,
    node_id INTEGER NOT NULL,
    phone TEXT COLLATE "C" NOT NULL,
    day DATE NOT NULL,
    state TEXT DEFAULT 'planned' NOT NULL,
    planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE,
    ringing_at TIMESTAMP WITH TIME ZONE,
    answered_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT,
    sip_code SMALLINT,
    q850 SMALLINT,
    announcement TEXT,
    timed_out BOOLEAN,
    hung_up_by TEXT,
    recording TEXT,
    CONSTRAINT attempt_pkey PRIMARY KEY (id),
    CONSTRAINT attempt_state_check CHECK (state in ('planned', 'answered', 'closed', 'withdrawn')),
    CONSTRAINT attempt_contact_id_number_key UNIQUE (contact_id, number)
);
CREATE INDEX attempt_account_idx ON attempt (account_id, planned_at desc, id desc);
CREATE INDEX attempt_campaign_idx ON attempt (campaign_id, planned_at desc, id desc);
CREATE INDEX attempt_open_idx ON attempt (node_id) WHERE state in ('planned', 'answered');
CREATE TABLE node (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    beat_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT node_pkey PRIMARY KEY (id)
)
 WITH (fillfactor = 20);
CREATE TABLE partner (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT partner_pkey PRIMARY KEY (id)
);
CREATE TABLE phone_day (
    account_id UUID NOT NULL,
    day DATE NOT NULL,
    phone TEXT COLLATE "C" NOT NULL,
    calls SMALLINT NOT NULL,
    CONSTRAINT phone_day_pkey PRIMARY KEY (account_id, day, phone)
);
CREATE TABLE queue (
    contact_id BIGINT NOT NULL,
    campaign_id UUID NOT NULL,
    lane SMALLINT NOT NULL,
    rank BIGINT NOT NULL,
    node_id INTEGER,
    CONSTRAINT queue_pkey PRIMARY KEY (contact_id)
)
 WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
CREATE INDEX queue_claimed_idx ON queue (campaign_id, node_id) WHERE node_id is not null;
CREATE INDEX queue_due_idx ON queue (campaign_id, lane, rank) WHERE node_id is null;
CREATE TABLE trunk (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER DEFAULT '5060' NOT NULL,
    username TEXT,
    password TEXT,
    register BOOLEAN DEFAULT 'false' NOT NULL,
    caller_id TEXT,
    channels_max INTEGER NOT NULL,
    cps_max DOUBLE PRECISION NOT NULL,
    is_up BOOLEAN DEFAULT 'false' NOT NULL,
    status_detail TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT trunk_pkey PRIMARY KEY (id),
    CONSTRAINT trunk_limits_check CHECK (channels_max >= 0 and cps_max > 0)
);
CREATE TABLE turn (
    attempt_id UUID NOT NULL,
    sequence SMALLINT NOT NULL,
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    dtmf TEXT,
    at_ms INTEGER NOT NULL,
    CONSTRAINT turn_pkey PRIMARY KEY (attempt_id, sequence),
    CONSTRAINT turn_speaker_check CHECK (speaker in ('agent', 'callee'))
);
CREATE TABLE account (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    partner_id UUID NOT NULL,
    parent_id UUID,
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    callback_url TEXT,
    daily_cap INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_parent_id_fkey FOREIGN KEY(parent_id) REFERENCES account (id),
    CONSTRAINT account_partner_id_fkey FOREIGN KEY(partner_id) REFERENCES partner (id)
);
CREATE INDEX account_parent_id_idx ON account (parent_id);
CREATE INDEX account_partner_id_idx ON account (partner_id);
CREATE TABLE capacity_lease (
    resource TEXT COLLATE "C" NOT NULL,
    node_id INTEGER NOT NULL,
    sequence BIGINT NOT NULL,
    channels INTEGER NOT NULL,
    cps DOUBLE PRECISION NOT NULL,
    cps_before DOUBLE PRECISION DEFAULT '0' NOT NULL,
    cps_before_until TIMESTAMP WITH TIME ZONE NOT NULL,
    in_use INTEGER NOT NULL,
    want INTEGER NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reclaim_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT capacity_lease_pkey PRIMARY KEY (resource, node_id),
    CONSTRAINT capacity_lease_sizes_check CHECK (channels >= 0 and cps >= 0),
    CONSTRAINT capacity_lease_node_id_fkey FOREIGN KEY(node_id) REFERENCES node (id)
)
 WITH (fillfactor = 40);
CREATE INDEX capacity_lease_node_id_idx ON capacity_lease (node_id);
CREATE TABLE agent (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    is_default BOOLEAN DEFAULT 'false' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT agent_pkey PRIMARY KEY (id),
    CONSTRAINT agent_kind_check CHECK (kind in ('script', 'script_v2', 'llm')),
    CONSTRAINT agent_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX agent_account_id_idx ON agent (account_id);
CREATE TABLE background_sound (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT background_sound_pkey PRIMARY KEY (id),
    CONSTRAINT background_sound_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE TABLE callback (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID DEFAULT gen_random_uuid() NOT NULL,
    account_id UUID NOT NULL,
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    body JSONB NOT NULL,
    tries SMALLINT DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    given_up_at TIMESTAMP WITH TIME ZONE,
    last_answer TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT callback_pkey PRIMARY KEY (id),
    CONSTRAINT callback_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX callback_due_idx ON callback (due_at) WHERE delivered_at is null and given_up_at is null;
CREATE TABLE calling_hours (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    week JSONB NOT NULL,
    zone TEXT DEFAULT 'Asia/Shanghai' NOT NULL,
    is_default BOOLEAN DEFAULT 'false' NOT NULL,
    skip_holiday BOOLEAN DEFAULT 'false' NOT NULL,
    remark TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT calling_hours_pkey PRIMARY KEY (id),
    CONSTRAINT calling_hours_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX calling_hours_account_id_idx ON calling_hours (account_id);
CREATE TABLE do_not_call (
    account_id UUID NOT NULL,
    phone TEXT COLLATE "C" NOT NULL,
    source TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT do_not_call_pkey PRIMARY KEY (account_id, phone),
    CONSTRAINT do_not_call_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE TABLE retry_rule (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    remark TEXT,
    enabled BOOLEAN DEFAULT 'true' NOT NULL,
    is_default BOOLEAN DEFAULT 'false' NOT NULL,
    retries_max INTEGER DEFAULT '1' NOT NULL,
    delay_s JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT retry_rule_pkey PRIMARY KEY (id),
    CONSTRAINT retry_rule_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX retry_rule_account_id_idx ON retry_rule (account_id);
CREATE TABLE review_config (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    is_default BOOLEAN DEFAULT 'false' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT review_config_pkey PRIMARY KEY (id),
    CONSTRAINT review_config_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE TABLE seat_group (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    strategy SMALLINT DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT seat_group_pkey PRIMARY KEY (id),
    CONSTRAINT seat_group_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE TABLE token (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    partner_id UUID NOT NULL,
    account_id UUID,
    sha256 TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT token_pkey PRIMARY KEY (id),
    CONSTRAINT token_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
    CONSTRAINT token_partner_id_fkey FOREIGN KEY(partner_id) REFERENCES partner (id),
    CONSTRAINT token_sha256_key UNIQUE (sha256)
);
CREATE TABLE trunk_allocation (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    trunk_id UUID NOT NULL,
    account_id UUID NOT NULL,
    channels_max INTEGER NOT NULL,
    deadline_at TIMESTAMP WITH TIME ZONE,
    remark TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT trunk_allocation_pkey PRIMARY KEY (id),
    CONSTRAINT trunk_allocation_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
    CONSTRAINT trunk_allocation_trunk_id_fkey FOREIGN KEY(trunk_id) REFERENCES trunk (id),
    CONSTRAINT trunk_allocation_trunk_id_account_id_key UNIQUE (trunk_id, account_id)
);
CREATE INDEX trunk_allocation_account_id_idx ON trunk_allocation (account_id);
CREATE TABLE agent_version (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    agent_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    definition JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT agent_version_pkey PRIMARY KEY (id),
    CONSTRAINT agent_version_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agent (id),
    CONSTRAINT agent_version_agent_id_version_key UNIQUE (agent_id, version)
);
CREATE TABLE campaign (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    number INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id UUID NOT NULL,
    name TEXT NOT NULL,
    remark TEXT,
    origin TEXT NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    state TEXT DEFAULT 'ready' NOT NULL,
    pause_reason TEXT,
    phase TEXT,
    hold_reason TEXT,
    hold_until TIMESTAMP WITH TIME ZONE,
    agent_id INTEGER,
    agent_version INTEGER,
    calling_hours_id INTEGER,
    week JSONB,
    holidays JSONB DEFAULT '[]' NOT NULL,
    start_at TIMESTAMP WITH TIME ZONE,
    stop_at TIMESTAMP WITH TIME ZONE,
    retry_rule_id INTEGER,
    retry JSONB,
    channels_max INTEGER NOT NULL,
    pause_s INTEGER DEFAULT '0' NOT NULL,
    taking_order TEXT DEFAULT 'sequential' NOT NULL,
    order_seed BIGINT DEFAULT '0' NOT NULL,
    last_position INTEGER DEFAULT '0' NOT NULL,
    in_contact_zone BOOLEAN DEFAULT 'false' NOT NULL,
    ring_timeout_s INTEGER DEFAULT '60' NOT NULL,
    end_action TEXT DEFAULT 'none' NOT NULL,
    keeps_channels BOOLEAN DEFAULT 'false' NOT NULL,
    wire JSONB DEFAULT '{}' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT campaign_pkey PRIMARY KEY (id),
    CONSTRAINT campaign_state_check CHECK (state in ('draft', 'ready', 'running', 'paused', 'completed')),
    CONSTRAINT campaign_taking_order_check CHECK (taking_order in ('sequential', 'reverse', 'random')),
    CONSTRAINT campaign_channels_max_check CHECK (channels_max > 0),
    CONSTRAINT campaign_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
    CONSTRAINT campaign_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agent (id),
    CONSTRAINT campaign_calling_hours_id_fkey FOREIGN KEY(calling_hours_id) REFERENCES calling_hours (id),
    CONSTRAINT campaign_retry_rule_id_fkey FOREIGN KEY(retry_rule_id) REFERENCES retry_rule (id),
    CONSTRAINT campaign_number_key UNIQUE (number)
);
CREATE INDEX campaign_page_idx ON campaign (account_id, created_at desc, id desc);
CREATE INDEX campaign_running_idx ON campaign (state) WHERE state = 'running';
CREATE TABLE campaign_stat (
    campaign_id UUID NOT NULL,
    slot SMALLINT NOT NULL,
    contacts BIGINT DEFAULT '0' NOT NULL,
    finished BIGINT DEFAULT '0' NOT NULL,
    attempts BIGINT DEFAULT '0' NOT NULL,
    answered BIGINT DEFAULT '0' NOT NULL,
    trunk_errors BIGINT DEFAULT '0' NOT NULL,
    talk_ms BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT campaign_stat_pkey PRIMARY KEY (campaign_id, slot),
    CONSTRAINT campaign_stat_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaign (id) ON DELETE CASCADE
)
 WITH (fillfactor = 50);
CREATE TABLE campaign_trunk (
    campaign_id UUID NOT NULL,
    trunk_id UUID NOT NULL,
    position SMALLINT NOT NULL,
    channels_max INTEGER,
    CONSTRAINT campaign_trunk_pkey PRIMARY KEY (campaign_id, trunk_id),
    CONSTRAINT campaign_trunk_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaign (id) ON DELETE CASCADE,
    CONSTRAINT campaign_trunk_trunk_id_fkey FOREIGN KEY(trunk_id) REFERENCES trunk (id)
);
CREATE INDEX campaign_trunk_trunk_id_idx ON campaign_trunk (trunk_id);
CREATE TABLE contact (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    campaign_id UUID NOT NULL,
    position INTEGER NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    phone TEXT COLLATE "C" GENERATED ALWAYS AS (split_part(key, '_', 1)) STORED NOT NULL,
    name TEXT,
    extra TEXT,
    variables JSONB DEFAULT '{}' NOT NULL,
    zone TEXT,
    attempts SMALLINT DEFAULT '0' NOT NULL,
    tries SMALLINT DEFAULT '0' NOT NULL,
    finished BOOLEAN DEFAULT 'false' NOT NULL,
    outcome TEXT,
    hold_reason TEXT,
    hold_until TIMESTAMP WITH TIME ZONE,
    last_attempt_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT contact_pkey PRIMARY KEY (id),
    CONSTRAINT contact_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaign (id) ON DELETE CASCADE,
    CONSTRAINT contact_campaign_id_key_key UNIQUE (campaign_id, key)
)
 WITH (fillfactor = 85);
CREATE INDEX contact_page_idx ON contact (campaign_id, id);

-- Riverside calls for itself and for a sub-account. One campaign runs by hours copied from its group, one by hours of its
-- own, one has come to its end, and one was deleted.

insert into partner (id, name) values ('00000000-0000-4000-8000-0000000000a1', 'Riverside');
insert into account (id, partner_id, parent_id, name, callback_url, daily_cap) values
    ('00000000-0000-4000-8000-0000000000b1', '00000000-0000-4000-8000-0000000000a1', null, 'Main',
     'https://crm.example.com/told', 3),
    ('00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000a1',
     '00000000-0000-4000-8000-0000000000b1', 'Sub', null, null);
insert into token (partner_id, account_id, sha256, name, expires_at) values
    ('00000000-0000-4000-8000-0000000000a1', null, repeat('ab', 32), 'CRM', '2027-01-01 00:00+00');
insert into trunk (id, name, host, channels_max, cps_max) values
    ('00000000-0000-4000-8000-0000000000c1', 'One', 'sip.example.com', 10, 5);
insert into trunk_allocation (trunk_id, account_id, channels_max) values
    ('00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-0000000000b1', 10);
insert into calling_hours (account_id, name, week) values
    ('00000000-0000-4000-8000-0000000000b1', 'All day', jsonb_build_array(
        '[[0, 1440]]'::jsonb, '[[0, 1440]]'::jsonb, '[[0, 1440]]'::jsonb, '[[0, 1440]]'::jsonb, '[[0, 1440]]'::jsonb,
        '[[0, 1440]]'::jsonb, '[[0, 1440]]'::jsonb
    ));
insert into retry_rule (account_id, name, retries_max, delay_s) values
    ('00000000-0000-4000-8000-0000000000b1', 'Busy', 2, '{"busy": 600}');
insert into agent (account_id, kind, name) values ('00000000-0000-4000-8000-0000000000b1', 'script', 'Reminder');
insert into agent_version (agent_id, version, definition) values (1, 1, '{"greeting": "Hello {name}"}');
insert into seat_group (account_id, name) values ('00000000-0000-4000-8000-0000000000b1', 'Service');
insert into background_sound (account_id, name) values ('00000000-0000-4000-8000-0000000000b1', 'Office');
insert into review_config (account_id, name) values ('00000000-0000-4000-8000-0000000000b1', 'Manners');
insert into do_not_call (account_id, phone, source) values
    ('00000000-0000-4000-8000-0000000000b1', '13900000009', 'complaint');

insert into campaign (id, account_id, name, origin, version, state, agent_id, agent_version, calling_hours_id, week,
                      retry_rule_id, channels_max, last_position, wire, started_at, deleted_at)
select ('00000000-0000-4000-8000-0000000000d' || n)::uuid,
       case n when 2 then '00000000-0000-4000-8000-0000000000b2' else '00000000-0000-4000-8000-0000000000b1' end::uuid,
       'Campaign ' || n, case n when 2 then 'agent_api_v1' else 'agent_api_v2' end, 7,
       case n when 3 then 'completed' when 4 then 'paused' else 'running' end, 1, 1, 1,
       case n when 1 then h.week when 2 then '[[], [[540, 720]], [], [], [], [], []]'::jsonb end, 1, 2, 5,
       '{"call_notify_type": "2"}', '2026-03-01 00:00+00', case n when 4 then timestamptz '2026-03-02 00:00+00' end
from generate_series(1, 4) n cross join calling_hours h;
insert into campaign_trunk (campaign_id, trunk_id, position)
select id, '00000000-0000-4000-8000-0000000000c1', 1 from campaign;
insert into campaign_stat (campaign_id, slot, contacts, finished, attempts, answered, trunk_errors, talk_ms) values
    ('00000000-0000-4000-8000-0000000000d1', 0, 5, 0, 0, 0, 0, 0),
    ('00000000-0000-4000-8000-0000000000d1', 1, 0, 2, 3, 1, 1, 61000);
insert into node (name, beat_at) values ('host-1', '2026-03-01 04:00+00');
insert into capacity_lease (resource, node_id, sequence, channels, cps, cps_before_until, in_use, want, expires_at,
                            reclaim_at)
values ('trunk:00000000-0000-4000-8000-0000000000c1', 1, 9, 10, 5, '-infinity', 1, 9, '2026-03-01 04:00:04+00',
        '2026-03-01 04:01+00');
insert into contact (campaign_id, position, key, name, extra, variables, attempts, tries, finished, outcome)
select '00000000-0000-4000-8000-0000000000d1', n, '1390000000' || n, 'Person ' || n, 'ref-' || n, '{"name": "Bo"}',
       case when n <= 4 then 1 else 0 end, case when n <= 3 then 1 else 0 end, n <= 2,
       case n when 1 then 'answered' when 2 then 'no_answer' when 3 then 'trunk_error' end
from generate_series(1, 5) n;
insert into queue (contact_id, campaign_id, lane, rank, node_id) values
    (3, '00000000-0000-4000-8000-0000000000d1', 1, 1772337600000, null),
    (4, '00000000-0000-4000-8000-0000000000d1', 0, 4, 1),
    (5, '00000000-0000-4000-8000-0000000000d1', 0, 5, null);
insert into attempt (id, account_id, campaign_id, contact_id, number, trunk_id, node_id, phone, day, state, planned_at,
                     placed_at, answered_at, closed_at, outcome, recording)
select ('00000000-0000-4000-8000-0000000000e' || n)::uuid, '00000000-0000-4000-8000-0000000000b1', c.campaign_id, c.id, 1,
       '00000000-0000-4000-8000-0000000000c1', 1, c.phone, '2026-03-01', case n when 4 then 'answered' else 'closed' end,
       t.at, t.at, case when n in (1, 4) then t.at + interval '10 s' end,
       case when n <> 4 then t.at + interval '71 s' end, c.outcome, case n when 1 then '20260301/1.wav' end
from generate_series(1, 4) n join contact c on c.id = n
cross join lateral (select timestamptz '2026-03-01 03:00+00' + n * interval '1 min' as at) t;
insert into turn (attempt_id, sequence, speaker, text, at_ms) values
    ('00000000-0000-4000-8000-0000000000e1', 1, 'agent', 'Hello Bo', 0);
insert into phone_day (account_id, day, phone, calls)
select account_id, day, phone, 1 from attempt;
insert into callback (account_id, url, kind, body, tries, due_at, delivered_at)
select account_id, 'https://crm.example.com/told', 'call_finished', jsonb_build_object('attempt', id),
       case when outcome = 'answered' then 1 else 0 end, closed_at, case when outcome = 'answered' then closed_at end
from attempt where state = 'closed' order by closed_at;
