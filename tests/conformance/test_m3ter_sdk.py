"""The official SDK drives every resource of the emulator; every answer is compared with its models.

The SDK is configured only through its public settings. What the published specification has wrong
is listed in ``SPECIFICATION_BUGS``; every other difference is a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import m3ter
import pytest
from fakes.model_shape import differences

from reconciler.emulator import wire
from reconciler.emulator.m3ter.http.tokens import ACCESS_KEY, API_SECRET, ORGANISATION
from reconciler.emulator.running import RunningEmulator

# Where the specification, and so the SDK, is wrong about the live API.
SPECIFICATION_BUGS = {
    # dtActioned is declared required, but an event that nobody actioned has none.
    "EventResponse": {"dtActioned"},
    # Creating and changing a compound aggregation is declared to return a plain one.
    "AggregationResponse": {"calculation", "evaluateNullAggregations", "productId"},
    # The read of one configuration is declared as an integration run.
    "IntegrationConfigurationResponse": {
        "status",
        "entityId",
        "name",
        "configData",
        "authorized",
        "enabled",
        "integrationCredentialsId",
    },
}
PLAIN: dict[str, dict[str, Any]] = {
    "accounts": {
        "name": "Wayne",
        "code": "wayne",
        "email_address": "pay@wayne.example",
        "currency": "USD",
        "address": {"country": "US", "address_line1": "1 Main"},
        "custom_fields": {"country": "US", "seats": 5},
        "days_before_bill_due": 10,
        "purchase_order_number": "PO-1",
        "bill_epoch": "2026-01-01",
    },
    "products": {"name": "New", "code": "new", "custom_fields": {"a": "b"}},
    "meters": {
        "name": "Meter",
        "code": "meter",
        "data_fields": [{"category": "MEASURE", "code": "a", "name": "A", "unit": "b"}],
        "derived_fields": [
            {"category": "MEASURE", "code": "d", "name": "D", "unit": "b", "calculation": "a*2"}
        ],
    },
    "aggregations": {
        "name": "Agg",
        "code": "agg",
        "aggregation": "SUM",
        "meter_id": "m",
        "quantity_per_unit": 1,
        "rounding": "NONE",
        "target_field": "a",
        "unit": "b",
        "segmented_fields": ["region"],
        "segments": [{"region": "eu"}],
        "default_value": 0,
    },
    "compound_aggregations": {
        "name": "Comp",
        "code": "comp",
        "calculation": "a/b",
        "quantity_per_unit": 1,
        "rounding": "UP",
        "unit": "b",
        "evaluate_null_aggregations": True,
    },
    "plan_templates": {
        "name": "Template",
        "code": "template",
        "product_id": "p",
        "currency": "GBP",
        "standing_charge": 5,
        "bill_frequency": "MONTHLY",
        "bill_frequency_interval": 1,
    },
    "notification_configurations": {
        "name": "Rule",
        "code": "rule",
        "description": "d",
        "event_name": "billing.bill.updated",
        "calculation": "true",
        "active": True,
        "always_fire_event": False,
    },
    "webhooks": {
        "name": "Hook",
        "description": "d",
        "url": "https://hooks.example.com",
        "credentials": {"type": "M3TER_SIGNED_REQUEST", "api_key": "k", "secret": "s"},
    },
    "external_mappings": {
        "m3ter_entity": "Account",
        "m3ter_id": "a",
        "external_system": "Chargebee",
        "external_table": "Subscription",
        "external_id": "sub_1",
    },
    "integration_configurations": {
        "entity_type": "Bill",
        "destination": "Chargebee",
        "name": "uk",
        "config_data": {"chargebeeCreateInvoice": True, "accountIds": []},
    },
}


class Sdk:
    """The SDK's client, and a check of what each call brought."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(trust_env=False)
        self.client = m3ter.M3ter(
            api_key=ACCESS_KEY,
            api_secret=API_SECRET,
            org_id=ORGANISATION,
            base_url=url,
            http_client=self.http,
            max_retries=0,
        )

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method of ``with_raw_response``, compare its answer and return the model."""
        raw = method(*args, **kwargs)
        parsed = raw.parse()
        found = differences(type(parsed), wire.decode(raw.http_response.content), "")
        unknown = [text for text in found if not _is_documented(text)]
        assert unknown == []
        return parsed


def _is_documented(difference: str) -> bool:
    """Whether a difference is one of the specification's own mistakes."""
    return any(
        f" in {model}" in difference
        and difference.split(":", maxsplit=1)[0].rpartition(".")[2] in keys
        for model, keys in SPECIFICATION_BUGS.items()
    )


