-- Callbacks: written by whoever changes something, taken by senders several times a second.
--
-- "Waiting" is `delivered_at is null and given_up_at is null`, word for word, for that is what the index holds. Whoever
-- locks several receivers does so in the order of their ids.


-- Sending

-- name: take
-- One statement, so that what is seen and what is leased belong together: a receiver that somebody else took after this
-- snapshot has a later turn when its row is locked, and is left to him.
with recursive head as (
    -- The earliest callback of each receiver: one look into the index for each, however long its queue is.
    (
        select receiver, due_at, id from callback
        where delivered_at is null and given_up_at is null
        order by receiver, due_at, id limit 1
    )
    union all
    select n.receiver, n.due_at, n.id
    from head h cross join lateral (
        select c.receiver, c.due_at, c.id from callback c
        where c.delivered_at is null and c.given_up_at is null and c.receiver > h.receiver
        order by c.receiver, c.due_at, c.id limit 1
    ) n
),
due as materialized (
    select receiver, due_at, id from head
    where due_at <= :now and exists (select from callback_sender where id = :sender)
),
known as materialized (
    select r.* from callback_receiver r where r.id in (select receiver from due)
),
open as materialized (
    -- Nobody waits here for somebody who is at a receiver at this very moment.
    select r.id, r.turn from callback_receiver r
    where r.id in (select receiver from due)
      and (r.rests_until is null or r.rests_until <= :now)
      and (
          r.sender_id is null
          or r.leased_until <= :now
          -- What this sender does not know of is a lease whose answer was lost on the way to it.
          or (r.sender_id = :sender and r.id <> all(:busy::uuid[]))
          or not exists (select from callback_sender s where s.id = r.sender_id)
      )
    order by r.id for update skip locked
),
free as materialized (
    select d.receiver, d.id, k.turn, k.event_id, k.callbacks, coalesce(k.failures, 0) > 0 as is_failing,
           row_number() over (partition by coalesce(k.failures, 0) > 0 order by d.due_at) as place
    from due d left join known k on k.id = d.receiver left join open o on o.id = k.id
    where k.id is null or o.turn = k.turn
),
begun as materialized (
    -- A push that was under way when its sender went is repeated as it was.
    select f.receiver, f.event_id, array_agg(c.id order by c.id) as callbacks
    from free f join callback c on c.id = any(f.callbacks)
    where c.delivered_at is null and c.given_up_at is null
    group by f.receiver, f.event_id
),
chosen as materialized (
    select f.receiver, coalesce(f.turn, 0) + 1 as turn, h.owner_id, h.url,
           case when b.callbacks is not null then b.event_id else coalesce(h.event_id, gen_random_uuid()) end as event_id,
           coalesce(b.callbacks, failed.callbacks, new.callbacks) as callbacks
    from free f
    join callback h on h.id = f.id
    left join begun b on b.receiver = f.receiver
    -- One that has failed is repeated as it was, too: its callbacks share the time at which they are due again.
    left join lateral (
        select array_agg(c.id order by c.id) as callbacks from callback c
        where c.delivered_at is null and c.given_up_at is null
          and c.receiver = f.receiver and c.due_at = h.due_at and c.event_id = h.event_id
    ) failed on true
    left join lateral (
        select array_agg(n.id order by n.id) as callbacks
        from (
            select c.id from callback c
            where c.delivered_at is null and c.given_up_at is null
              and c.receiver = f.receiver and c.due_at <= :now and c.event_id is null and c.kind = h.kind
              and h.event_id is null
            order by c.due_at, c.id
            limit case when h.kind = any(:batched::text[]) then :batch_max::int else 1 end
        ) n
    ) new on true
    where f.place <= case when f.is_failing then :failing_max::int else :sound_max::int end
),
taken as (
    insert into callback_receiver as r (id, account_id, url, turn, sender_id, leased_until, event_id, callbacks)
    select receiver, owner_id, url, turn, :sender, :leased_until::timestamptz, event_id, callbacks
    from chosen order by receiver
    on conflict (id) do update
    set turn = excluded.turn, sender_id = excluded.sender_id, leased_until = excluded.leased_until,
        event_id = excluded.event_id, callbacks = excluded.callbacks
    where r.turn = excluded.turn - 1
    returning r.id, r.turn, r.account_id, r.url, r.event_id, r.callbacks, r.failures
)
select t.id as receiver, t.turn, t.account_id as owner_id, t.url, t.event_id, t.failures,
       coalesce(o.callback_secret, m.callback_secret) as secret,
       c.id, c.account_id, c.kind, c.body, c.tries, coalesce(c.redelivered_at, c.created_at) as since
