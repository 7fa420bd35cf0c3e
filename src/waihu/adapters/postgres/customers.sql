-- The CRM pool. `repositories/customers.py` and `contact_import.py` run it.
--
-- Rows of a pool are written in the order of their phones, so that two imports of the same people do not cross.


-- name: put
-- What is not said of a customer that is known stays as it is. Rows that arrive together keep their order: each is a
-- microsecond younger than the one before it.
with said as (
    select distinct on (phone) *
    from jsonb_to_recordset(:entries::jsonb) as r(
        line int, phone text, name text, email text, company text, sex smallint, sort int, source_id int,
        industry_id int, grade_id int, extra text, operator text, province text, city text, components jsonb
    )
    order by phone, line desc
)
insert into customer as c (
    pool_id, account_id, phone, name, email, company, sex, sort, source_id, industry_id, grade_id, extra, operator,
    province, city, components, created_at, updated_at
)
select coalesce(a.parent_id, a.id), a.id, s.phone, s.name, s.email, s.company, s.sex, s.sort, s.source_id, s.industry_id,
       s.grade_id, s.extra, s.operator, s.province, s.city, s.components,
       :now::timestamptz + s.line * interval '1 microsecond', :now
from said s cross join account a
where a.id = :account
order by s.phone
on conflict (pool_id, phone, account_id) do update
set name = coalesce(excluded.name, c.name), email = coalesce(excluded.email, c.email),
    company = coalesce(excluded.company, c.company), sex = coalesce(excluded.sex, c.sex),
    sort = coalesce(excluded.sort, c.sort), source_id = coalesce(excluded.source_id, c.source_id),
    industry_id = coalesce(excluded.industry_id, c.industry_id), grade_id = coalesce(excluded.grade_id, c.grade_id),
    extra = coalesce(excluded.extra, c.extra), operator = excluded.operator, province = excluded.province,
    city = excluded.city, components = c.components || excluded.components, updated_at = excluded.updated_at
returning phone, id;

-- name: read
-- Customers as they are shown, with those of their components that the template still has.
select u.*, m.called_at, t.components as shown
from customer u
left join customer_call m on m.customer_id = u.id
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_array(k.id, k.name, k.kind, k.sort, v.value) order by k.sort, k.id), '[]')
        as components
    from customer_component k
    cross join lateral (
        select case k.role
            when 'name' then u.name when 'company' then u.company when 'email' then u.email
            else u.components ->> k.id::text
        end as value
    ) v
    where k.account_id = u.pool_id and v.value is not null
) t
where u.id = any(:ids::uuid[])
order by u.created_at desc, u.id desc;

-- name: remove
with removed as (
    delete from customer where id = any(:ids::uuid[]) returning id
),
forgotten as (
    delete from customer_call where customer_id in (select id from removed)
)
select count(*) as customers from removed;

-- name: enrolment
select campaign_id, account_id, chosen, created_at from enrolment where id = :enrolment;

-- name: lock_enrolment
-- One portion at a time, whoever is at it.
select after_at, after_id from enrolment where id = :enrolment and finished_at is null for update;

-- name: staged
select count(*) as contacts, (array_agg(customer_id order by line desc))[1] as last from incoming_contact;

-- name: variables
-- What scripts may say of the customers that were staged for a campaign: their components by name.
update incoming_contact i
set variables = jsonb_strip_nulls(jsonb_build_object('公司', u.company, '邮箱', u.email)) || (
    select coalesce(jsonb_object_agg(k.name, u.components ->> k.id::text), '{}')
    from customer_component k
    where k.account_id = u.pool_id and u.components ? k.id::text
)
from customer u
where u.id = i.customer_id;

-- name: advance
-- How far a enrolment has come, and what became of the rows since the last time. The last customer of a portion is its end.
update enrolment p
set accepted = accepted + :accepted, duplicate = duplicate + :duplicate, do_not_call = do_not_call + :do_not_call,
    after_at = u.created_at, after_id = u.id
from customer u
where p.id = :enrolment and u.id = :last;
