-- What engines ask of the database many times a second. `dialing_store.py` and `commit.py` run it.
--
-- Locks are taken in one order everywhere: campaign, queue, attempt, contact, counters. Whoever changes an attempt or a
-- claimed contact names its node: a node that was taken for dead changes nothing any more.
--
-- While an attempt is open (`open_attempt`), its contact's row in `queue` belongs to the same node (or the contact was
-- deleted).
--
-- Claimed contacts and open attempts come and go, and the planner thinks that there are as many as when it last looked:
-- none, perhaps. It would walk the index of all of them to find one. So what is looked up by its id is compared as
-- `(q.node_id = :node) is true`, which no such index has, and `open_attempts` looks up for each row that asks.


-- Nodes

-- name: join
-- A process that starts under a name has replaced the one before it, which may have died a moment ago.
with replaced as (
    update node set ended_at = :now where name = :name and ended_at is null
)
insert into node (name, beat_at) values (:name, :now) returning id;

-- name: beat
update node set beat_at = :now where id = :node and ended_at is null returning id;

-- name: dead_nodes
-- Nodes that are over and have not been settled yet. Their rows are locked: a beat comes before this, or too late.
select id from node
where settled_at is null and (ended_at is not null or beat_at <= :silent_since) and id <> :node
order by id
for update;

-- name: end_nodes
update node set ended_at = coalesce(ended_at, :now) where id = any(:nodes::int[]);

-- name: lock_campaigns_of
select id from campaign
where id in (
    select campaign_id from attempt where id = any(:attempts::uuid[]) union all select unnest(:others::uuid[])
)
order by id
for no key update;

-- name: lock_claims
-- A plan of such a node that is being committed right now ends first, and is seen by the statements after this one.
select contact_id from queue where node_id = any(:nodes::int[]) order by contact_id for update;

-- name: free_claims
-- What was claimed is given back as it was, except contacts whose call nobody has accounted for yet.
update queue q set node_id = null
where q.node_id = any(:nodes::int[])
  and not exists (select from open_attempts(q.campaign_id) a where a.contact_id = q.contact_id);

-- name: give_up_leases
-- Who leaves starts no more calls from this moment on.
update capacity_lease set expires_at = least(expires_at, clock_timestamp()) where node_id = any(:nodes::int[]);

-- name: settle_nodes
-- Its calls are over: channels come free when it can start no others, or later where a carrier may still hold calls.
-- All of them: what it said it had in use is older than its last calls.
with settled as (
    update node n set settled_at = :now
    where n.id = any(:nodes::int[]) and not exists (select from open_attempt a where a.node_id = n.id)
    returning n.id
)
update capacity_lease l
set reclaim_at = least(l.reclaim_at, greatest(l.expires_at, clock_timestamp() + :reserve::interval))
from settled s where l.node_id = s.id;

-- name: forget_leases
delete from capacity_lease where reclaim_at < clock_timestamp() - interval '1 day';

-- name: orphans
select a.id, a.node_id, a.state = 'answered' as answered
from open_attempt a join node n on n.id = a.node_id
where (n.ended_at is not null or n.beat_at <= :silent_since) and n.id <> :node
order by a.planned_at, a.id;

-- name: open_attempts
select id, contact_id, campaign_id, node_id, answered_at
from open_attempt
where id = any(:attempts::uuid[]) and node_id = any(:nodes::int[])
order by id;


-- What runs

-- name: running_campaigns
-- A trunk counts while it is allocated to the account or to its main account, for all agents of the campaign. Deadlines
-- are judged by this server's clock, the one that all nodes share. The tighter cap of account and main account holds.
select c.id, c.account_id, c.arrivals, c.name, c.agent_id, c.channels_max, c.week, c.weekdays, c.holidays, c.start_at,
       c.stop_at,
       c.retry, c.pause_s, c.in_contact_zone, c.ring_timeout_s, c.end_action, h.week as group_week, h.zone,
       coalesce(h.skip_holiday, false) as skip_holiday, case when r.enabled then r.delay_s end as rule_delay_s,
       r.retries_max as rule_retries_max, least(a.daily_cap, m.daily_cap) as daily_cap, t.trunks