@pytest.fixture
def sdk(emulator: RunningEmulator) -> Iterator[Sdk]:
    sdk = Sdk(emulator.url)
    yield sdk
    sdk.http.close()


def raw(sdk: Sdk, name: str) -> Any:
    return getattr(sdk.client.with_raw_response, name)


@pytest.mark.parametrize("name", PLAIN)
def test_a_resource_is_created_read_changed_listed_and_deleted(sdk: Sdk, name: str) -> None:
    api, body = raw(sdk, name), PLAIN[name]
    made = sdk.call(api.create, **body)
    assert made.version == 1
    assert sdk.call(api.retrieve, made.id).id == made.id
    changed = sdk.call(api.update, made.id, version=1, **body)
    assert changed.version == 2
    page = sdk.call(api.list, page_size=100)
    assert made.id in {entry.id for entry in page.data}
    assert sdk.call(api.delete, made.id).id == made.id
    with pytest.raises(m3ter.NotFoundError):
        api.retrieve(made.id)


@pytest.mark.parametrize("name", [*PLAIN, "plans", "pricings", "bills", "bill_jobs"])
def test_the_iteration_of_the_sdk_finds_every_object(
    emulator: RunningEmulator, sdk: Sdk, name: str
) -> None:
    kinds = {
        "notification_configurations": "notifications",
        "integration_configurations": "integrationconfigs",
    }
    kind = kinds.get(name, name.replace("_", ""))
    stored = {entry["id"] for entry in emulator.world.store.all(f"m3ter/{kind}")}
    found = [entry.id for entry in getattr(sdk.client, name).list(page_size=1)]
    assert set(found) == stored
    assert len(found) == len(stored)


def test_a_stale_version_is_an_error_of_the_sdk(sdk: Sdk) -> None:
    made = sdk.client.products.create(name="a", code="a")
    with pytest.raises(m3ter.BadRequestError, match="version"):
        sdk.client.products.update(made.id, name="b", code="a", version=7)


def test_plans_and_pricings(sdk: Sdk) -> None:
    template = next(iter(sdk.client.plan_templates.list()))
    plans, pricings = raw(sdk, "plans"), raw(sdk, "pricings")
    body: dict[str, Any] = {"plan_template_id": template.id, "name": "P", "code": "p"}
    plan = sdk.call(plans.create, **body, standing_charge=3.5, bespoke=False)
    assert sdk.call(plans.update, plan.id, version=1, **body).version == 2
    assert sdk.call(plans.retrieve, plan.id).product_id == template.product_id
    sdk.call(plans.list, ids=[plan.id])
    bands = [{"lower_limit": 0, "fixed_price": 0, "unit_price": 0.25}]
    price: dict[str, Any] = {
        "plan_id": plan.id,
        "start_date": "2026-01-01T00:00:00Z",
        "pricing_bands": bands,
        "overage_pricing_bands": bands,
        "segment": {"region": "eu"},
    }
    pricing = sdk.call(pricings.create, **price)
    assert pricing.pricing_bands[0].id
    sdk.call(pricings.update, pricing.id, version=1, **price)
    sdk.call(pricings.retrieve, pricing.id)
    assert len(sdk.call(pricings.list, plan_id=plan.id).data) == 1
    sdk.call(pricings.delete, pricing.id)
    sdk.call(plans.delete, plan.id)


