"""What the DNS records of a domain say."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internet import Internet, companies
from leadlight.enrich.net.net import open_network
from leadlight.enrich.network import MONTH, NetworkError, Why
from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.providers.dns import ABOUT, SELECTORS, Dns, DnsSettings, Records, facts, verified_tool
from leadlight.enrich.providers.dns_tools import shipped_patterns
from leadlight.enrich.sound import sound

PATTERNS = shipped_patterns()


def says(**records):
    return {fact.attribute: fact.value for fact in facts(Records("acme.com", **records), PATTERNS)}


def asked(internet: Internet, domain: str, **told):
    async def ask():
        async with open_network(internet.network(), None) as network:
            return await Dns(DnsSettings(**told)).ask(Query({Clue.DOMAIN: domain}), network)

    found = asyncio.run(ask())
    assert sound(found, ABOUT) == found
    return {fact.attribute: fact.value for fact in found}


# --- over the wire ---


def test_a_company_with_everything(internet):
    internet.records(
        "tools.example",
        mx=["20 alt1.aspmx.l.google.com", "10 aspmx.l.google.com"],
        txt=[
            "v=spf1 include:_spf.google.com include:mail.zendesk.com include:_own.tools.example -all",
            "google-site-verification=abc", "atlassian-domain-verification=x", "stripe-verification=1f", "MS=ms123",
        ],
        ns=["ns-1.awsdns-01.com", "ns-2.awsdns-02.org"],
        a=["151.101.1.195"],
    )  # fmt: skip
    internet.records(
        "_own.tools.example", txt=["v=spf1 include:1234.spf05.hubspotemail.net include:_more.tools.example ~all"]
    )
    internet.records("_more.tools.example", txt=["v=spf1 include:servers.mcsv.net ip4:192.0.2.0/24 -all"])
    internet.records("_dmarc.tools.example", txt=["v=DMARC1; p=reject; rua=mailto:d@tools.example"])
    internet.records("www.tools.example", cname="shops.myshopify.com")
    assert asked(internet, "Tools.Example.") == {
        "email_has_mx": True,
        "mail_suite": "google_workspace",
        "spf_tools": "google_workspace, hubspot, mailchimp, zendesk",
        "verified_tools": "atlassian, google_search_console, microsoft_365, stripe",
        "marketing_tools": "hubspot, mailchimp",
        "crm_tools": "hubspot",
        "support_tools": "zendesk",
        "finance_tools": "stripe",
        "dmarc_policy": "reject",
        "dns_host": "aws_route53",
        "hosting": "shopify",
        "domain_resolves": True,
    }


def test_a_domain_with_addresses_of_the_new_kind_only(internet):
    internet.records("six.example", aaaa=["2606:4700::6810:1"])
    found = asked(internet, "six.example")
    assert (found["domain_resolves"], found["hosting"]) == (True, "cloudflare")


def test_an_international_domain(internet):
    internet.records("xn--kse-qla.example", mx=["10 mx.xn--kse-qla.example"], a=["127.0.0.9"])
    found = asked(internet, "Käse.example")
    assert found["mail_suite"] == "self_hosted"
    assert found["domain_resolves"] is True


def test_a_domain_that_does_not_exist(internet):
    assert asked(internet, "nobody-at-all.example") == {"email_has_mx": False, "domain_resolves": False}


def test_servers_that_do_not_answer_fail_the_question_and_not_the_run(internet):
    internet.dns_trouble("broken-dns.example", "servfail")
    with pytest.raises(NetworkError) as failed:
        asked(internet, "broken-dns.example")
    assert failed.value.why is Why.UNREACHABLE


def test_less_needed_records_may_be_missing(internet):
    internet.records("half.example", mx=["10 half-example.mail.protection.outlook.com"], a=["127.0.0.9"])
    internet.dns_trouble("_dmarc.half.example", "servfail")
    assert asked(internet, "half.example")["mail_suite"] == "microsoft_365"


def test_the_name_of_the_address_is_asked_for_only_where_nothing_else_names_the_host(internet):
    internet.records("rented.example", mx=["1 mx.rented.example"], a=["192.0.2.7"])
    pointer = ip_address("192.0.2.7").reverse_pointer
    internet.records(pointer, ptr=["static.7.2.0.192.clients.your-server.de"])
    assert asked(internet, "rented.example")["hosting"] == "hetzner"
    internet.records("rented2.example", a=["192.0.2.7"])
    before = internet.questions(pointer)
    assert "hosting" not in asked(internet, "rented2.example", reverse=False)
    assert internet.questions(pointer) == before


def test_dkim_selectors_name_tools_where_they_are_asked_for(internet):
    internet.records("signed.example", mx=["1 mx.signed.example"])
    internet.records("k1._domainkey.signed.example", cname="dkim.mcsv.net")
    assert "marketing_tools" not in asked(internet, "signed.example")
    assert internet.questions("k1._domainkey.signed.example") == 0
    assert asked(internet, "signed.example", selectors=True)["marketing_tools"] == "mailchimp"
    assert all(internet.questions(f"{name}._domainkey.signed.example") == 1 for name in SELECTORS)


def test_spf_is_followed_so_far_and_no_farther(internet):
    for n in range(12):
        internet.records(
            f"s{n}.long.example", txt=[f"v=spf1 include:s{n + 1}.long.example include:s{n}.long.example -all"]
        )
    wide = " ".join(f"include:w{n}.long.example" for n in range(40))
    internet.records("long.example", txt=[f"v=spf1 include:s0.long.example {wide} -all"])
    asked(internet, "long.example")
    names = [f"s{n}.long.example" for n in range(12)] + [f"w{n}.long.example" for n in range(40)]
    assert sum(internet.questions(name, "TXT") for name in names) == DnsSettings().spf_steps
    assert internet.questions("s0.long.example", "TXT") == 1
    asked(internet, "long.example", spf_steps=0)
    assert sum(internet.questions(name, "TXT") for name in names) == DnsSettings().spf_steps


# --- what records mean ---


@pytest.mark.parametrize(
    ("mx", "suite", "gateway"),
    [
        (["0 acme-com.mail.protection.outlook.com."], "microsoft_365", None),
        (["10 mx1.zoho.eu"], "zoho", None),
        (["10 mx.other.net"], "other", None),
        (["10 mail.acme.com"], "self_hosted", None),
        (["10 mxa-00001.gslb.pphosted.com"], None, "proofpoint"),
        (["10 eu-smtp-1.mimecast.com", "20 aspmx.l.google.com"], "google_workspace", "mimecast"),
        (["nonsense", "x y", "99999999999 smtp.google.com"], "google_workspace", None),
    ],
)
def test_mail_suites(mx, suite, gateway):
    found = says(mx=tuple(mx))
    assert (found.get("mail_suite"), found.get("mail_gateway")) == (suite, gateway)
    assert found["email_has_mx"] is True


def test_behind_a_gateway_the_spf_record_names_the_suite():
    found = facts(
        Records("acme.com", mx=("1 x.pphosted.com",), txt=("v=spf1 include:spf.protection.outlook.com -all",)), PATTERNS
    )
    suite = next(fact for fact in found if fact.attribute == "mail_suite")
    assert (suite.value, suite.confidence) == ("microsoft_365", 0.8)


def test_who_sends_for_a_company_does_not_receive_for_it():
    found = says(mx=("1 mail.acme.com",), txt=("v=spf1 include:mail.zendesk.com include:mailgun.org -all",))
    assert found["mail_suite"] == "self_hosted"
    assert says(mx=("1 mx.other.net",), txt=("v=spf1 include:mailgun.org -all",))["mail_suite"] == "other"


def test_null_mx_and_no_mx_take_no_mail():
    assert says(mx=("0 .",))["email_has_mx"] is False
    assert says(addresses=("192.0.2.1",))["email_has_mx"] is False
    assert "mail_suite" not in says(mx=("0 .",))


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("ZOOM_verify_ab12", "zoom"),
        ("pardot123456=abc", "pardot"),
        ("docusign=1234-abc", "docusign"),
        ("MS=ms76543210", "microsoft_365"),
        ('"facebook-domain-verification=xyz"', "facebook"),
        ("openai-domain-verification=dv-1", "openai"),
        ("sendinblue-code:abc", "brevo"),
        ("acme-widgets-domain-verification=1", "acme_widgets"),
        ("v=spf1 -all", None),
        ("just words", None),
        ("", None),
        ("=", None),
    ],
)
def test_verification_records(text, tool):
    assert verified_tool(text, PATTERNS) == tool


@pytest.mark.parametrize(
    ("dmarc", "policy"),
    [
        ("v=DMARC1; p=none", "none"),
        ("v=DMARC1;sp=reject;p = Quarantine", "quarantine"),
        ("p=reject", None),
        ("v=DMARC1; sp=reject", None),
    ],
)
def test_dmarc(dmarc, policy):
    assert says(dmarc=(dmarc,)).get("dmarc_policy") == policy


@pytest.mark.parametrize(
    ("records", "host"),
    [
        ({"www": ("acme.netlify.app.",)}, "netlify"),
        ({"addresses": ("185.199.108.153",)}, "github_pages"),
        ({"addresses": ("2606:4700::6810:1",)}, "cloudflare"),
        ({"addresses": ("192.0.2.1", "104.18.3.4")}, "cloudflare"),
        ({"addresses": ("not an address",)}, None),
        ({"www": ("web.acme.com",), "addresses": ("192.0.2.1",)}, None),
    ],
)
def test_hosting(records, host):
    assert says(**records).get("hosting") == host


def test_name_servers():
    assert says(ns=("ada.ns.cloudflare.com.", "bob.ns.cloudflare.com"))["dns_host"] == "cloudflare"
    assert says(ns=("ns1.acme.com",))["dns_host"] == "self_hosted"
    assert says(ns=("ns1.somebody.net",))["dns_host"] == "other"


def test_a_hundred_and_fifty_companies_over_the_wire(internet):
    made = companies.make_companies(150, seed=4)
    companies.add(internet, made)
    before = internet.questions()

    async def ask():
        async with open_network(internet.network(), None) as network:
            return await asyncio.gather(
                *(Dns(DnsSettings()).ask(Query({Clue.DOMAIN: domain}), network) for domain in made.domain)
            )

    found = [{fact.attribute: fact.value for fact in facts} for facts in asyncio.run(ask())]
    suites = {"own": "self_hosted"}
    assert [told["mail_suite"] for told in found] == [suites.get(suite, suite) for suite in made.suite]
    told_tools = [
        {tool for name in ("spf_tools", "verified_tools") for tool in told.get(name, "").split(", ")} for told in found
    ]
    for number, tool in enumerate(companies.TOOLS):
        assert [tool in tools for tools in told_tools] == list(made.tools[:, number])
    assert internet.questions() - before <= 8 * 150


# --- anything ---


class Canned:
    """A network that answers each question with the next of some records."""

    def __init__(self, answers):
        self.answers, self.asked = answers, 0

    async def dns(self, name: str, kind: str, *, ttl: timedelta = MONTH) -> tuple[str, ...]:
        del name, kind, ttl
        self.asked += 1
        return tuple(self.answers[self.asked % len(self.answers)]) if self.answers else ()


RECORD = (
    st.text(max_size=60)
    | st.from_regex(r"v=spf1( (include|redirect|a|exists)[:=][a-z%{}._-]{1,20}){1,5}", fullmatch=True)
    | st.from_regex(r"[0-9]{1,12} [a-z.]{0,20}", fullmatch=True)
    | st.ip_addresses().map(str)
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(RECORD, max_size=5), max_size=8), st.text(max_size=30) | st.just("acme.com"))
def test_whatever_the_servers_say_the_answer_is_sound(answers, domain):
    network = Canned(answers)
    provider = Dns(DnsSettings(selectors=True))
    found = asyncio.run(provider.ask(Query({Clue.DOMAIN: domain}), network))  # type: ignore[arg-type]
    assert {fact.attribute for fact in sound(found, ABOUT)} == {fact.attribute for fact in found}
    assert network.asked <= 7 + len(SELECTORS) + 1 + DnsSettings().spf_steps


def test_reading_costs_less_than_half_a_millisecond():
    spf = "v=spf1 include:_spf.google.com include:mail.zendesk.com include:spf.mtasv.net -all"
    records = Records(
        "acme.com",
        mx=("10 aspmx.l.google.com", "20 alt1.aspmx.l.google.com"),
        txt=(spf, *(f"tool{n}-site-verification=x" for n in range(20))),
        dmarc=("v=DMARC1; p=none",),
        ns=("ns1.x.net", "ns2.x.net"),
        addresses=("192.0.2.1", "192.0.2.2"),
    )
    facts(records, PATTERNS)
    start = time.process_time()
    for _ in range(300):
        facts(records, PATTERNS)
    assert time.process_time() - start < 300 * 0.0005