from taken t
join callback c on c.id = any(t.callbacks)
left join account o on o.id = t.account_id
left join account m on m.id = o.parent_id
order by t.id, c.id;

-- name: delivered
with told as (
    update callback c
    set delivered_at = d.at, given_up_at = null, last_answer = d.answer, event_id = d.event_id, tries = c.tries + 1
    from unnest(:callbacks::bigint[], :events::uuid[], :answers::text[], :ats::timestamptz[])
        as d(id, event_id, answer, at)
    where c.id = d.id and c.delivered_at is null
),
done as materialized (
    select r.id from callback_receiver r
    join unnest(:receivers::uuid[], :turns::bigint[]) as d(id, turn) on d.id = r.id and d.turn = r.turn
    order by r.id for update of r
)
update callback_receiver r
set sender_id = null, leased_until = null, event_id = null, callbacks = null, failures = 0, rests_until = null
from done d where r.id = d.id;

-- name: failed
with told as (
    update callback
    set tries = tries + 1, event_id = :event, last_answer = :answer, due_at = coalesce(:due_at, due_at),
        given_up_at = case when :due_at::timestamptz is null then :at::timestamptz end
    where id = any(:callbacks::bigint[]) and delivered_at is null and given_up_at is null
),
left_alone as (
    update callback_receiver
    set sender_id = null, leased_until = null, event_id = null, callbacks = null,
        failures = least(failures + 1, 1000), rests_until = :rests_until
    where id = :receiver and turn = :turn
    returning account_id, url
)
insert into callback_blacklist (account_id, url, blackout_at, release_at, created_at, updated_at)
select account_id, url, :at, :rests_until, :at, :at from left_alone where :is_blacklisted::bool;

-- name: give_up
-- What has waited as long for the same receiver has had its time, too.
update callback set given_up_at = :at
where delivered_at is null and given_up_at is null and receiver = :receiver
  and coalesce(redelivered_at, created_at) <= :since_max;

-- name: forget
-- Looks at the oldest rows only, which needs no index: what is over is deleted in the order in which it came.
with oldest as materialized (
    select id, created_at, delivered_at, given_up_at, redelivered_at from callback order by id limit :most
)
delete from callback c using oldest o
where c.id = o.id and coalesce(o.redelivered_at, o.created_at) < :before
  and (o.delivered_at is not null or o.given_up_at is not null)
returning c.id;

-- name: forget_batches
delete from number_batch where (id, part) in (select id, part from number_batch where created_at < :before limit :most);

-- name: forget_blackouts
delete from callback_blacklist where release_at < :before;


-- Senders

-- name: begin_life
-- Of the server: this row is gone when it has crashed since.
insert into server_life default values on conflict do nothing;

-- name: join_senders
insert into callback_sender (name, server_life)
select :name, l.id || ' since ' || pg_postmaster_start_time() from server_life l
returning id;

-- name: take_over
-- What this process was at under its old number it is still at; a process of before that had its name is gone.
with moved as (
    update callback_receiver set sender_id = :sender where sender_id = :before
)
delete from callback_sender where name = :name and id <> :sender;

