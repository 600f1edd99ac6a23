-- What orders, trades and accounts have besides the plain case. Codes: type 3 stop, 4 stop limit,
-- 5 trailing stop; time in force 3 FOK, 4 DAY, 5 GTD; status 5 pending; reason 4 expired, 5 linked,
-- 6 unfunded, 7 administrative, 8 fill limit, 9 breaker; liquidity 3 auction; kind of account
-- 5 commission, 6 adjustments, 7 transit.
-- +goose Up

-- Rows for those orders alone that have something to say.
CREATE TABLE order_conditions (
    order_id      bigint   PRIMARY KEY,
    member_id     bigint   NOT NULL,
    self_trade    smallint NOT NULL, -- 1 cancel taker, 2 maker, 3 both, 4 decrement, 5 allow
    post_only     smallint NOT NULL, -- 0 or 1
    trigger_price bigint   NOT NULL, -- ticks, as placed; 0 none, as in all that follow
    trail         bigint   NOT NULL, -- ticks
    display       bigint   NOT NULL, -- lots
    expires_at    bigint   NOT NULL, -- nanoseconds since 1970 UTC
    sibling_id    bigint   NOT NULL, -- the other leg of an OCO
    parent_id     bigint   NOT NULL, -- the entry of a bracket
    child_id      bigint   NOT NULL  -- the take-profit of a bracket
);

-- Who may trade with itself has two fills of one trade.
ALTER TABLE fills DROP CONSTRAINT fills_pkey, ADD PRIMARY KEY (member_id, trade_id, side);

ALTER TABLE trades ADD COLUMN busted_sequence bigint; -- of the command that busted it

-- Who got which share of a fee: of which order's fee, in a trade.
CREATE TABLE commissions (
    trade_id   bigint  NOT NULL,
    order_id   bigint  NOT NULL,
    agent_id   bigint  NOT NULL,
    member_id  bigint  NOT NULL, -- whose fee it was
    market_id  integer NOT NULL,
    asset_id   integer NOT NULL,
    amount     bigint  NOT NULL,
    sequence   bigint  NOT NULL,
    accrued_at bigint  NOT NULL,
    line       integer NOT NULL, -- within the command: from the taker's fee up, then from the maker's
    PRIMARY KEY (trade_id, order_id, agent_id)
);
CREATE INDEX commissions_agent ON commissions (agent_id, trade_id DESC);

CREATE TABLE transfers (
    id              bigint   PRIMARY KEY,
    from_owner_id   bigint   NOT NULL,
    from_kind       smallint NOT NULL,
    to_owner_id     bigint   NOT NULL,
    to_kind         smallint NOT NULL,
    asset_id        integer  NOT NULL,
    amount          bigint   NOT NULL,
    status          smallint NOT NULL, -- 1 pending, 2 posted, 3 voided, 4 expired
    begun_sequence  bigint   NOT NULL,
    begun_at        bigint   NOT NULL,
    expires_at      bigint   NOT NULL, -- 0: never
    ended_sequence  bigint   NOT NULL, -- 0: pending
    ended_at        bigint   NOT NULL
);
CREATE INDEX transfers_from ON transfers (from_owner_id, id DESC);
CREATE INDEX transfers_to ON transfers (to_owner_id, id DESC);

ALTER TABLE order_conditions ENABLE ROW LEVEL SECURITY;
ALTER TABLE commissions ENABLE ROW LEVEL SECURITY;
ALTER TABLE transfers ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON order_conditions, commissions, transfers TO bourse_reader;
CREATE POLICY reader ON order_conditions FOR SELECT TO bourse_reader
    USING (member_id = bourse_actor() OR bourse_may_see(member_id));
-- An agent sees its own shares, not those of the agents above or beside.
CREATE POLICY reader ON commissions FOR SELECT TO bourse_reader
    USING (agent_id = bourse_actor());
CREATE POLICY reader ON transfers FOR SELECT TO bourse_reader
    USING (from_owner_id = bourse_actor() OR to_owner_id = bourse_actor()
        OR bourse_may_see(from_owner_id) OR bourse_may_see(to_owner_id));

-- +goose Down
ALTER TABLE fills DROP CONSTRAINT fills_pkey, ADD PRIMARY KEY (member_id, trade_id);
DROP TABLE transfers, commissions, order_conditions;
ALTER TABLE trades DROP COLUMN busted_sequence;
