-- The scorecard by hand, in ClickHouse's SQL; $T is the as-of.
WITH seen AS (
    SELECT lead, type, at, path, seconds, dateDiff('microsecond', at, $T) / 86400000000 AS age
    FROM bench.events
    WHERE at <= $T AND type IN ('page_view', 'email_open', 'email_click', 'form_submit', 'webinar_attended', 'demo_request', 'unsubscribe')
),
summed AS (
    SELECT
        lead,
        sumIf(exp(age * (-0.6931471805599453 / 14)), type = 'page_view' AND path LIKE '/pricing%') AS s_pricing,
        countIf(type = 'page_view' AND age < 30) AS s_visits,
        sumIf(exp(age * (-0.6931471805599453 / 30)), type = 'page_view' AND path LIKE '/customers%') AS s_stories,
        countIf(type = 'page_view' AND age < 90 AND seconds >= 60 AND path LIKE '/docs%') AS s_docs,
        countIf(type = 'page_view' AND age < 180 AND path LIKE '/careers%') AS s_jobs,
        sumIf(exp(age * (-0.6931471805599453 / 30)), type = 'email_open') AS s_opens,
        sumIf(exp(age * (-0.6931471805599453 / 21)), type = 'email_click') AS s_clicks,
        countIf(type = 'email_click' AND age < 7) AS s_week,
        countIf(type = 'demo_request' AND age < 30) AS s_demo,
        countIf(type = 'webinar_attended' AND age < 90) AS s_webinars,
        countIf(type = 'unsubscribe') AS s_left,
        groupArraySortedIf(3)(-age, type = 'form_submit') AS l_forms
    FROM seen
    GROUP BY lead
),
points AS (
    SELECT
        l.lead AS lead,
        multiIf(isNull(seniority), 0., seniority = 'c_level', 20., seniority = 'vp', 15., seniority = 'director', 10.,
                seniority = 'manager', 5., -2.) AS p_seniority,
        multiIf(isNull(employees), -1., employees < 0, 0., employees < 10, -5., employees < 200, 5., employees < 5000, 15., 8.) AS p_size,
        multiIf(isNull(industry), 0., industry = 'software', 10., industry = 'finance', 8., industry = 'health', 6.,
                industry = 'retail', 2., -1.) AS p_industry,
        multiIf(isNull(country), -2., country = 'US', 6., country = 'DE', 5., country = 'GB', 5., country = 'FR', 4.,
                country = 'NL', 3., 0.) AS p_country,
        multiIf(isNull(lead_source), 4.4, lead_source = 'referral', 14.2, lead_source = 'organic', 3.1, lead_source = 'ads', -6.,
                -1.2) AS p_source,
        multiIf(isNull(revenue), 0., revenue < 0, 0., revenue < 1000000, -3., revenue < 20000000, 4., 9.) AS p_revenue,
        if(ifNull(crm = 'salesforce' AND employees > 50, 0), 5., 0.) AS p_works,
        if(ifNull(email_kind = 'free', 0), -8., 0.) AS p_mailbox,
        least(ifNull(s_pricing, 0) * 5, 20.) AS p_pricing,
        least(ifNull(s_visits, 0) * 0.5, 10.) AS p_visits,
        least(ifNull(s_stories, 0) * 2, 10.) AS p_stories,
        least(ifNull(s_docs, 0) * 1., 8.) AS p_docs,
        greatest(ifNull(s_jobs, 0) * -3., -15.) AS p_jobs,
        least(ifNull(s_opens, 0) * 0.5, 5.) AS p_opens,
        least(ifNull(s_clicks, 0) * 2, 12.) AS p_clicks,
        least(ifNull(s_week, 0) * 1., 2.) * 3 AS p_week,
        least(ifNull(s_demo, 0) * 1., 1.) * 30 AS p_demo,
        arraySum(x -> exp(-x * (-0.6931471805599453 / 60)), l_forms) * 4. AS p_forms,
        least(ifNull(s_webinars, 0) * 6., 12.) AS p_webinars,
        greatest(ifNull(s_left, 0) * -40., -40.) AS p_left,
        ifNull(email_domain IN ('rival.com', 'rival.io'), 0) AS rival
    FROM (SELECT lead FROM bench.leads WHERE created_at <= $T) AS l
    LEFT JOIN (SELECT * FROM bench.attributes WHERE known_at <= $T AND known_until > $T) AS a ON a.lead = l.lead
    LEFT JOIN summed AS s ON s.lead = l.lead
),
totals AS (
    SELECT
        *,
        p_seniority + p_size + p_industry + p_country + p_source + p_revenue + p_works + p_mailbox AS raw_fit,
        p_pricing + p_visits + p_stories + p_docs + p_jobs + p_opens + p_clicks + p_week + p_demo + p_forms + p_webinars + p_left AS raw_engagement,
        greatest(-60., least(70., raw_fit)) AS fit,
        greatest(-20., least(60., raw_engagement)) AS engagement
    FROM points
)
SELECT
    lead, p_seniority AS seniority, p_size AS size, p_industry AS industry, p_country AS country, p_source AS source,
    p_revenue AS revenue, p_works AS works, p_mailbox AS mailbox, p_pricing AS pricing, p_visits AS visits,
    p_stories AS stories, p_docs AS docs, p_jobs AS jobs, p_opens AS opens, p_clicks AS clicks, p_week AS week,
    p_demo AS demo, p_forms AS forms, p_webinars AS webinars, p_left AS left, fit, engagement, fit - raw_fit AS fit_cap,
    engagement - raw_engagement AS engagement_cap, 5 + fit + engagement AS score,
    if(rival, 'D3', concat(multiIf(fit >= 40, 'A', fit >= 20, 'B', fit >= 0, 'C', 'D'),
                           multiIf(engagement >= 30, '1', engagement >= 10, '2', '3'))) AS grade
FROM totals