from campaign c
join account a on a.id = c.account_id
left join account m on m.id = a.parent_id
left join calling_hours h on h.id = c.calling_hours_id
left join retry_rule r on r.id = c.retry_rule_id
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_array(s.trunk_id, s.channels_max) order by s.position), '[]') as trunks
    from campaign_trunk s
    join trunk t on t.id = s.trunk_id
    cross join lateral usable_trunk(c.account_id, s.trunk_id) u
    where s.campaign_id = c.id and t.deleted_at is null
      and (
          u.agent_ids is null or c.agent_id = any(u.agent_ids) and not exists (
              select from jsonb_object_keys(c.agent_versions) chosen where chosen::int <> all(u.agent_ids)
          )
      )
) t
where c.state = 'running' and c.deleted_at is null
order by c.started_at, c.id;

-- name: trunks
select id, host, port, username, password, register, caller_id, channels_max, cps_max
from trunk where deleted_at is null order by created_at, id;

-- name: save_trunk_status
update trunk set is_up = :up, status_detail = :detail
where id = :trunk and (is_up, status_detail) is distinct from (:up, :detail);


-- Claiming

-- name: claim
-- One walk along the index for each lane, in rank order. Rows that others are at are passed over, not waited for.
with running as materialized (
    select c.id, coalesce(a.parent_id, a.id) as main_id,
           (:now::timestamptz at time zone coalesce(h.zone, 'Asia/Shanghai'))::date as today
    from campaign c
    join account a on a.id = c.account_id
    left join calling_hours h on h.id = c.calling_hours_id
    where c.id = :campaign and c.state = 'running' and c.deleted_at is null
      and exists (select from node where id = :node and ended_at is null)
),
earlier as materialized (
    select contact_id, rank from queue
    where campaign_id = (select id from running) and lane = :lane and rank <= :rank_max and node_id is null
    order by rank limit :count
    for update skip locked
),
later as materialized (
    select contact_id, rank from queue
    where campaign_id = (select id from running) and lane = 1 - :lane and rank <= :later_rank_max and node_id is null
    order by rank limit :count - (select count(*) from earlier)
    for update skip locked
),
picked as materialized (
    select 1 as turn, contact_id, rank from earlier union all select 2, contact_id, rank from later
),
taken as (
    update queue q set node_id = :node from picked p where q.contact_id = p.contact_id
    returning q.contact_id, p.turn, p.rank
)
select c.id, c.phone, c.attempts, c.tries, c.zone,
       coalesce((
           select d.calls from running r
           join phone_day d on d.account_id = r.main_id and d.day = r.today and d.phone = c.phone
       ), 0) as calls_today
from taken t join contact c on c.id = t.contact_id
order by t.turn, t.rank;

-- name: waiting
select exists (select from queue where campaign_id = :campaign and node_id is null and lane = 0) as has_new,
       (select rank from queue where campaign_id = :campaign and node_id is null and lane = 1
        order by rank limit 1) as next_rank,
       exists (select from queue where campaign_id = :campaign and node_id is not null) as has_claimed;

-- name: release
-- Claimed, and given back as it was. What comes late, when the contact was claimed again and is being called, does not
-- take it away from its call; so too below.
update queue q set node_id = null
where q.contact_id = any(:contacts::bigint[]) and (q.node_id = :node) is true
  and not exists (select from open_attempts(q.campaign_id) a where a.contact_id = q.contact_id);


-- Planning

-- name: lock_campaigns
select id from campaign where id = any(:campaigns::uuid[]) order by id for no key update;

-- name: lock_planned
-- The contacts that are this node's, and whether their campaigns run. A pause that was committed first is seen here;
-- one that comes now waits until the plans are committed, and then knows of their calls.
select q.contact_id, c.state = 'running' and c.deleted_at is null as runs
from campaign c join queue q on q.campaign_id = c.id
where c.id = any(:campaigns::uuid[]) and q.contact_id = any(:contacts::bigint[]) and (q.node_id = :node) is true
  and exists (select from node where id = :node and ended_at is null)
order by c.id, q.contact_id
for share of c for no key update of q;

