"""Vendors described in YAML, over real HTTP: the shipped ones in their published shapes, and every key of a file."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.sound import HIDDEN
from leadlight.enrich.vendor import VendorSettings, shipped, vendor_offer
from leadlight.errors import UsageError

SHAPES = Path(__file__).parent / "shapes"
KEYS = {"PDL_API_KEY", "HUNTER_API_KEY", "APOLLO_API_KEY", "CLEARBIT_KEY", "KEY"}
SURROUNDINGS = Surroundings(environ=dict.fromkeys(KEYS, "s3cret-key"))


def made(path, name="vendor"):
    return vendor_offer(name, path).make(VendorSettings(), SURROUNDINGS)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_vendor_in_its_published_shape(name, internet, ask):
    shape = json.loads((SHAPES / f"{name}.json").read_text())
    seen = []
    internet.handle(shape["asked"]["host"], "*", lambda request: seen.append(request) or shape["answer"])
    found = ask(made(shipped()[name], name), **shape["clues"])
    assert {name: [fact.value, fact.confidence] for name, fact in found.items()} == shape["facts"]
    (request,) = seen
    assert request.path == shape["asked"]["path"]
    assert dict(request.query) == shape["asked"].get("query", {})
    assert shape["asked"]["headers"].items() <= dict(request.headers).items()
    if "body" in shape["asked"]:
        assert (request.method, request.json()) == ("POST", shape["asked"]["body"])


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_vendor_that_knows_nothing(name, internet, ask):
    shape = json.loads((SHAPES / f"{name}.json").read_text())
    internet.handle(shape["asked"]["host"], "*", Answer('{"status": 404, "error": {}}', status=404, kind="text/plain"))
    assert ask(made(shipped()[name], name), **shape["clues"]) == {}


HEAD = "title: Test\npersonal: false\n"


@pytest.fixture
def vendor(tmp_path):
    """Make a vendor of a file's text."""

    def of(text, name="vendor"):
        (tmp_path / "vendor.yaml").write_text(HEAD + text)
        return made(tmp_path / "vendor.yaml", name)

    return of


def test_clues_are_values_and_never_more(vendor, internet, ask):
    seen = []
    internet.handle("inject.example", "*", lambda request: seen.append(request) or {"a": "b"})
    asked = vendor("""
needs: [[domain]]
request:
  url: https://inject.example/of/{domain}/now
  query: {q: "name:{company}", fixed: true, missing: "{phone}"}
attributes: {city: a}
""")
    hostile = "x/../../admin?key=1&b=2#frag\r\nHost: evil {email} ${KEY} %2e%2e"
    assert ask(asked, domain=hostile, company="&q=2&admin=true", email="ada@anvil.example")["city"].value == "b"
    (request,) = seen
    assert request.path == f"/of/{hostile}/now"  # the server's own decoding gives the value back, whole
    assert dict(request.query) == {"q": "name:&q=2&admin=true", "fixed": "true"}
    assert request.host == "inject.example"


@pytest.mark.parametrize("walks", ["..", ".", " .. ", "", "...."])
def test_clue_that_would_walk_up_the_path_is_not_asked(walks, vendor, internet, ask):
    asked = vendor("needs: [[domain]]\nrequest: {url: 'https://walk.example/{domain}'}\nattributes: {city: a}\n")
    internet.handle("walk.example", "*", {"a": "b"})
    assert asked.key(Query({Clue.DOMAIN: walks})) is None
    assert ask(asked, domain=walks) == {}
    assert internet.begun("walk.example") == 0


def test_clues_in_a_body_are_values(vendor, internet, ask):
    seen = []
    internet.handle("body.example", "*", lambda request: seen.append(request.json()) or {"a": "b"})
    asked = vendor("""
needs: [[email]]
request:
  url: https://body.example/
  method: post
  body: {mail: "{email}", list: ["{phone}", "{person:first}"], deep: {city: "{city}", n: 3}}
attributes: {city: a}
""")
    ask(asked, email='"}, "admin": true, {"', person="Ada {email} Example")
    assert seen == [{"mail": '"}, "admin": true, {"', "list": ["Ada"], "deep": {"n": 3}}]


