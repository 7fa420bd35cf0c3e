-- Contacts in great numbers. `contact_import.py` runs it, in transactions short enough to leave the engines alone.
--
-- Nothing here waits for a contact that an engine has claimed while it holds a lock on the campaign.


-- name: reserve
-- Places in the order of arrival. Given out beforehand, so that the campaign's row, which every plan locks, stays free
-- while the rows are written; places of an import that fails are lost.
update campaign set last_position = last_position + :count::int where id = :campaign and deleted_at is null
returning account_id, last_position - :count::int as base;

-- name: stage
create temp table if not exists incoming_contact (
    line int not null,
    key text collate "C" not null,
    name text,
    extra text,
    zone text,
    variables jsonb not null,
    customer_id uuid
) on commit delete rows;

-- name: add
-- In order of keys, which are compared as bytes: the unique index is walked once from left to right. Ids are given out
-- beforehand, in the order of arrival, because lists go by them.
with arrived as materialized (
    select i.*, :base::int + row_number() over (order by i.line) as position, nextval('contact_id_seq') as id,
           exists (
               select from do_not_call d
               where d.account_id in (a.id, a.parent_id) and d.phone = split_part(i.key, '_', 1)
           ) as forbidden
    from incoming_contact i
    cross join campaign k join account a on a.id = k.account_id
    where k.id = :campaign
),
added as (
    insert into contact (id, campaign_id, position, key, name, extra, zone, variables, customer_id)
    overriding system value
    select id, :campaign, position, key, name, extra, zone, variables, customer_id
    from arrived where not forbidden
    order by key, line
    on conflict (campaign_id, key) do nothing
    returning id, position
),
queued as (
    insert into queue (contact_id, campaign_id, lane, rank)
    select n.id, k.id, 0,
           case k.taking_order
               when 'sequential' then n.position
               when 'reverse' then -n.position
               when 'random' then hashint8extended(n.position, k.order_seed)
           end as rank
    from added n cross join campaign k where k.id = :campaign
    order by rank
),
counted as (
    insert into campaign_stat as s (campaign_id, slot, contacts)
    select :campaign, 0, count(*) from added
    on conflict (campaign_id, slot) do update set contacts = s.contacts + excluded.contacts
)
select r.line, r.forbidden
from arrived r
where not exists (select from added n where n.position = r.position)
order by r.line;

-- name: staged_keys
select key from incoming_contact where line <> all(:without::int[]) order by line;

-- name: touch
-- Engines see by the number of arrivals that there is something to do. A campaign that had come to its end runs again, unless a user ended
-- it or wanted it to pause at its end; it is paused when it must pay for its calls and cannot.
update campaign c
set arrivals = arrivals + 1,
    (state, pause_reason) = (
        select case when not revives then c.state when is_broke then 'paused' else 'running' end,
               case when revives and is_broke then 'no_balance' else c.pause_reason end
        from (
            select c.state = 'completed' and c.pause_reason is null and c.end_action = 'none' as revives,
                   exists (
                       select from campaign_trunk s cross join lateral usable_trunk(c.account_id, s.trunk_id) u
                       where s.campaign_id = c.id and u.price > 0
                   ) and not exists (
                       select from account a join balance b on b.account_id = coalesce(a.parent_id, a.id)
                       where a.id = c.account_id and b.amount > 0
                   ) as is_broke
        ) now_is
    )
where c.id = :campaign;

-- name: find
-- Contacts by key or phone. A number that came twice carries a suffix: 13012121211_k3x. In "C" order those keys lie
-- between _ and `.
select distinct c.id
from unnest(:keys::text[]) as k(key)
join contact c on c.campaign_id = :campaign and (c.key = k.key or (c.key >= k.key || '_' and c.key < k.key || '`'))
order by c.id;

-- name: next_page
-- The ids of the next contacts that are meant.
select c.id from contact c
where c.campaign_id = :campaign and c.id > :after
  and (:ids::bigint[] is null or c.id = any(:ids))
  and (:keyword::text is null or strpos(c.key, :keyword) > 0 or strpos(lower(c.name), lower(:keyword)) > 0)
  and (:outcomes::text[] is null or (c.finished and c.outcome = any(:outcomes)) or (:waiting and not c.finished))
  and (:created_from::timestamptz is null or c.created_at >= :created_from)
  and (:created_to::timestamptz is null or c.created_at <= :created_to)
order by c.id limit :count;

-- name: reset
-- What an engine has claimed is being called, or about to be.
with queued as (
    insert into queue as q (contact_id, campaign_id, lane, rank)
    select c.id, k.id, 0,
           case k.taking_order
               when 'sequential' then c.position
               when 'reverse' then -c.position
               when 'random' then hashint8extended(c.position, k.order_seed)
           end
    from contact c join campaign k on k.id = c.campaign_id
    where k.id = :campaign and k.deleted_at is null and c.id = any(:ids::bigint[])
    order by c.id
    on conflict (contact_id) do update set lane = 0, rank = excluded.rank where q.node_id is null
    returning contact_id
),
before as materialized (
    select id, finished from contact where id in (select contact_id from queued) for update
),
told as (
    update contact c
    set tries = 0, finished = false, outcome = null, hold_reason = null, hold_until = null
    from before b where c.id = b.id
),
counted as (
    insert into campaign_stat as s (campaign_id, slot, finished)
    select :campaign, 0, -count(*) from before where finished
    on conflict (campaign_id, slot) do update set finished = s.finished + excluded.finished
)
select count(*) as contacts from before;

-- name: delete
with unqueued as (
    delete from queue where contact_id = any(:ids::bigint[]) and campaign_id = :campaign
),
deleted as (
    delete from contact where id = any(:ids::bigint[]) and campaign_id = :campaign returning id, key, finished
),
counted as (
    insert into campaign_stat as s (campaign_id, slot, contacts, finished)
    select :campaign, 0, -count(*), -count(*) filter (where finished) from deleted
    on conflict (campaign_id, slot) do update
    set contacts = s.contacts + excluded.contacts, finished = s.finished + excluded.finished
)
select coalesce(array_agg(key order by id), '{}') as keys from deleted;

-- name: reorder
update queue q
set rank = case k.taking_order
        when 'sequential' then c.position
        when 'reverse' then -c.position
        when 'random' then hashint8extended(c.position, k.order_seed)
    end
from contact c join campaign k on k.id = c.campaign_id
where k.id = :campaign and c.id = any(:ids::bigint[]) and q.contact_id = c.id and q.lane = 0 and q.node_id is null;