-- name: plan
-- Writes the plans that may be and answers the others with the reason. An attempt that is there already is a repeated
-- commit: it stays as it is. No phone comes twice in one statement, so each counter is met once. What the call will
-- cost is fixed here: no later price, and no end of the allocation, changes a call that is on its way.
with wanted as materialized (
    select * from unnest(
        :attempts::uuid[], :contacts::bigint[], :campaigns::uuid[], :accounts::uuid[], :trunks::uuid[],
        :numbers::smallint[], :phones::text[], :planned::timestamptz[], :days::date[], :caps::int[],
        :owned::bool[], :running::bool[]
    ) as w(attempt_id, contact_id, campaign_id, account_id, trunk_id, number, phone, planned_at, day, cap, is_owned, runs)
),
judged as materialized (
    select w.*, coalesce(a.parent_id, a.id) as main_id, u.price, u.billing_unit_s,
           case
               when known.node_id = :node and known.state in ('planned', 'answered') then 'known'
               when known.id is not null or not w.is_owned or w.number <= c.attempts then 'not_ours'
               when not w.runs then 'stopped'
               when u.allocation_id is null then 'no_trunk'
               when exists (
                   select from do_not_call d where d.account_id in (a.id, a.parent_id) and d.phone = w.phone
               ) then 'do_not_call'
           end as verdict
    from wanted w
    join account a on a.id = w.account_id
    left join lateral usable_trunk(w.account_id, w.trunk_id) u on true
    left join contact c on c.id = w.contact_id
    left join attempt known on known.id = w.attempt_id
),
counted as (
    insert into phone_day as d (account_id, day, phone, calls)
    select main_id, day, phone, 1 from judged where verdict is null and coalesce(cap, 1) > 0
    order by main_id, day, phone
    on conflict (account_id, day, phone) do update set calls = d.calls + 1
    where d.calls < (
        select coalesce(j.cap, 32767) from judged j
        where (j.main_id, j.day, j.phone) = (d.account_id, d.day, d.phone) and j.verdict is null
    )
    returning phone
),
planned as (
    insert into attempt (id, account_id, campaign_id, contact_id, number, trunk_id, node_id, phone, day, price,
                         billing_unit_s, planned_at)
    select j.attempt_id, j.account_id, j.campaign_id, j.contact_id, j.number, j.trunk_id, :node, j.phone, j.day, j.price,
           j.billing_unit_s, j.planned_at
    from judged j
    -- The comparison keeps this a look-up: as a join it would be walked for each row.
    where j.verdict is null and (j.phone in (select phone from counted)) = true
    returning id, contact_id, number, planned_at
),
told as (
    update contact c
    set attempts = p.number, last_attempt_at = p.planned_at, hold_reason = null, hold_until = null
    from planned p where c.id = p.contact_id
)
select attempt_id, coalesce(verdict, 'daily_cap') as refusal
from judged
where verdict is distinct from 'known' and attempt_id not in (select id from planned);


-- What became of calls

-- name: answer
update attempt a set state = 'answered', answered_at = w.at
from unnest(:attempts::uuid[], :answered::timestamptz[]) as w(id, at)
where a.id = w.id and a.node_id = :node and (a.state = 'planned') is true;