AUTHS = [
    ("bearer: '${KEY}'", "authorization", "Bearer s3cret-key"),
    ("header: {X-Api-Key: 'v ${KEY}'}", "x-api-key", "v s3cret-key"),
    ("basic: {user: '${KEY}'}", "authorization", f"Basic {base64.b64encode(b's3cret-key:').decode()}"),
]


@pytest.mark.parametrize(("auth", "header", "value"), AUTHS)
def test_keys_in_headers(auth, header, value, vendor, internet, ask):
    seen = []
    internet.handle("auth.example", "*", lambda request: seen.append(request.headers[header]) or {"a": "b"})
    ask(vendor(f"needs: [[domain]]\nrequest: {{url: 'https://auth.example/', query: {{d: '{{domain}}'}}}}\n"
               f"auth: {{{auth}}}\nattributes: {{city: a}}\n"), domain="anvil.example")  # fmt: skip
    assert seen == [value]


def test_key_in_the_query_is_sent_and_said_back_by_nobody(vendor, internet, ask):
    said = "your key is s3cret-key"
    internet.handle("leaky.example", "*", lambda request: {"a": said, "q": request.query["api_key"]})
    asked = vendor("""
needs: [[domain]]
request: {url: 'https://leaky.example/', query: {d: '{domain}'}}
auth: {query: {api_key: '${KEY}'}}
attributes: {city: a, region: q}
""")
    found = ask(asked, domain="anvil.example")
    assert found["city"].value == f"your key is {HIDDEN}"
    assert found["region"].value == HIDDEN
    assert "s3cret" not in repr(found) + repr(asked) + str(vars(asked).get("_auth"))


def test_key_in_the_query_goes_with_post_too(vendor, internet, ask):
    seen = []
    internet.handle("leaky.example", "*", lambda request: seen.append((request.query, request.json())) or {"a": "b"})
    asked = vendor("""
needs: [[domain]]
request: {url: 'https://leaky.example/', method: post, body: {d: '{domain}'}}
auth: {query: {api_key: '${KEY}'}}
attributes: {city: a}
""")
    assert ask(asked, domain="anvil.example")["city"].value == "b"
    assert seen == [({"api_key": "s3cret-key"}, {"d": "anvil.example"})]


def test_variable_that_is_not_set(tmp_path):
    path = shipped()["hunter"]
    with pytest.raises(UsageError, match="HUNTER_API_KEY is not set"):
        vendor_offer("hunter", path).make(VendorSettings(), Surroundings(environ={}))
    assert vendor_offer("hunter", path).make(VendorSettings(), Surroundings()).about.cost > 0


ERRORS = """
needs: [[domain]]
request: {url: 'https://errors.example/', query: {d: '{domain}'}}
auth: {bearer: '${KEY}'}
nothing: {status: [404, 422], when: "count == `0`"}
errors:
  - {when: "error.code == 'limit'", why: rate limited, message: error.text}
  - {when: error, why: denied, message: error.text}
later: {status: [202], after: 10m}
attributes: {city: a}
"""