def test_accounts_are_searched_and_have_children(sdk: Sdk) -> None:
    accounts = raw(sdk, "accounts")
    found = sdk.call(accounts.search, search_query="code:acme-uk")
    assert [entry.code for entry in found.data] == ["acme-uk"]
    assert sdk.call(accounts.list_children, found.data[0].id).data == []
    both = sdk.call(accounts.list, codes=["acme-uk", "acme-us"])
    assert {entry.code for entry in both.data} == {"acme-uk", "acme-us"}


def test_integration_configurations_are_enabled_and_found_by_entity(sdk: Sdk) -> None:
    configs = raw(sdk, "integration_configurations")
    made = sdk.call(configs.create, **PLAIN["integration_configurations"])
    assert made.enabled is True
    assert sdk.call(configs.enable, made.id).version == 2
    answer = configs.get_by_entity("Bill", destination="Chargebee")
    # The specification says one integration run; the live API pages configurations.
    page = wire.decode(answer.http_response.content)
    assert [entry["id"] for entry in page["data"]] == [made.id]


def test_the_read_of_one_configuration_can_have_the_published_shape(
    emulate: Callable[..., RunningEmulator],
) -> None:
    running = emulate(get_config_shape="run", requests_per_second=0)
    sdk = Sdk(running.url)
    api = sdk.client.with_raw_response.integration_configurations
    made = sdk.client.integration_configurations.create(**PLAIN["integration_configurations"])
    answer = api.retrieve(made.id)
    assert differences(type(answer.parse()), wire.decode(answer.http_response.content)) == []
    sdk.http.close()


def test_mappings_are_found_from_both_sides(sdk: Sdk) -> None:
    mappings = raw(sdk, "external_mappings")
    made = sdk.call(mappings.create, **PLAIN["external_mappings"])
    outside = sdk.call(
        mappings.list_by_external_entity,
        "sub_1",
        system="Chargebee",
        external_table="Subscription",
    )
    inside = sdk.call(mappings.list_by_m3ter_entity, "a", entity="Account")
    assert [entry.id for entry in (*outside.data, *inside.data)] == [made.id, made.id]
    assert len(sdk.call(mappings.list, external_system_id="Chargebee").data) == 1


def test_bills_go_through_their_life(sdk: Sdk) -> None:
    bills = raw(sdk, "bills")
    bill = sdk.call(bills.list, status="PENDING", include_bill_total=True).data[0]
    assert bill.bill_total is not None
    assert sdk.call(bills.update_status, bill.id, status="APPROVED").approved_by
    assert sdk.call(bills.approve, bill_ids=[bill.id]).message
    job = sdk.call(raw(sdk, "bill_jobs").recalculate, bill_ids=[bill.id])
    assert sdk.call(raw(sdk, "bill_jobs").retrieve, job.id).status == "COMPLETE"
    fresh = sdk.call(bills.retrieve, bill.id)
    assert (fresh.status, fresh.bill_job_id) == ("PENDING", job.id)
    sdk.call(bills.update_status, bill.id, status="APPROVED")
    assert sdk.call(bills.lock, bill.id).locked is True
    with pytest.raises(m3ter.BadRequestError):
        bills.delete(bill.id)
    other = sdk.client.bills.list(status="PENDING").data[0]
    assert sdk.call(bills.delete, other.id).id == other.id
    assert sdk.call(bills.latest_by_account, bill.account_id).id == bill.id
    assert sdk.call(bills.search, search_query="locked:true").data
    sdk.call(raw(sdk, "bill_jobs").list)
    sdk.call(raw(sdk, "bill_jobs").create, last_date_in_billing_period="2026-11-01")


def test_line_items_have_their_own_shape(sdk: Sdk) -> None:
    bill = sdk.client.bills.list(status="PENDING").data[0]
    items = sdk.client.with_raw_response.bills.line_items
    page = sdk.call(items.list, bill.id, page_size=100)
    with_bands = next(candidate for candidate in page.data if candidate.band_usage)
    assert sdk.call(items.retrieve, with_bands.id, bill_id=bill.id).bill_id == bill.id