-- name: close
-- Closes attempts once and for all. A contact without a hold is finished, the others wait in lane 1. Answered ones are
-- entered in the ledger; the answer is what each main account has to pay for them.
with ending as materialized (
    select * from unnest(
        :attempts::uuid[], :outcomes::text[], :placed::timestamptz[], :ringing::timestamptz[],
        :answered::timestamptz[], :closed::timestamptz[], :sip_codes::smallint[], :q850s::smallint[],
        :announcements::text[], :timed_out::bool[], :hung_up_by::text[], :reasons::text[],
        :untils::timestamptz[], :ranks::bigint[]
    ) as e(
        id, outcome, placed_at, ringing_at, answered_at, closed_at, sip_code, q850, announcement, timed_out,
        hung_up_by, hold_reason, hold_until, rank
    )
),
closed as (
    update attempt a
    set state = 'closed', outcome = e.outcome, placed_at = e.placed_at, ringing_at = e.ringing_at,
        answered_at = coalesce(e.answered_at, a.answered_at),
        -- The clocks of two nodes may disagree; nobody hangs up before the answer.
        closed_at = greatest(e.closed_at, e.answered_at, a.answered_at), sip_code = e.sip_code, q850 = e.q850,
        announcement = e.announcement, timed_out = e.timed_out, hung_up_by = e.hung_up_by
    from ending e
    where a.id = e.id and a.node_id = :node and (a.state in ('planned', 'answered')) is true
    returning a.id, a.account_id, a.campaign_id, a.contact_id, a.trunk_id, a.outcome, a.answered_at, a.closed_at,
              a.price, a.billing_unit_s, e.hold_reason, e.hold_until, e.rank
),
finished as (
    delete from queue q using closed e
    where q.contact_id = e.contact_id and (q.node_id = :node) is true and e.hold_reason is null
    returning q.campaign_id
),
waiting as (
    update queue q set lane = 1, rank = e.rank, node_id = null
    from closed e
    where q.contact_id = e.contact_id and (q.node_id = :node) is true and e.hold_reason is not null
),
told as (
    update contact c
    set tries = c.tries + 1, outcome = e.outcome, finished = e.hold_reason is null, hold_reason = e.hold_reason,
        hold_until = e.hold_until
    from closed e where c.id = e.contact_id
    returning c.customer_id
),
met as (
    insert into customer_call (customer_id, called_at)
    select distinct customer_id, :now::timestamptz from told where customer_id is not null order by customer_id
    on conflict (customer_id) do nothing
),
counted as (
    insert into campaign_stat as s (campaign_id, slot, finished)
    select campaign_id, :node % 8, count(*) from finished group by campaign_id order by campaign_id
    on conflict (campaign_id, slot) do update set finished = s.finished + excluded.finished
),
measured as materialized (
    -- The unit in which the call was answered has started, however short the call was.
    select c.*, coalesce(a.parent_id, a.id) as main_id, t.talk_ms,
           case when t.talk_ms is null then 0
                else greatest(1, ceil(t.talk_ms / (c.billing_unit_s * 1000.0)))::int
           end as units
    from closed c
    join account a on a.id = c.account_id
    cross join lateral (select (extract(epoch from c.closed_at - c.answered_at) * 1000)::bigint as talk_ms) t
),
billed as (
    insert into ledger (kind, account_id, main_id, amount, at, attempt_id, campaign_id, trunk_id, answered_at, talk_ms,
                        units, billing_unit_s, price)
    select 'call', account_id, main_id, -units * price, closed_at, id, campaign_id, trunk_id, answered_at, talk_ms,
           units, billing_unit_s, price
    from measured where units > 0
),
used as (
    insert into trunk_usage as u (campaign_id, trunk_id, day, slot, account_id, attempts, answered, trunk_errors,
                                  talk_ms, units, cost)
    select campaign_id, trunk_id, (closed_at at time zone 'Asia/Shanghai')::date as day, :node % 8, account_id,
           count(*), count(talk_ms), count(*) filter (where outcome = 'trunk_error'),
           coalesce(sum(talk_ms), 0), sum(units), sum(units * price)
    from measured
    group by campaign_id, trunk_id, day, account_id order by campaign_id, trunk_id, day
    on conflict (campaign_id, trunk_id, day, slot) do update
    set attempts = u.attempts + excluded.attempts, answered = u.answered + excluded.answered,
        trunk_errors = u.trunk_errors + excluded.trunk_errors, talk_ms = u.talk_ms + excluded.talk_ms,
        units = u.units + excluded.units, cost = u.cost + excluded.cost
),
summed as (
    insert into node_usage as n (node_id, attempts, answered, trunk_errors, talk_ms)
    select :node, count(*), count(talk_ms), count(*) filter (where outcome = 'trunk_error'), coalesce(sum(talk_ms), 0)
    from measured having count(*) > 0
    on conflict (node_id) do update
    set attempts = n.attempts + excluded.attempts, answered = n.answered + excluded.answered,
        trunk_errors = n.trunk_errors + excluded.trunk_errors, talk_ms = n.talk_ms + excluded.talk_ms
),
noted as (
    -- Whoever wants to hear of calls is told of this one later; the note becomes true together with the closing.
    insert into callback (account_id, owner_id, url, kind, body, due_at, created_at)
    select e.account_id, t.owner_id, t.url, 'call_finished', jsonb_build_object('attempt', e.id),
           case when e.answered_at is null then :now::timestamptz else :talk_stored::timestamptz end, :now
    from closed e
    join campaign c on c.id = e.campaign_id
    cross join lateral callback_address(e.account_id, c.wire ->> 'call_notify_url', 'call_finished') t
    where case coalesce(c.wire ->> 'call_notify_type', '2')
              when '0' then false
              when '1' then e.outcome <> 'answered'
              else true
          end
    order by e.closed_at, e.id
)
select main_id, sum(units * price) as cost from measured where units * price > 0 group by main_id;