@pytest.mark.parametrize(
    ("answer", "why", "message"),
    [
        ({"error": {"code": "limit", "text": "slow down"}}, Why.RATE_LIMITED, "errors.example: slow down"),
        ({"error": {"text": "no s3cret-key\x00\n today"}}, Why.DENIED, f"errors.example: no {HIDDEN} today"),
        (Answer("no JSON", kind="application/json"), Why.BROKEN, "errors.example"),
        (Answer("{}", status=418, kind="application/json"), Why.BROKEN, "errors.example answered with status 418"),
        (Answer("{}", status=401, kind="application/json"), Why.DENIED, "errors.example"),
    ],
)
def test_errors(answer, why, message, vendor, internet, ask):
    internet.handle("errors.example", "*", answer)
    with pytest.raises(NetworkError) as caught:
        ask(vendor(ERRORS), domain="anvil.example")
    assert caught.value.why is why
    assert message in caught.value.message
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("answer", [{"count": 0, "a": "b"}, 404, 422, None])
def test_nothing(answer, vendor, internet, ask):
    internet.handle("errors.example", "*", Answer("null", kind="application/json") if answer is None else answer)
    assert ask(vendor(ERRORS), domain="anvil.example") == {}


def test_later(vendor, internet, ask):
    internet.handle("errors.example", "*", 202)
    with pytest.raises(NetworkError, match="still looking") as caught:
        ask(vendor(ERRORS), domain="anvil.example")
    assert caught.value.why is Why.RATE_LIMITED
    assert caught.value.retry_at is not None


def test_an_error_in_the_form_of_an_answer_is_not_believed_for_long(vendor, internet, ask, tmp_path):
    answers = iter([{"error": {"code": "limit"}}, {"a": "b"}, {"a": "c"}])
    internet.handle("errors.example", "*", lambda _: next(answers))
    with pytest.raises(NetworkError):
        ask(vendor(ERRORS), cache=tmp_path / "kept", domain="anvil.example")
    for _ in range(2):
        assert ask(vendor(ERRORS), cache=tmp_path / "kept", domain="anvil.example")["city"].value == "b"


def test_what_comes_later_is_not_asked_for_before(vendor, internet, ask, tmp_path):
    internet.handle("errors.example", "*", 202)
    asked = {"cache": tmp_path / "kept", "domain": "anvil.example"}
    now = datetime.now(UTC).replace(tzinfo=None)
    for minutes, begun in ((0, 1), (5, 1), (11, 2)):
        with pytest.raises(NetworkError, match="still looking"):
            ask(vendor(ERRORS), at=now + timedelta(minutes=minutes), **asked)
        assert internet.begun("errors.example") == begun
    internet.handle("errors.example", "*", {"a": "b"})
    assert ask(vendor(ERRORS), at=now + timedelta(minutes=30), **asked)["city"].value == "b"


def paged(request):
    page = int(request.query.get("page", 1))
    following = page + 1 if page < 5 else None
    return {"data": {"tech": [f"tool{page}"], "name": f"page {page}"}, "next": following}


def test_pages_by_parameter(vendor, internet, ask):
    internet.handle("pages.example", "*", paged)
    found = ask(vendor("""
needs: [[domain]]
request: {url: 'https://pages.example/', query: {d: '{domain}'}}
pages: {items: data.tech, next: next, parameter: page, at_most: 4}
attributes: {technologies: data.tech, company_name: data.name}
"""), domain="anvil.example")  # fmt: skip
    assert found["technologies"].value == "tool1, tool2, tool3, tool4"
    assert found["company_name"].value == "page 1"
    assert internet.begun("pages.example") == 4


@pytest.mark.parametrize(
    ("following", "pages"),
    [("/two", 2), ("https://links.example/two", 2), ("https://evil.example/two", 1), ("//evil.example/two", 1),
     ("http://links.example/two", 1), ("https://links.example@evil.example/", 1)],
)  # fmt: skip
def test_pages_by_address_stay_with_the_host(following, pages, vendor, internet, ask):
    internet.handle("evil.example", "*", {"items": ["evil"]})
    internet.handle("links.example", "*", {"items": ["two"]})
    internet.handle("links.example", "/", {"items": ["one"], "next": following})
    found = ask(vendor("""
needs: [[domain]]
request: {url: 'https://links.example/', query: {d: '{domain}'}}
auth: {bearer: '${KEY}'}
pages: {items: items, next: next}
attributes: {technologies: items}
"""), domain="anvil.example")  # fmt: skip
    assert found["technologies"].value == ", ".join(["one", "two"][:pages])
    assert internet.begun("evil.example") == 0


