-- What calls cost, and what happens when nothing is left to pay them. `money.py` runs it.
--
-- Balances are locked last of all, and in the order of accounts: whoever must pause campaigns has locked them before.


-- name: charge
-- Takes what calls cost; answers the main accounts that have nothing left.
with paid as (
    insert into balance as b (account_id, amount)
    select main_id, -cost from unnest(:accounts::uuid[], :costs::numeric[]) as w(main_id, cost) order by main_id
    on conflict (account_id) do update set amount = b.amount + excluded.amount
    returning account_id, amount
)
select account_id from paid where amount <= 0 order by account_id;

-- name: enter
-- What a person does to a balance. Its amount is what the balance changes by.
with moved as (
    insert into balance as b (account_id, amount) values (:account, :amount)
    on conflict (account_id) do update set amount = b.amount + excluded.amount
    returning account_id, amount
),
entered as (
    insert into ledger (kind, account_id, main_id, amount, at, remark, done_by)
    values (:kind, :account, :account, :amount, :at, :remark, :done_by)
)
select amount from moved;

-- name: read_balance
select amount from balance
where account_id = (select coalesce(parent_id, id) from account where id = :account);

-- name: lock_balance
select amount from balance where account_id = :account for no key update;

-- name: hold_balance
-- So that it stays as it is until something that depends on it is committed. Others may depend on it, too.
select amount from balance
where account_id = (select coalesce(parent_id, id) from account where id = :account)
for share;

-- name: payers
-- Running campaigns that must pay for calls on one of their trunks, of these main accounts.
select c.id
from campaign c join account a on a.id = c.account_id
where c.state = 'running' and c.deleted_at is null and coalesce(a.parent_id, a.id) = any(:accounts::uuid[])
  and exists (
      select from campaign_trunk s cross join lateral usable_trunk(c.account_id, s.trunk_id) u
      where s.campaign_id = c.id and u.price > 0
  )
order by c.id;

-- name: lock_campaigns
select id from campaign where id = any(:campaigns::uuid[]) order by id for no key update;

-- name: pause
update campaign
set state = 'paused', pause_reason = 'no_balance', phase = null, hold_reason = null, hold_until = null,
    updated_at = to_timestamp(:now::bigint / 1000.0)
where id = any(:campaigns::uuid[]) and state = 'running';