-- name: withdraw
-- The call never left: it does not count for the day, nor as a try. Its number stays used, for its id was.
with back as materialized (
    select * from unnest(
        :attempts::uuid[], :withdrawn::timestamptz[], :reasons::text[], :untils::timestamptz[], :ranks::bigint[]
    ) as b(id, at, hold_reason, hold_until, rank)
),
withdrawn as (
    update attempt a set state = 'withdrawn', closed_at = b.at
    from back b where a.id = b.id and a.node_id = :node and (a.state in ('planned', 'answered')) is true
    returning a.contact_id, a.account_id, a.day, a.phone, b.hold_reason, b.hold_until, b.rank
),
waiting as (
    update queue q set lane = 1, rank = w.rank, node_id = null
    from withdrawn w where q.contact_id = w.contact_id and (q.node_id = :node) is true
),
told as (
    update contact c set hold_reason = w.hold_reason, hold_until = w.hold_until
    from withdrawn w where c.id = w.contact_id
)
update phone_day d set calls = d.calls - w.calls
from (
    select coalesce(a.parent_id, a.id) as main_id, w.day, w.phone, count(*) as calls
    from withdrawn w join account a on a.id = w.account_id
    group by 1, 2, 3
) w
where (d.account_id, d.day, d.phone) = (w.main_id, w.day, w.phone);

-- name: hold
with held as materialized (
    select * from unnest(:contacts::bigint[], :reasons::text[], :untils::timestamptz[], :ranks::bigint[])
        as h(contact_id, hold_reason, hold_until, rank)
),
waiting as (
    update queue q set lane = 1, rank = h.rank, node_id = null
    from held h
    where q.contact_id = h.contact_id and (q.node_id = :node) is true
      and not exists (select from open_attempts(q.campaign_id) a where a.contact_id = q.contact_id)
    returning q.contact_id, h.hold_reason, h.hold_until
)
update contact c set hold_reason = w.hold_reason, hold_until = w.hold_until
from waiting w where c.id = w.contact_id;

-- name: finish
with done as materialized (
    select * from unnest(:contacts::bigint[], :outcomes::text[]) as d(contact_id, outcome)
),
finished as (
    delete from queue q using done d
    where q.contact_id = d.contact_id and (q.node_id = :node) is true
      and not exists (select from open_attempts(q.campaign_id) a where a.contact_id = q.contact_id)
    returning q.contact_id, q.campaign_id, d.outcome
),
told as (
    update contact c set finished = true, outcome = f.outcome, hold_reason = null, hold_until = null
    from finished f where c.id = f.contact_id
)
insert into campaign_stat as s (campaign_id, slot, finished)
select campaign_id, :node % 8, count(*) from finished group by campaign_id order by campaign_id
on conflict (campaign_id, slot) do update set finished = s.finished + excluded.finished;


-- What campaigns do. Who wants to hear of their end is told by the trigger `campaign_stop_told`.

-- name: phase
-- A campaign that runs dials or waits, one that does not lets its calls end: what does not fit was said before the node
-- knew that a user, or another node, has stopped or resumed it. A node that has calls speaks for all that have none.
update campaign c set phase = p.phase, hold_reason = p.hold_reason, hold_until = p.hold_until
from unnest(:campaigns::uuid[], :phases::text[], :reasons::text[], :untils::timestamptz[])
    as p(id, phase, hold_reason, hold_until)
where c.id = p.id
  and (c.phase, c.hold_reason, c.hold_until) is distinct from (p.phase, p.hold_reason, p.hold_until)
  and (c.state = 'running') = coalesce(p.phase <> 'draining', false)
  and (coalesce(p.phase in ('dialing', 'draining'), false)
       or not exists (select from open_attempts(c.id) a where a.node_id <> :node));

-- name: pause
update campaign c
set state = 'paused', pause_reason = p.reason, phase = null, hold_reason = null, hold_until = null, updated_at = :now
from unnest(:campaigns::uuid[], :reasons::text[]) as p(id, reason)
where c.id = p.id and c.state = 'running';

-- name: complete
-- Contacts that were added meanwhile keep it running: they are committed under a lock on the campaign's row.
update campaign c
set state = 'completed', pause_reason = null, phase = null, hold_reason = null, hold_until = null,
    keeps_channels = p.keeps, updated_at = :now