-- name: beat
-- Whose number can be locked lives no more: the server releases a lock as soon as the connection that holds it ends.
-- But when the server itself has failed, everybody's locks are gone. Those who entered in an earlier life of it have a
-- while to come back: `judges` is false for a sender that has just come itself.
with gone as materialized (
    select s.id from callback_sender s
    where s.id <> :sender
      and (:judges::bool or s.server_life = (select server_life from callback_sender where id = :sender))
      and pg_try_advisory_xact_lock(:lock::int, s.id)
),
buried as (
    delete from callback_sender s using gone g where s.id = g.id
)
select exists (select from callback_sender where id = :sender) as is_known;


-- Writing

-- name: add
insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
select :account, t.owner_id, t.url, :kind, :body::jsonb, :now, :now from callback_address(:account, null, :kind) t;

-- name: keep_batch
-- Kept when the client knows it or somebody listens. A large one comes in parts, in a transaction each.
insert into number_batch (id, account_id, campaign_id, change, numbers, created_at)
select :batch, k.account_id, k.id, :change, :numbers::text[], :now
from campaign k
where k.id = :campaign
  and (:is_kept::bool or exists (select from callback_address(k.account_id, null, 'numbers_changed')));

-- name: tell_batch
insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
select b.account_id, t.owner_id, t.url, 'numbers_changed', jsonb_build_object('batch', b.id), :now, :now
from (
    -- A client that has moved customers waits for the answer, even when there were none.
    select id, account_id from number_batch
    where id = :batch and (cardinality(numbers) > 0 or change = 'from_customers')
    order by part limit 1
) b cross join lateral callback_address(b.account_id, null, 'numbers_changed') t;


-- What people ask for

-- name: meant
-- All that was told together with one callback.
select c.id from callback c join callback n on n.id = :callback and n.account_id = :account
where c.id = n.id or c.event_id = n.event_id;

-- name: meant_given_up
select id from callback where account_id = :account and given_up_at is not null;

-- name: redeliver
-- Once more from now on, to the address that holds now, or else to that of before.
with waiting as (
    update callback c
    set delivered_at = null, given_up_at = null, redelivered_at = :now, due_at = :now, tries = 0,
        owner_id = coalesce(t.owner_id, c.owner_id), url = coalesce(t.url, c.url)
    from callback w
    left join lateral callback_address(w.account_id, own_callback_url(w.kind, w.body), w.kind) t on true
    where w.id = any(:callbacks::bigint[]) and c.id = w.id
    returning c.receiver
),
resting as materialized (
    select r.id from callback_receiver r where r.id in (select receiver from waiting) order by r.id for update
),
awake as (
    update callback_receiver r set rests_until = null, failures = 0 from resting s where r.id = s.id
    returning r.account_id, r.url
)
update callback_blacklist b set release_at = :now, updated_at = :now
from awake w where b.account_id = w.account_id and b.url = w.url and b.release_at > :now;

-- name: address
select nullif(a.callback_url, '') as own, nullif(m.callback_url, '') as inherited,
       a.callback_secret is not null as has_secret, a.callback_kinds as kinds
from account a left join account m on m.id = a.parent_id where a.id = :account;

-- name: keep_event
-- A push that is under way keeps its event wherever its callbacks go.
update callback c set event_id = r.event_id
from callback_receiver r
where r.account_id = :account and r.url = :url and c.id = any(r.callbacks) and c.event_id is null;

-- name: forward
-- What waits for an address that is given up goes to the one that holds now, or nowhere.
update callback c
set owner_id = coalesce(t.owner_id, c.owner_id), url = coalesce(t.url, c.url),
    given_up_at = case when t.url is null then :now::timestamptz end
from callback w left join lateral callback_address(w.account_id, null, w.kind) t on true
where c.id = w.id and w.delivered_at is null and w.given_up_at is null
  and w.receiver = md5(:account::uuid::text || ' ' || :url)::uuid;

-- name: leave_out
-- What waits for an address and is of a kind that it wants no more. What a campaign has named that address for stays.
update callback c set given_up_at = :now
from account a
where a.id = :account and c.delivered_at is null and c.given_up_at is null
  and c.receiver = md5(a.id::text || ' ' || a.callback_url)::uuid and c.kind <> all(a.callback_kinds)
  and own_callback_url(c.kind, c.body) is distinct from c.url;
