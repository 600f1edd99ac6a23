-- Projections: what the journal says, as rows. Only the projector writes them, behind the
-- acknowledgement; they can be emptied and filled again from the journal at any time.
--
-- Numbers are those of the events: ticks, lots, minor units, nanoseconds since 1970 UTC. Small
-- codes: side 1 buy, 2 sell; type 1 limit, 2 market; time in force 1 GTC, 2 IOC; status 1 open,
-- 2 partially filled, 3 filled, 4 cancelled; reason 0 none, 1 requested, 2 immediate, 3 self trade;
-- liquidity 1 maker, 2 taker; kind of account 1 available, 2 held, 3 fees, 4 deposits.
-- +goose Up

-- How far the projections have come; written in the transaction that brings them there.
CREATE TABLE projection (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sequence   bigint  NOT NULL,
    hash       bytea   NOT NULL,
    stamped_at bigint  NOT NULL,
    epoch      bigint  NOT NULL
);
INSERT INTO projection (sequence, hash, stamped_at, epoch) VALUES (0, decode(repeat('00', 32), 'hex'), 0, 0);

CREATE TABLE assets (
    id    bigint   PRIMARY KEY,
    code  text     NOT NULL,
    scale smallint NOT NULL
);

CREATE TABLE markets (
    id        bigint PRIMARY KEY,
    symbol    text   NOT NULL,
    base_id   bigint NOT NULL,
    quote_id  bigint NOT NULL,
    tick_size text   NOT NULL,
    lot_size  text   NOT NULL
);

CREATE TABLE orders (
    id            bigint   NOT NULL,
    member_id     bigint   NOT NULL,
    market_id     integer  NOT NULL,
    side          smallint NOT NULL,
    type          smallint NOT NULL,
    time_in_force smallint NOT NULL,
    status        smallint NOT NULL,
    reason        smallint NOT NULL,
    price         bigint   NOT NULL,
    quantity      bigint   NOT NULL,
    filled        bigint   NOT NULL,
    notional      bigint   NOT NULL,
    fee           bigint   NOT NULL,
    sequence      bigint   NOT NULL,
    placed_at     bigint   NOT NULL,
    updated_at    bigint   NOT NULL,
    PRIMARY KEY (id)
) WITH (fillfactor = 85); -- room for an order's own updates on its page
CREATE INDEX orders_member ON orders (member_id, id DESC);

CREATE TABLE trades (
    id             bigint   NOT NULL,
    market_id      integer  NOT NULL,
    price          bigint   NOT NULL,
    quantity       bigint   NOT NULL,
    notional       bigint   NOT NULL,
    taker_side     smallint NOT NULL,
    taker_order_id bigint   NOT NULL,
    maker_order_id bigint   NOT NULL,
    sequence       bigint   NOT NULL,
    executed_at    bigint   NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX trades_market ON trades (market_id, id DESC);

-- Each party's side of a trade, apart from the trade, so that a row has one owner.
CREATE TABLE fills (
    trade_id    bigint   NOT NULL,
    member_id   bigint   NOT NULL,
    order_id    bigint   NOT NULL,
    market_id   integer  NOT NULL,
    side        smallint NOT NULL,
    liquidity   smallint NOT NULL,
    price       bigint   NOT NULL,
    quantity    bigint   NOT NULL,
    notional    bigint   NOT NULL,
    fee         bigint   NOT NULL,
    sequence    bigint   NOT NULL,
    executed_at bigint   NOT NULL,
    PRIMARY KEY (member_id, trade_id)
);

CREATE TABLE postings (
    sequence bigint   NOT NULL,
    line     integer  NOT NULL,
    owner_id bigint   NOT NULL,
    kind     smallint NOT NULL,
    asset_id integer  NOT NULL,
    amount   bigint   NOT NULL,
    PRIMARY KEY (sequence, line)
);

CREATE TABLE balances (
    owner_id bigint   NOT NULL,
    kind     smallint NOT NULL,
    asset_id integer  NOT NULL,
    amount   bigint   NOT NULL,
    PRIMARY KEY (owner_id, kind, asset_id)
) WITH (fillfactor = 70);

CREATE TABLE candles (
    market_id    integer NOT NULL,
    seconds      integer NOT NULL, -- the length of the interval
    opened_at    bigint  NOT NULL, -- seconds since 1970 UTC
    open         bigint  NOT NULL,
    high         bigint  NOT NULL,
    low          bigint  NOT NULL,
    close        bigint  NOT NULL,
    volume       bigint  NOT NULL,
    quote_volume bigint  NOT NULL,
    trades       bigint  NOT NULL,
    PRIMARY KEY (market_id, seconds, opened_at)
) WITH (fillfactor = 70);

-- What each member traded, by hours: for volume figures and tiers.
CREATE TABLE volumes (
    member_id    bigint  NOT NULL,
    market_id    integer NOT NULL,
    hour         bigint  NOT NULL, -- its beginning, seconds since 1970 UTC
    quote_volume bigint  NOT NULL,
    PRIMARY KEY (member_id, market_id, hour)
) WITH (fillfactor = 70);

-- The second wall (see 0002).
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE fills ENABLE ROW LEVEL SECURITY;
ALTER TABLE postings ENABLE ROW LEVEL SECURITY;
ALTER TABLE balances ENABLE ROW LEVEL SECURITY;
ALTER TABLE volumes ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON orders, fills, postings, balances, volumes, assets, markets TO bourse_reader;
CREATE POLICY reader ON orders FOR SELECT TO bourse_reader
    USING (member_id = bourse_actor() OR bourse_may_see(member_id));
CREATE POLICY reader ON fills FOR SELECT TO bourse_reader
    USING (member_id = bourse_actor() OR bourse_may_see(member_id));
CREATE POLICY reader ON postings FOR SELECT TO bourse_reader
    USING (owner_id = bourse_actor() OR bourse_may_see(owner_id));
CREATE POLICY reader ON balances FOR SELECT TO bourse_reader
    USING (owner_id = bourse_actor() OR bourse_may_see(owner_id));
CREATE POLICY reader ON volumes FOR SELECT TO bourse_reader
    USING (member_id = bourse_actor() OR bourse_may_see(member_id));

-- +goose Down
DROP TABLE volumes, candles, balances, postings, fills, trades, orders, markets, assets, projection;