from unnest(:campaigns::uuid[], :keeps::bool[]) as p(id, keeps)
where c.id = p.id and c.state = 'running' and not exists (select from queue q where q.campaign_id = c.id);


-- Capacity leases

-- name: lock_resources
-- In one order for all nodes, or two of them would wait for each other.
select pg_advisory_xact_lock(name)
from (select distinct hashtextextended(r, 7001) as name from unnest(:resources::text[]) as r order by 1) as n;

-- name: renew
-- A node gets its fair share, but no more than what all other rows leave of the limit. So it grows only into free
-- space and shrinks only in its own renewal, and the sum never exceeds the limit.
-- Runs alone for each resource, under the lock; this server's clock is the only one that counts here.
with asked as materialized (
    select * from unnest(:resources::text[], :campaigns::uuid[], :trunks::uuid[], :in_use::int[], :want::int[])
        with ordinality as a(resource, campaign_id, trunk_id, in_use, want, place)
),
clock as materialized (
    select clock_timestamp() as t
),
limited as materialized (
    -- A rate of one and more is handed out in whole calls per second, since every node keeps a window of its own: two
    -- halves of five would be three and three in the worst second. A rate below one goes to one node as a whole.
    select a.*, a.in_use + a.want as demand, clock.t,
           case
               when a.campaign_id is null then coalesce(t.channels_max, 0)
               when a.trunk_id is null then coalesce(c.channels_max, 0)
               when s.trunk_id is null or t.id is null then 0
               else coalesce(s.channels_max, t.channels_max)
           end as channels_max,
           a.campaign_id is null as has_rate,
           case when a.campaign_id is not null or t.id is null then 0 else greatest(floor(t.cps_max), 1) end as units,
           case when t.cps_max < 1 then t.cps_max else 1 end as unit,
           make_interval(secs => greatest(1, 1 / t.cps_max) + 0.1) as rate_window
    from asked a
    cross join clock
    left join trunk t on t.id = a.trunk_id and t.deleted_at is null
    left join campaign c on c.id = a.campaign_id and c.state = 'running' and c.deleted_at is null
    left join campaign_trunk s on s.campaign_id = a.campaign_id and s.trunk_id = a.trunk_id
    where exists (select from node where id = :node and ended_at is null)
),
others as materialized (
    -- Calls outlive leases, so channels stay reserved until they are reclaimed; a rate ends one window after the last
    -- call that may have been started under it.
    select l.resource, l.node_id, l.expires_at > r.t as lives, l.in_use + l.want as demand,
           case when l.reclaim_at > r.t then l.channels else 0 end as channels,
           greatest(
               case when l.expires_at + r.rate_window > r.t then l.cps else 0 end,
               case when l.cps_before_until + r.rate_window > r.t then l.cps_before else 0 end
           ) as cps
    from capacity_lease l join limited r on r.resource = l.resource
    where l.node_id <> :node
),
swept as (
    delete from capacity_lease l using limited r
    where l.resource = r.resource and l.node_id <> :node and l.reclaim_at <= r.t
      and l.expires_at + r.rate_window <= r.t and l.cps_before_until + r.rate_window <= r.t
),
summed as materialized (
    -- Shares are cut from one ruler on which the living nodes stand in the order of their ids: `_to` is where this
    -- node's part ends. So every node cuts at the same places, and the parts add up to the whole.
    select r.resource,
           coalesce(sum(o.channels), 0) as channels,
           coalesce(sum(o.cps), 0) as cps,
           r.demand + coalesce(sum(o.demand) filter (where o.lives), 0) as demand_all,
           coalesce(sum(o.demand) filter (where o.lives and o.node_id < :node), 0) as demand_from,
           1 + count(*) filter (where o.lives) as nodes_all,
           count(*) filter (where o.lives and o.node_id < :node) as nodes_from
    from limited r left join others o on o.resource = r.resource
    group by r.resource, r.demand
),
shared as materialized (
    select r.*, s.channels as channels_taken, s.cps as cps_taken,
           case
               -- What is left when everybody has what he needs is divided evenly.
               when s.demand_all <= r.channels_max then
                   r.demand
                   + ceil((r.channels_max - s.demand_all) * (s.nodes_from + 1)::numeric / s.nodes_all)
                   - ceil((r.channels_max - s.demand_all) * s.nodes_from::numeric / s.nodes_all)
               else
                   ceil(r.channels_max * (s.demand_from + r.demand)::numeric / s.demand_all)
                   - ceil(r.channels_max * s.demand_from::numeric / s.demand_all)
           end as fair_channels,
           case
               when s.demand_all = 0 then
                   ceil(r.units * (s.nodes_from + 1) / s.nodes_all) - ceil(r.units * s.nodes_from / s.nodes_all)
               else
                   ceil(r.units::numeric * (s.demand_from + r.demand) / s.demand_all)
                   - ceil(r.units::numeric * s.demand_from / s.demand_all)
           end as fair_units
    from limited r join summed s on s.resource = r.resource
),
granted as materialized (
    select h.resource, h.place, h.in_use, h.want, h.t, h.has_rate,
           greatest(0, least(h.fair_channels, h.channels_max - h.channels_taken))::int as channels,
           greatest(0, least(h.fair_units, floor((h.units * h.unit - h.cps_taken) / h.unit))) * h.unit as cps,
           h.rate_window
    from shared h
),
renewed as (
    insert into capacity_lease as l
        (resource, node_id, sequence, channels, cps, cps_before, cps_before_until, in_use, want, expires_at, reclaim_at)
    -- Calls in progress go on, also when the limit was lowered below them: they stay reserved, and none may replace them.
    select g.resource, :node, :sequence, greatest(g.in_use, g.channels), g.cps,
           -- The node may start calls under its old rate until it hears of the new one, or else until its old lease
           -- ends; a call that it had planned under it may leave until then.
           case when g.cps < old.cps then greatest(
               old.cps, case when old.cps_before_until + g.rate_window > g.t then old.cps_before else 0 end
           ) else coalesce(old.cps_before, 0) end,
           case when g.cps < old.cps then greatest(old.expires_at, old.cps_before_until)
                else coalesce(old.cps_before_until, '-infinity') end,
           g.in_use, g.want, g.t + :ttl::interval, g.t + :ttl::interval + :drain::interval
    from granted g left join capacity_lease old on old.resource = g.resource and old.node_id = :node
    on conflict (resource, node_id) do update
    set sequence = excluded.sequence, channels = excluded.channels, cps = excluded.cps,
        cps_before = excluded.cps_before, cps_before_until = excluded.cps_before_until, in_use = excluded.in_use,
        want = excluded.want, expires_at = excluded.expires_at, reclaim_at = excluded.reclaim_at
    -- A renewal that was held up on its way must not undo a later one.
    where excluded.sequence > l.sequence
    returning l.resource, l.cps
)
select n.resource, g.channels, case when g.has_rate then n.cps end as cps
from renewed n join granted g on g.resource = n.resource
order by g.place;


