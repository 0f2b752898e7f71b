-- The scorecard by hand, in DuckDB's SQL; $T is the as-of. Measured as the fastest form: values are worked out before
-- they are summed, what is counted is counted and not summed, sums have an ELSE 0, and points of attributes are worked
-- out before the join. The types that can count are given as what they are not, a chain of comparisons the scan itself
-- can use.
WITH seen AS (
    SELECT lead, type, "at", path, seconds, (epoch_us($T) - epoch_us("at")) / 86400000000.0 AS age
    FROM events
    WHERE "at" <= $T AND type <> 'email_sent' AND type <> 'ad_impression' AND type <> 'session_start'
      AND type <> 'call_logged' AND type <> 'note_added'
),
valued AS (
    SELECT
        lead,
        CASE WHEN type = 'page_view' AND path LIKE '/pricing%' THEN exp(age * (-0.6931471805599453e0 / 14)) ELSE 0e0 END AS v_pricing,
        CASE WHEN type = 'page_view' AND "at" > $T - INTERVAL 30 DAY THEN true END AS v_visits,
        CASE WHEN type = 'page_view' AND path LIKE '/customers%' THEN exp(age * (-0.6931471805599453e0 / 30)) ELSE 0e0 END AS v_stories,
        CASE WHEN type = 'page_view' AND "at" > $T - INTERVAL 90 DAY AND seconds >= 60 AND path LIKE '/docs%' THEN true END AS v_docs,
        CASE WHEN type = 'page_view' AND "at" > $T - INTERVAL 180 DAY AND path LIKE '/careers%' THEN true END AS v_jobs,
        CASE WHEN type = 'email_open' THEN exp(age * (-0.6931471805599453e0 / 30)) ELSE 0e0 END AS v_opens,
        CASE WHEN type = 'email_click' THEN exp(age * (-0.6931471805599453e0 / 21)) ELSE 0e0 END AS v_clicks,
        CASE WHEN type = 'email_click' AND "at" > $T - INTERVAL 7 DAY THEN true END AS v_week,
        CASE WHEN type = 'demo_request' AND "at" > $T - INTERVAL 30 DAY THEN true END AS v_demo,
        CASE WHEN type = 'webinar_attended' AND "at" > $T - INTERVAL 90 DAY THEN true END AS v_webinars,
        CASE WHEN type = 'unsubscribe' THEN true END AS v_left,
        CASE WHEN type = 'form_submit' THEN age END AS v_forms
    FROM seen
),
summed AS (
    SELECT
        lead, sum(v_pricing) AS s_pricing, count(v_visits) AS s_visits, sum(v_stories) AS s_stories, count(v_docs) AS s_docs,
        count(v_jobs) AS s_jobs, sum(v_opens) AS s_opens, sum(v_clicks) AS s_clicks, count(v_week) AS s_week,
        count(v_demo) AS s_demo, count(v_webinars) AS s_webinars, count(v_left) AS s_left, max(v_forms, 3) AS l_forms
    FROM valued
    GROUP BY lead
),
known AS (
    SELECT
        l.lead,
        CASE WHEN seniority IS NULL THEN 0e0 WHEN seniority = 'c_level' THEN 20 WHEN seniority = 'vp' THEN 15
             WHEN seniority = 'director' THEN 10 WHEN seniority = 'manager' THEN 5 ELSE -2 END AS seniority,
        CASE WHEN employees IS NULL THEN -1e0 WHEN employees < 0 THEN 0 WHEN employees < 10 THEN -5 WHEN employees < 200 THEN 5
             WHEN employees < 5000 THEN 15 ELSE 8 END AS size,
        CASE WHEN industry IS NULL THEN 0e0 WHEN industry = 'software' THEN 10 WHEN industry = 'finance' THEN 8
             WHEN industry = 'health' THEN 6 WHEN industry = 'retail' THEN 2 ELSE -1 END AS industry,
        CASE WHEN country IS NULL THEN -2e0 WHEN country = 'US' THEN 6 WHEN country = 'DE' THEN 5 WHEN country = 'GB' THEN 5
             WHEN country = 'FR' THEN 4 WHEN country = 'NL' THEN 3 ELSE 0 END AS country,
        CASE WHEN lead_source IS NULL THEN 4.4e0 WHEN lead_source = 'referral' THEN 14.2 WHEN lead_source = 'organic' THEN 3.1
             WHEN lead_source = 'ads' THEN -6 ELSE -1.2 END AS source,
        CASE WHEN revenue IS NULL THEN 0e0 WHEN revenue < 0 THEN 0 WHEN revenue < 1000000 THEN -3 WHEN revenue < 20000000 THEN 4
             ELSE 9 END AS revenue,
        CASE WHEN crm = 'salesforce' AND employees > 50 THEN 5e0 ELSE 0 END AS works,
        CASE WHEN email_kind = 'free' THEN -8e0 ELSE 0 END AS mailbox,
        coalesce(email_domain IN ('rival.com', 'rival.io'), false) AS rival
    FROM leads l
    LEFT JOIN attributes a ON a.lead = l.lead AND a.known_at <= $T AND a.known_until > $T
    WHERE l.created_at <= $T
),
points AS (
    SELECT
        l.lead,
        seniority, size, industry, country, source, revenue, works, mailbox,
        least(coalesce(s_pricing, 0) * 5, 20) AS pricing,
        least(coalesce(s_visits, 0) * 0.5e0, 10) AS visits,
        least(coalesce(s_stories, 0) * 2, 10) AS stories,
        least(coalesce(s_docs, 0), 8) AS docs,
        greatest(coalesce(s_jobs, 0) * -3, -15) AS jobs,
        least(coalesce(s_opens, 0) * 0.5e0, 5) AS opens,
        least(coalesce(s_clicks, 0) * 2, 12) AS clicks,
        least(coalesce(s_week, 0), 2) * 3 AS week,
        least(coalesce(s_demo, 0), 1) * 30 AS demo,
        coalesce(list_sum(list_transform(l_forms, lambda age: exp(age * (-0.6931471805599453e0 / 60)))), 0) * 4 AS forms,
        least(coalesce(s_webinars, 0) * 6, 12) AS webinars,
        greatest(coalesce(s_left, 0) * -40, -40) AS "left",
        rival
    FROM known l
    LEFT JOIN summed s ON s.lead = l.lead
),
totals AS (
    SELECT
        *,
        greatest(-60, least(70, seniority + size + industry + country + source + revenue + works + mailbox)) AS fit,
        greatest(-20, least(60, pricing + visits + stories + docs + jobs + opens + clicks + week + demo + forms + webinars + "left")) AS engagement
    FROM points
)
SELECT
    lead, seniority, size, industry, country, source, revenue, works, mailbox, pricing, visits, stories, docs, jobs, opens,
    clicks, week, demo, forms, webinars, "left", fit, engagement,
    fit - (seniority + size + industry + country + source + revenue + works + mailbox) AS fit_cap,
    engagement - (pricing + visits + stories + docs + jobs + opens + clicks + week + demo + forms + webinars + "left") AS engagement_cap,
    5 + fit + engagement AS score,
    CASE WHEN rival THEN 'D3' ELSE
        CASE WHEN fit >= 40 THEN 'A' WHEN fit >= 20 THEN 'B' WHEN fit >= 0 THEN 'C' ELSE 'D' END
        || CASE WHEN engagement >= 30 THEN '1' WHEN engagement >= 10 THEN '2' ELSE '3' END
    END AS grade
FROM totals
