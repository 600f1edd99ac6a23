-- +goose Up

-- People, sessions, invites, deposits, the audit and the outbox: everything that does not move
-- money. What does is in the journal (0001).

-- Members, agents and admins share one sequence of ids; 0 is the house.
CREATE SEQUENCE account_ids AS bigint START WITH 1001;

CREATE TABLE accounts (
    id              bigint PRIMARY KEY DEFAULT nextval('account_ids') CHECK (id > 0),
    role            text NOT NULL CHECK (role IN ('MEMBER', 'AGENT', 'ADMIN')),
    username        text NOT NULL UNIQUE CHECK (username = lower(username)),
    display_name    text NOT NULL,
    status          text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'SUSPENDED')),
    created_at      timestamptz NOT NULL,
    last_sign_in_at timestamptz
);

-- Apart from accounts, so that no query for people can carry a hash along.
CREATE TABLE credentials (
    account_id    bigint PRIMARY KEY REFERENCES accounts,
    password_hash text NOT NULL,
    changed_at    timestamptz NOT NULL
);

CREATE TABLE agents (
    id        bigint PRIMARY KEY REFERENCES accounts,
    parent_id bigint REFERENCES agents CHECK (parent_id <> id)
);
CREATE INDEX agents_parent ON agents (parent_id);

-- The closure of the tree: one row for each agent and each agent at or above it. Whether a member
-- belongs to a downline is one look at the primary key.
CREATE TABLE agent_tree (
    ancestor_id   bigint NOT NULL REFERENCES agents,
    descendant_id bigint NOT NULL REFERENCES agents,
    depth         smallint NOT NULL CHECK (depth BETWEEN 0 AND 15),
    PRIMARY KEY (ancestor_id, descendant_id)
);
CREATE INDEX agent_tree_descendant ON agent_tree (descendant_id);

CREATE TABLE members (
    id       bigint PRIMARY KEY REFERENCES accounts,
    agent_id bigint NOT NULL REFERENCES agents
);
CREATE INDEX members_agent ON members (agent_id, id DESC);

CREATE TABLE admins (
    id    bigint PRIMARY KEY REFERENCES accounts,
    roles text[] NOT NULL CHECK (cardinality(roles) > 0)
);

-- A session is one sign-in; its refresh tokens descend from one another.
CREATE TABLE sessions (
    id             text PRIMARY KEY,
    account_id     bigint NOT NULL REFERENCES accounts,
    methods        text[] NOT NULL,
    remote_address text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoked_for    text CHECK ((revoked_at IS NULL) = (revoked_for IS NULL))
);
CREATE INDEX sessions_account ON sessions (account_id);
CREATE INDEX sessions_revoked ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE refresh_tokens (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    session_id text NOT NULL REFERENCES sessions ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE invites (
    code       text PRIMARY KEY,
    agent_id   bigint NOT NULL REFERENCES agents,
    max_uses   integer NOT NULL CHECK (max_uses BETWEEN 1 AND 1000),
    uses       integer NOT NULL DEFAULT 0 CHECK (uses BETWEEN 0 AND max_uses),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX invites_agent ON invites (agent_id, created_at DESC);

-- A deposit whose approver_id is set while it is PENDING has a credit on its way: see
-- engine/account/deposit.go.
CREATE TABLE deposits (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id    bigint NOT NULL REFERENCES members,
    asset        text NOT NULL,
    scale        smallint NOT NULL CHECK (scale BETWEEN 0 AND 18),
    amount       bigint NOT NULL CHECK (amount > 0),
    status       text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED')),
    request_key  text NOT NULL CHECK (octet_length(request_key) BETWEEN 1 AND 64),
    requested_at timestamptz NOT NULL,
    approver_id  bigint REFERENCES accounts,
    decision_key text,
    decided_by   bigint REFERENCES accounts,
    decided_at   timestamptz,
    note         text NOT NULL DEFAULT '',
    sequence     bigint,
    UNIQUE (member_id, request_key),
    -- Nobody approves what benefits themselves, whatever the program above does.
    CHECK (approver_id <> member_id AND decided_by <> member_id),
    CHECK ((status = 'PENDING') = (decided_by IS NULL)),
    CHECK ((status = 'PENDING') = (decided_at IS NULL)),
    CHECK ((status = 'APPROVED') = (sequence IS NOT NULL)),
    CHECK (status <> 'APPROVED' OR approver_id = decided_by),
    CHECK (status <> 'REJECTED' OR approver_id IS NULL)
);
CREATE INDEX deposits_member ON deposits (member_id, id DESC);
CREATE INDEX deposits_pending ON deposits (id) WHERE status = 'PENDING';
CREATE UNIQUE INDEX deposits_decision ON deposits (coalesce(approver_id, decided_by), decision_key)
    WHERE decision_key <> '';

-- Who did what: each row carries the hash of the one before (engine/audit). audit_head is the last
-- link; holding its row lock is what orders writers.
CREATE TABLE audit (
    id         bigint PRIMARY KEY CHECK (id > 0),
    at         timestamptz NOT NULL,
    actor_id   bigint NOT NULL,
    actor_role text NOT NULL,
    actor_name text NOT NULL,
    action     text NOT NULL,
    subject    text NOT NULL,
    details    text NOT NULL,
    command    text,
    prev_hash  bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
    hash       bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE INDEX audit_subject ON audit (subject, id DESC);
-- A command that is sent twice is audited once.
CREATE UNIQUE INDEX audit_command ON audit (actor_id, action, subject, command) WHERE command IS NOT NULL;

CREATE TABLE audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id       bigint NOT NULL,
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32)
);
INSERT INTO audit_head (id, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- +goose StatementBegin
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- Job requests, committed with the change that causes them and kept until the job is done: the
-- queue may forget, this table does not. A row that was handed out and not finished by not_before
-- is handed out again.
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL,
    dedupe_key text NOT NULL UNIQUE,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    handed_at  timestamptz,
    attempts   integer NOT NULL DEFAULT 0
);
CREATE INDEX outbox_due ON outbox (not_before, id);

-- What the last reconciliation found, and the balances that it folded from postings by itself: each
-- run adds the postings since the last one and compares with what the projection keeps.
CREATE TABLE reconciliation (
    only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sequence         bigint NOT NULL,
    finished_at      timestamptz,
    accounts_checked bigint NOT NULL DEFAULT 0,
    differences      bigint NOT NULL DEFAULT 0
);
INSERT INTO reconciliation (sequence) VALUES (0);

CREATE TABLE reconciled_balances (
    owner_id bigint   NOT NULL,
    kind     smallint NOT NULL,
    asset_id integer  NOT NULL,
    amount   numeric  NOT NULL,
    PRIMARY KEY (owner_id, kind, asset_id)
);

-- The second wall. Reads on behalf of a member or an agent run as bourse_reader, which owns nothing
-- and cannot bypass row-level security, with the actor's id in bourse.actor; without it they see
-- nothing. Roles belong to the whole cluster, hence the care about one that exists.
-- +goose StatementBegin
DO $$
DECLARE
    before text := current_setting('role');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bourse_reader') THEN
        BEGIN
            CREATE ROLE bourse_reader NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- another database was quicker
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the database user may not create roles'
                    USING HINT = 'As a superuser: CREATE ROLE bourse_reader NOLOGIN; GRANT bourse_reader TO ' || current_user;
        END;
    END IF;
    BEGIN
        -- Whether the role can be taken is asked by taking it: since PostgreSQL 16 its creator may not.
        PERFORM set_config('role', 'bourse_reader', true);
        PERFORM set_config('role', before, true);
    EXCEPTION WHEN insufficient_privilege THEN
        EXECUTE format('GRANT bourse_reader TO %I', current_user);
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO bourse_reader', current_schema());
END
$$;
-- +goose StatementEnd

-- bourse_actor is the id of the actor of this transaction, or NULL.
CREATE FUNCTION bourse_actor() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('bourse.actor', true), '')::bigint $$;