-- Talking

-- name: sheet
-- The zone is the one by which the campaign's hours are read for this contact.
select a.phone, t.caller_id, v.agent_id, v.version, v.definition, c.name, c.variables, k.agent_choice,
       coalesce(case when k.in_contact_zone then c.zone end, h.zone, 'Asia/Shanghai') as zone, others.definitions
from attempt a
join campaign k on k.id = a.campaign_id
join agent g on g.id = k.agent_id
join agent_version v on v.agent_id = g.id and v.version = coalesce(k.agent_version, g.version)
join trunk t on t.id = a.trunk_id
left join contact c on c.id = a.contact_id
left join calling_hours h on h.id = k.calling_hours_id
left join lateral (
    select jsonb_object_agg(o.agent_id, jsonb_build_array(o.version, o.definition)) as definitions
    from jsonb_each_text(k.agent_versions) p
    join agent_version o on o.agent_id = p.key::int and o.version = p.value::int
) others on k.agent_choice is not null
where a.id = :attempt;

-- name: save_turns
insert into turn (attempt_id, sequence, speaker, text, dtmf, at_ms)
select :attempt, n, speaker, text, dtmf, at_ms
from unnest(:speakers::text[], :texts::text[], :dtmfs::text[], :times::int[]) with ordinality
    as w(speaker, text, dtmf, at_ms, n)
on conflict (attempt_id, sequence) do update
set speaker = excluded.speaker, text = excluded.text, dtmf = excluded.dtmf, at_ms = excluded.at_ms;

-- name: save_talk
update attempt
set recording = coalesce(:recording, recording), agent_id = coalesce(:agent, agent_id),
    agent_version = coalesce(:version, agent_version)
where id = :attempt;
