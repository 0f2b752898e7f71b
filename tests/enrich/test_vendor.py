"""Files that describe vendors: faults name file, line, what was found and what is allowed."""

from __future__ import annotations

import json
from typing import get_args

import jsonschema
import pytest

from leadlight.enrich.network import Why
from leadlight.enrich.provider import Clue
from leadlight.enrich.vendor import load_vendor, shipped, vendor_offer
from leadlight.enrich.vocabulary import VOCABULARY
from leadlight.errors import SpecError
from leadlight.spec.vendor import CLUES, ClueName, VendorSpec, WhyName
from leadlight.spec.yaml import read_yaml

GOOD = """\
title: Test
personal: false
needs: [[domain]]
request:
  url: https://api.test.example/{domain}
attributes:
  employees: size
"""


def faults(tmp_path, text):
    path = tmp_path / "vendor.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_vendor(path, "vendors/test.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_good(tmp_path):
    (tmp_path / "vendor.yaml").write_text(GOOD)
    assert load_vendor(tmp_path / "vendor.yaml").attributes == {"employees": "size"}


CASES = [
    ("personal: false\n", "", "vendors/test.yaml:1:1: the key 'personal' is missing"),
    ("{domain}", "{domian}", "5:8: request.url: there is no clue 'domian': did you mean 'domain'?"),
    ("{domain}", "{domain:upper}", "5:8: request.url: there is no part 'upper' of a clue: known: first, last,"),
    ("{domain}", "{domain}?x=1", "5:8: request.url: parameters go into `query`, where they are encoded"),
    ("{domain}", "{domain}${KEY}", "5:8: request.url: ${VARIABLES} may stand in `auth` and `headers` only"),
    ("{domain}", "{domain}}", "5:8: request.url: a brace stands alone"),
    ("api.test", "{domain}.test", "5:8: request.url: the host must be written out"),
    ("https://api.test", "https://me:key@api.test", "5:8: request.url: the host must be written out"),
    ("https:", "file:", "5:8: request.url: an address begins with https:// or http://"),
    ("{domain}", "all", "3:9: needs[0]: none of these clues stands in the request"),
    ("[[domain]]", "[[domian]]", "3:10: needs[0][0]: must be 'email', 'domain'"),
    ("[[domain]]", "[[domain], []]", "1:1: `needs` holds lists of clues; one of them is empty"),
    ("size\n", "'size[['\n", "7:14: attributes.employees: this is no JMESPath"),
    ("employees: size", "employes: size", "7:13: attributes.employes: 'employes' is none of the attributes of the"),
    ("employees: size", "employees: {path: size, type: text}", "attributes.employees: 'employees' is number for every"),
    ("employees: size", "employees: {path: size, code: sic}", "`code` goes with the attributes industry and"),
    ("employees: size", "employees: {}", "7:14: attributes.employees: the key 'path' is missing"),
    ("attributes:\n  employees: size", "attributes: {}", "6:13: attributes: must not be empty"),
    ("attributes:", "auth: {bearer: 'x', query: {k: v}}\nattributes:", "auth: give one of bearer, header, basic and q"),
    ("attributes:", "auth: {bearer: '{domain}'}\nattributes:", "6:7: auth: no clue may stand here"),
    ("attributes:", "  headers: {X: '{email}'}\nattributes:", "6:16: request.headers.X: no clue may stand here"),
    ("attributes:", "  body: {a: '{domain}'}\nattributes:", "request: `body` goes with `method: post`"),
    ("attributes:", "  method: put\nattributes:", "6:11: request.method: must be 'get' or 'post'; found 'put'"),
    ("attributes:", "confidence: 2\nattributes:", "confidence"),
    ("attributes:", "errors: [{when: 'a b'}]\nattributes:", "6:17: errors[0].when: this is no JMESPath"),
    ("attributes:", "nothing: {when: '['}\nattributes:", "6:17: nothing.when: this is no JMESPath"),
    ("attributes:", "pages: {items: a, next: '!'}\nattributes:", "6:25: pages.next: this is no JMESPath"),
    ("attributes:", "ttl: soon\nattributes:", "6:6: ttl: 'soon' is not a duration"),
]


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_faults_name_file_and_line(old, new, message, tmp_path):
    assert old in GOOD
    found = faults(tmp_path, GOOD.replace(old, new, 1))
    assert any(message in fault for fault in found), found
    assert all(fault.startswith("vendors/test.yaml:") for fault in found)


def test_all_faults_come_at_once(tmp_path):
    text = GOOD.replace("{domain}", "{domian}").replace("size", "'['") + "  city: {path: x, type: bool}\n"
    assert len(faults(tmp_path, text)) >= 3


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_files_say_whose_terms_hold(name):
    spec = load_vendor(shipped()[name])
    assert spec.docs.startswith("https://")
    assert spec.licence
    assert spec.cost > 0
    assert spec.per_second
    about = vendor_offer(name, shipped()[name]).about
    assert set(about.gives) <= set(VOCABULARY) | {own for own, _ in about.own}
    assert spec.auth is not None
    assert "${" in json.dumps(spec.auth.model_dump())


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_files_are_valid_by_the_schema_that_editors_use(name):
    from leadlight.spec.schema import json_schema

    content = json.loads(json.dumps(read_yaml(shipped()[name].read_text(), name).value))
    jsonschema.Draft202012Validator(json_schema("vendor")).validate(content)


def test_words_of_the_file_are_those_of_the_code():
    assert set(get_args(ClueName)) == {clue.value for clue in Clue} == set(CLUES)
    assert {Why(name) for name in get_args(WhyName)} == {Why.RATE_LIMITED, Why.DENIED, Why.BROKEN}
    assert VendorSpec.model_json_schema()["required"] == ["title", "needs", "request", "attributes", "personal"]
