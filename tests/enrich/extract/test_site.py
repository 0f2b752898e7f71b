"""What several pages say together."""

from __future__ import annotations

from datetime import datetime

from leadlight.enrich.extract.page import read_page
from leadlight.enrich.extract.site import Site, company_name, site_facts

HOME = """<html lang="en"><head><title>Acme Tools</title><meta name="description" content="We make anvils.">
<script src="https://js.stripe.com/v3/"></script><script src="https://widget.intercom.io/widget/x"></script></head>
<body><p>Anvils and hammers for smiths who care about every blow, made in our own works for a hundred years by people
who know iron and fire, and sent to all the world with love and in strong boxes made of oak.</p>
<a href="mailto:webmaster@acme-tools.com">webmaster</a><a href="https://github.com/acme-tools">code</a></body></html>"""
CONTACT = """<html><head><title>Contact | Acme Tools</title></head><body>
<p>info@acme-tools.com<br>agency@webdesign-studio.org<br>Phone (518) 555-0123<br>12 Main Street, Albany, NY 12207"""


def facts(*pages, host="acme-tools.com"):
    read = [read_page(markup, f"https://{host}/{path}", fetched_at=datetime(2026, 11, 1)) for path, markup in pages]
    return {fact.attribute: fact for fact in site_facts(Site(host, read))}


def test_each_fact_has_its_page():
    found = facts(("", HOME), ("contact", CONTACT))
    assert found["website_title"].value == "Acme Tools"
    assert found["website_pages"].value == 2
    assert found["company_name"].value == "Acme Tools"
    assert found["company_phone"].value == "+15185550123"
    assert found["company_phone"].origin == "https://acme-tools.com/contact"
    assert "(518) 555-0123" in found["company_phone"].evidence
    assert found["company_address"].value == "12 Main Street, Albany, NY 12207"
    assert (found["city"].value, found["country"].value) == ("Albany", "US")
    assert found["city"].confidence < found["company_address"].confidence
    assert found["social_profiles"].value == "https://github.com/acme-tools"


def test_the_address_of_the_whole_company_is_taken():
    assert facts(("", HOME), ("contact", CONTACT))["company_email"].value == "info@acme-tools.com"


def test_tools_by_kind():
    found = facts(("", HOME))
    assert found["technologies"].value == "intercom, stripe"
    assert found["finance_tools"].value == "stripe"
    assert found["support_tools"].value == "intercom"
    assert found["has_chat"].value is True
    assert "crm_tools" not in found


def test_what_no_page_shows_is_less_sure_not_to_be_there():
    found = facts(("", HOME))
    assert found["has_login"].value is False
    assert found["has_login"].confidence < 0.7


def test_a_page_of_few_words_says_nothing_of_what_it_does_not_show():
    found = facts(("", '<title>Acme</title><div id="root"></div><script src="/app.js"></script>'))
    assert not {"has_login", "has_chat", "hiring", "has_pricing_page"} & found.keys()


def test_names_of_all_pages_are_counted_together():
    pages = [
        read_page(f"<title>{title}</title>", "https://x.com/") for title in ("Wrong | Acme", "Acme", "Acme | Right")
    ]
    found, _ = company_name(pages)
    assert found.value == "Acme"
    assert company_name([read_page("", "https://x.com/")]) is None


def test_a_list_of_technologies_is_bounded():
    many = "".join(f'<script src="https://{host}/x.js"></script>' for host in (
        "js.stripe.com", "widget.intercom.io", "cdn.segment.com", "js.hs-scripts.com", "static.hotjar.com",
        "cdn.mxpnl.com",
        "cdn.amplitude.com", "cdn.heapanalytics.com", "www.googletagmanager.com/gtm.js", "cdn.optimizely.com",
        "js.driftt.com",
        "munchkin.marketo.net", "pi.pardot.com", "static.zdassets.com", "connect.facebook.net/en_us/fbevents.js",
        "snap.licdn.com",
        "static.klaviyo.com", "cdn.onesignal.com", "cdn.pendo.io", "fast.wistia.com", "js.recurly.com",
        "cdn.shopify.com",
        "static.criteo.net", "s.adroll.com", "bat.bing.com", "cdn.taboola.com", "widgets.outbrain.com",
        "cdn.cookielaw.org",
        "consent.cookiebot.com", "app.usercentrics.eu", "js-agent.newrelic.com", "browser.sentry-cdn.com",
        "cdn.auth0.com",
        "polyfill.io", "unpkg.com", "cdn.jsdelivr.net", "cdnjs.cloudflare.com", "ajax.googleapis.com",
        "assets.calendly.com",
        "embed.typeform.com", "widget.trustpilot.com", "staticw2.yotpo.com", "cdn.weglot.com", "play.vidyard.com",
        "api.mapbox.com",
    ))  # fmt: skip
    found = facts(("", many))["technologies"]
    assert 400 < len(found.value) <= 500
    assert not found.value.endswith(",")
    assert len(found.evidence) <= 300