ALTER TABLE agent_tree ENABLE ROW LEVEL SECURITY;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE deposits ENABLE ROW LEVEL SECURITY;
ALTER TABLE invites ENABLE ROW LEVEL SECURITY;

GRANT SELECT ON agent_tree, members, agents, accounts, deposits, invites TO bourse_reader;

-- An agent sees who is below it, never who is above or beside.
CREATE POLICY reader ON agent_tree FOR SELECT TO bourse_reader
    USING (ancestor_id = bourse_actor());
CREATE POLICY reader ON agents FOR SELECT TO bourse_reader
    USING (EXISTS (SELECT FROM agent_tree t WHERE t.ancestor_id = bourse_actor() AND t.descendant_id = agents.id));
-- A member sees itself, an agent the members of its subtree.
CREATE POLICY reader ON members FOR SELECT TO bourse_reader
    USING (id = bourse_actor()
        OR EXISTS (SELECT FROM agent_tree t WHERE t.ancestor_id = bourse_actor() AND t.descendant_id = members.agent_id));
CREATE POLICY reader ON accounts FOR SELECT TO bourse_reader
    USING (id = bourse_actor()
        OR EXISTS (SELECT FROM members m WHERE m.id = accounts.id)
        OR EXISTS (SELECT FROM agents a WHERE a.id = accounts.id));
CREATE POLICY reader ON deposits FOR SELECT TO bourse_reader
    USING (EXISTS (SELECT FROM members m WHERE m.id = deposits.member_id));
CREATE POLICY reader ON invites FOR SELECT TO bourse_reader
    USING (agent_id = bourse_actor());

-- bourse_may_see is the rule for every other table that a member owns: the policies of members,
-- seen through the eyes of the caller.
CREATE FUNCTION bourse_may_see(member bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT EXISTS (SELECT FROM members m WHERE m.id = member) $$;

-- +goose Down
DROP FUNCTION bourse_may_see(bigint);
DROP TABLE reconciled_balances, reconciliation, outbox, audit_head, audit, deposits, invites, refresh_tokens,
    sessions, admins, members, agent_tree, agents, credentials, accounts CASCADE;
DROP FUNCTION bourse_actor();
DROP FUNCTION audit_is_append_only();
DROP SEQUENCE account_ids;
-- bourse_reader stays: roles belong to the cluster, another database may use it.
