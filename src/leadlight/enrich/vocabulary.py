"""The attributes that providers give: one name, one meaning, one type, whoever gives it.

So that a waterfall can go from one provider to the next by the attribute's name, and a scorecard does not care who
answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadlight.expr.types import Type


@dataclass(frozen=True, slots=True)
class Meaning:
    """The type of an attribute, what it says, and an example."""

    type: Type
    means: str
    example: str


def _text(means: str, example: str) -> Meaning:
    return Meaning(Type.TEXT, means, example)


def _number(means: str, example: str) -> Meaning:
    return Meaning(Type.NUMBER, means, example)


def _bool(means: str) -> Meaning:
    return Meaning(Type.BOOL, means, "true")


def _time(means: str, example: str) -> Meaning:
    return Meaning(Type.TIME, means, example)


VOCABULARY: Mapping[str, Meaning] = {
    # e-mail
    "email_valid": _bool("the e-mail address is well formed"),
    "email_normal": _text("the address without tags and dots that do not matter, in lower case", "ada@acme.com"),
    "email_domain": _text("the registrable domain of the address", "acme.com"),
    "email_domain_kind": _text("free, disposable, education, government or corporate", "corporate"),
    "email_role": _bool("the address is a function's (info@, sales@), not a person's"),
    "email_has_mx": _bool("the domain takes e-mail"),
    "first_name": _text("first name, as given or as guessed from the address", "Ada"),
    "last_name": _text("last name, as given or as guessed from the address", "Lovelace"),
    # phone
    "phone_valid": _bool("the number exists in its country's plan"),
    "phone_e164": _text("the number in international form", "+12125550123"),
    "phone_country": _text("country of the number, two letters", "US"),
    "phone_region": _text("region of the number", "New York, NY"),
    "phone_type": _text("mobile, fixed_line, toll_free, voip …", "mobile"),
    "phone_carrier": _text("the carrier that the number was given to first", "T-Mobile"),
    # place
    "address_normal": _text("the postal address on one line, in normal form", "12 Main St, Albany, NY 12207, US"),
    "city": _text("city", "Albany"),
    "region": _text("state, province or region", "NY"),
    "postal_code": _text("postal code", "12207"),
    "country": _text("country, two letters", "US"),
    "latitude": _number("degrees north", "42.65"),
    "longitude": _number("degrees east", "-73.75"),
    "time_zone": _text("time zone", "America/New_York"),
    "distance_km": _number("kilometres to the point named in the settings", "120"),
    "city_population": _number("people who live in that city", "99224"),
    # dns
    "mail_suite": _text("who receives its e-mail", "google_workspace"),
    "mail_gateway": _text("who filters its e-mail before that", "proofpoint"),
    "spf_tools": _text("tools that may send in its name (SPF)", "hubspot, zendesk"),
    "verified_tools": _text("tools whose ownership records it keeps (TXT)", "atlassian, docusign"),
    "dmarc_policy": _text("none, quarantine or reject; absent where it has no DMARC", "reject"),
    "dns_host": _text("who serves its names", "cloudflare"),
    "hosting": _text("where its web site is hosted", "aws"),
    "domain_resolves": _bool("the domain has addresses"),
    # tools by kind, from DNS and web site
    "marketing_tools": _text("marketing tools in use", "hubspot"),
    "crm_tools": _text("CRM and sales tools in use", "salesforce"),
    "support_tools": _text("support tools in use", "zendesk"),
    "finance_tools": _text("finance and billing tools in use", "stripe"),
    # web site
    "website_title": _text("title of the home page", "Acme: anvils since 1920"),
    "website_description": _text("how the company describes itself", "We make anvils."),
    "website_language": _text("language of the home page, two letters", "en"),
    "website_status": _text("live, parked, redirect_elsewhere, broken or absent", "live"),
    "website_pages": _number("pages that were read", "4"),
    "website_words": _number("words on these pages", "1830"),
    "website_feed": _text("address of its feed", "https://acme.com/feed.xml"),
    "website_changed_at": _time("when a page last changed, by its own account", "2026-03-12"),
    "technologies": _text("technologies found in headers and markup", "shopify, react"),
    "ecommerce_platform": _text("shop software", "shopify"),
    "cms": _text("content management system", "wordpress"),
    "analytics_tools": _text("analytics on the site", "google_analytics"),
    "hiring": _bool("the site has open positions, or a page about careers"),
    "open_positions": _number("open positions found", "7"),
    "has_pricing_page": _bool("there is a page with prices"),
    "has_free_trial": _bool("a trial or a free plan is offered"),
    "has_demo_request": _bool("a demo can be asked for"),
    "has_chat": _bool("there is a chat window"),
    "has_login": _bool("customers can log in"),
    "social_profiles": _text("addresses of its profiles, separated by spaces", "https://github.com/acme"),
    "company_email": _text("e-mail address on its site", "info@acme.com"),
    "company_phone": _text("phone number on its site, in international form", "+12125550123"),
    "company_address": _text("postal address on its site", "12 Main St, Albany, NY 12207"),
    # company
    "company_name": _text("the name the company goes by", "Acme Inc."),
    "company_website": _text("address of its home page", "https://acme.com"),
    "legal_name": _text("its registered name", "ACME INCORPORATED"),
    "company_form": _text("its legal form", "inc"),
    "company_status": _text("active, inactive, dissolved …, as registered", "active"),
    "company_number": _text("its number in the register it was found in", "gleif:5493001KJTIIGC8Y1R12"),
    "founded": _number("year of foundation or registration", "1920"),
    "employees": _number("people it employs", "250"),
    "industry": _text("industry, in one of the names of `industries`", "software"),
    "industry_code": _text("code of the industry, with its scheme", "sic:7372"),
    "revenue": _number("revenue of a year, in US dollars", "12000000"),
    "listed": _bool("its shares are traded"),
    "parent_company": _text("who owns it", "Globex"),
    # domain
    "domain_created_at": _time("when the domain was registered", "1999-01-02"),
    "domain_expires_at": _time("when the registration ends", "2027-01-02"),
    "domain_registrar": _text("with whom it is registered", "Gandi SAS"),
    "domain_age_days": _number("days since the domain was registered", "9800"),
    # social
    "has_gravatar": _bool("the e-mail address has a public profile picture"),
    "github_repositories": _number("public repositories", "42"),
    "github_followers": _number("followers on GitHub", "1300"),
    "social_followers": _number("followers on the public networks that were asked", "5400"),
    "social_last_post_at": _time("the newest public post", "2026-10-01"),
    "social_bio": _text("how it describes itself there", "Anvils for roadrunners"),
    # ip
    "ip_country": _text("country of the IP address, two letters", "US"),
    "ip_city": _text("city of the IP address", "Albany"),
    "ip_organisation": _text("who runs that network", "Comcast"),
    "ip_kind": _text("hosting, business, isp or mobile, where known", "business"),
    # news and search
    "news_30d": _number("items about it in the last 30 days", "3"),
    "news_last_at": _time("the newest item", "2026-11-02"),
    "news_headline": _text("the newest headline", "Acme raises 10 million"),
    "news_topics": _text("funding, hiring, acquisition, product, lawsuit, layoffs", "funding"),
    "search_results": _number("results of a search for it", "1200"),
    # texts
    "seniority": _text("c_level, vp, director, manager, senior, staff, entry", "director"),
    "job_function": _text(
        "engineering, sales, marketing, finance, operations, hr, it, support, legal or product", "it"
    ),
    "intent": _text("demo, pricing, support, job, partnership, spam or other", "demo"),
    "text_language": _text("language of what it wrote, two letters", "en"),
    "text_urgency": _bool("it says that it is urgent"),
    "text_budget": _number("an amount of money it names", "20000"),
    "text_team_size": _number("a number of people or seats it names", "25"),
}
"""Attribute → meaning. A provider described in YAML may add names of its own."""
