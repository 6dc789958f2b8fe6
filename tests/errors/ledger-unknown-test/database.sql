create schema marts_ledger;
create table marts_ledger.head (seq bigint, hash bytea);
create table marts_ledger.entry (
    seq bigint, recorded_at timestamptz, run_id text, node text, test text, status text, failures bigint, rows_tested bigint,
    thresholds text, duration_us bigint, git_commit text, git_dirty boolean
);
insert into marts_ledger.entry (seq, node, test, status)
values (1, 'test.shop.unique_orders_id.0123456789', 'unique_orders_id', 'pass')
