"""The stand-in is spoken to by HubSpot's own client: it checks what is promised of requests and answers."""

from __future__ import annotations

from typing import Any

import pytest

from connect.hubspot.stand_in import StandIn

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def client(hubspot: StandIn) -> Any:
    from hubspot import HubSpot

    hubspot.token = "pat-1"
    return HubSpot(access_token="pat-1", host=hubspot.url)


def test_records_are_made_read_searched_and_merged(hubspot: StandIn, client: Any) -> None:
    from hubspot.crm.contacts import (
        BatchReadInputSimplePublicObjectId,
        PublicMergeInput,
        PublicObjectSearchRequest,
        SimplePublicObjectInputForCreate,
    )

    contacts = client.crm.contacts
    ids = []
    for name in ("ann", "bob", "cyd"):
        properties = {"email": f"{name}@x.example", "firstname": name}
        made = contacts.basic_api.create(SimplePublicObjectInputForCreate(properties=properties))
        ids.append(made.id)
    page = contacts.basic_api.get_page(limit=2, properties=["email"])
    assert [one.properties["email"] for one in page.results] == ["ann@x.example", "bob@x.example"]
    assert page.paging.next.after == ids[1]
    asked = {"properties": ["firstname"], "properties_with_history": ["firstname"]}
    batch = contacts.batch_api.read(BatchReadInputSimplePublicObjectId(**asked, inputs=[{"id": ids[0]}]))
    assert batch.results[0].properties_with_history["firstname"][0].value == "ann"
    filters = [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}]
    sorts = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]
    search = PublicObjectSearchRequest(
        filter_groups=[{"filters": filters}], sorts=sorts, properties=["email"], limit=200
    )
    assert contacts.search_api.do_search(search).total == 3
    contacts.basic_api.archive(ids[1])
    assert [one.id for one in contacts.basic_api.get_page(archived=True).results] == [ids[1]]
    contacts.basic_api.merge(PublicMergeInput(object_id_to_merge=ids[2], primary_object_id=ids[0]))
    assert hubspot.held("contacts", ids[0]).values["hs_merged_object_ids"] == ids[2]


def test_records_are_written_and_each_has_its_answer(hubspot: StandIn, client: Any) -> None:
    from hubspot.crm.contacts import BatchInputSimplePublicObjectBatchInput

    one = hubspot.add("contacts", jobtitle="Clerk")
    inputs = [{"id": id_, "properties": {"jobtitle": "Chief"}} for id_ in (one, "99")]
    told = client.crm.contacts.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs))
    assert [result.id for result in told.results] == [one]
    assert told.errors[0].category == "OBJECT_NOT_FOUND"
    assert told.errors[0].context["ids"] == ["99"]
    assert hubspot.held("contacts", one).values["jobtitle"] == "Chief"


def test_properties_are_described_and_made(hubspot: StandIn, client: Any) -> None:
    from hubspot.crm.properties import PropertyCreate, PropertyGroupCreate

    properties = client.crm.properties
    assert "email" in {one.name for one in properties.core_api.get_all("contacts").results}
    properties.groups_api.create("contacts", PropertyGroupCreate(name="own", label="Own", display_order=-1))
    asked = PropertyCreate(name="own_score", label="Score", group_name="own", type="number", field_type="number")
    assert properties.core_api.create("contacts", asked).name == "own_score"
    assert hubspot.fields["contacts"]["own_score"] == "number"


def test_tasks_and_associations(hubspot: StandIn, client: Any) -> None:
    from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
    from hubspot.crm.objects.tasks import BatchInputSimplePublicObjectBatchInputForCreate as Batch

    contact, company = hubspot.add("contacts"), hubspot.add("companies")
    deal = hubspot.add("deals", contact=contact, company=company)
    link = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}
    task = {"properties": {"hs_task_subject": "Call"}, "associations": [{"to": {"id": contact}, "types": [link]}]}
    assert len(client.crm.objects.tasks.batch_api.create(Batch(inputs=[task])).results) == 1
    asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": deal}])
    found = client.crm.associations.v4.batch_api.get_page("deals", "companies", asked)
    assert found.results[0].to[0].to_object_id == company
    assert found.results[0].to[0].association_types[0].label == "Primary"


def test_forms_and_schemas_and_tokens(hubspot: StandIn, client: Any) -> None:
    hubspot.forms["f-1"] = "Demo"
    assert client.marketing.forms.forms_api.get_page().results[0].name == "Demo"
    assert client.crm.schemas.core_api.get_all().results[0].fully_qualified_name == "p7_machines"
    token = client.oauth.tokens_api.create(grant_type="refresh_token", **hubspot.secrets)
    assert token.access_token in hubspot.tokens


def test_what_the_client_makes_of_refusals(hubspot: StandIn, client: Any) -> None:
    from hubspot.crm.contacts import ApiException

    hubspot.scope_missing = True
    with pytest.raises(ApiException) as caught:
        client.crm.contacts.basic_api.get_page()
    assert caught.value.status == 403
    assert "MISSING_SCOPES" in caught.value.body