MAPPING = """
needs: [[domain]]
request: {url: 'https://mapping.example/', query: {d: '{domain}'}}
confidence: {path: sure, of: 100}
ttl: 7d
nothing_ttl: 1d
per_second: 4
attributes:
  employees: size
  company_name: {path: name, confidence: 0.4}
  seniority: {path: levels, values: {Chief: c_level, head: director}}
  listed: public
  domain_created_at: created
  industry: {path: codes, code: nace}
  industry_code: {path: codes, code: nace}
  floors: {path: floors, type: number, means: floors of its house}
"""


def test_mapping(vendor, internet, ask):
    internet.handle("mapping.example", "*", {
        "sure": 80, "size": "1,001-5,000", "name": ["Anvil", 3, None, {"x": 1}], "levels": ["HEAD", "chief"],
        "public": "yes", "created": 946684800, "codes": ["62.01"], "floors": "12",
    })  # fmt: skip
    asked = vendor(MAPPING)
    found = ask(asked, domain="anvil.example")
    assert {name: fact.value for name, fact in found.items() if name != "domain_created_at"} == {
        "employees": 2237, "company_name": "Anvil, 3", "seniority": "c_level", "listed": True, "industry": "software",
        "industry_code": "nace:62.01", "floors": 12,
    }  # fmt: skip
    assert found["domain_created_at"].value.isoformat() == "2000-01-01T00:00:00"
    assert (found["employees"].confidence, found["company_name"].confidence) == (0.8, 0.4)
    assert (found["employees"].origin, found["employees"].evidence) == ("mapping.example: size", "1,001-5,000")
    assert (asked.about.ttl, asked.about.nothing_ttl) == (timedelta(days=7), timedelta(days=1))
    assert (asked.about.per_second, asked.about.meaning("floors").means) == (4, "floors of its house")


def test_answer_of_another_shape_gives_nothing(vendor, internet, ask):
    for answer in ([], "text", 3, {"size": {}, "name": {}, "levels": 4, "created": "soon", "codes": {}, "sure": "x"}):
        internet.handle("mapping.example", "*", Answer(json.dumps(answer), kind="application/json"))
        assert ask(vendor(MAPPING), domain="anvil.example") == {}


def test_same_clues_same_key(vendor):
    asked = vendor(MAPPING)
    assert asked.key(Query({Clue.DOMAIN: " Anvil.Example "})) == asked.key(Query({Clue.DOMAIN: "anvil.example"}))
    assert asked.key(Query({Clue.DOMAIN: "anvil.example", Clue.PHONE: "+1"})) == "domain=anvil.example"
    assert asked.key(Query({Clue.COMPANY: "Anvil"})) is None


def test_the_vendor_of_the_documentation_works_as_described(internet, ask, tmp_path):
    page = Path(__file__).parents[3] / "docs/howto/describe-a-vendor.md"
    found = re.findall(r"```(\w+)\n(.*?)```", page.read_text(), flags=re.DOTALL)
    answer = json.loads(next(text for language, text in found if language == "json"))
    (tmp_path / "vendor.yaml").write_text(next(text for language, text in found if language == "yaml"))
    internet.handle("api.firmographics.example", "/v1/companies", answer)
    surroundings = Surroundings(environ={"FIRMOGRAPHICS_KEY": "s3cret-key"})
    asked = vendor_offer("firmographics", tmp_path / "vendor.yaml").make(VendorSettings(), surroundings)
    facts = ask(asked, domain="anvil.example")
    assert {name: (fact.value, fact.confidence) for name, fact in facts.items()} == {
        "employees": (101, 0.87), "country": ("DE", 0.87), "industry": ("software", 0.87),
        "headcount_growth": (0.2, 0.5),
    }  # fmt: skip