def test_events_their_types_and_fields(sdk: Sdk) -> None:
    events = raw(sdk, "events")
    page = sdk.call(events.list, event_type="IntegrationEvent")
    assert sdk.call(events.retrieve, page.data[0].id).event_name.startswith("integration.")
    assert "billing.bill.updated" in sdk.call(events.get_types).events
    sdk.call(events.get_fields, event_name="billing.bill.updated")


def test_users_and_the_caller(sdk: Sdk) -> None:
    users = raw(sdk, "users")
    page = sdk.call(users.list)
    sdk.call(users.retrieve, page.data[0].id)
    sdk.call(users.update, page.data[0].id, version=1)
    sdk.call(users.get_permissions, page.data[0].id)
    assert sdk.call(users.me).organization.id == ORGANISATION


def test_settings_of_the_organisation(sdk: Sdk) -> None:
    config, bill_config = raw(sdk, "organization_config"), raw(sdk, "bill_config")
    old = sdk.call(config.retrieve)
    changed = sdk.call(
        config.update,
        currency="GBP",
        day_epoch=old.day_epoch,
        days_before_bill_due=14,
        month_epoch=old.month_epoch,
        timezone="Europe/London",
        week_epoch=old.week_epoch,
        year_epoch=old.year_epoch,
        version=old.version,
    )
    assert changed.timezone == "Europe/London"
    sdk.call(bill_config.retrieve)
    sdk.call(bill_config.update, bill_lock_date="2026-10-01", version=1)


def test_webhooks_are_switched(sdk: Sdk) -> None:
    hook = next(iter(sdk.client.webhooks.list()))
    assert sdk.call(raw(sdk, "webhooks").set_active, hook.id, active=False).active is False


def test_a_bearer_token(sdk: Sdk) -> None:
    token = sdk.call(
        sdk.client.with_raw_response.authentication.get_bearer_token,
        grant_type="client_credentials",
        extra_headers={"Authorization": httpx.BasicAuth(ACCESS_KEY, API_SECRET)._auth_header},
    )
    assert token.expires_in == 18_000


def test_the_sdk_asks_for_a_token_before_every_request(emulator: RunningEmulator, sdk: Sdk) -> None:
    """A quirk of the SDK: it takes the lifetime for an instant in 1970."""
    for _ in range(3):
        sdk.client.products.list()
    paths = [entry.path for entry in emulator.world.log.select()]
    assert paths.count("/oauth/token") == 3


def test_the_sdk_stops_at_an_empty_page_that_has_a_token(
    emulator: RunningEmulator, sdk: Sdk
) -> None:
    """A quirk of the SDK; other clients must follow the token."""
    emulator.world.faults.add([{"fault": "empty_page", "times": 1}])
    assert list(sdk.client.products.list()) == []


def test_the_sdk_retries_what_the_emulator_refuses_for_a_while(emulator: RunningEmulator) -> None:
    sdk = Sdk(emulator.url)
    emulator.world.faults.add([{"fault": "rate_limit_retry_after", "times": 1, "seconds": 0}])
    patient = sdk.client.with_options(max_retries=1)
    assert patient.accounts.list().data
    sdk.http.close()


def test_the_asynchronous_client_works_with_a_token(emulator: RunningEmulator, sdk: Sdk) -> None:
    token = sdk.client.authentication.get_bearer_token(
        grant_type="client_credentials",
        extra_headers={"Authorization": httpx.BasicAuth(ACCESS_KEY, API_SECRET)._auth_header},
    ).access_token

    async def count() -> int:
        async with (
            httpx.AsyncClient(trust_env=False) as http,
            m3ter.AsyncM3ter(
                token=token,
                api_key=ACCESS_KEY,
                api_secret=API_SECRET,
                org_id=ORGANISATION,
                base_url=emulator.url,
                http_client=http,
            ) as client,
        ):
            return len([entry async for entry in client.accounts.list(page_size=4)])

    assert asyncio.run(count()) == 10
