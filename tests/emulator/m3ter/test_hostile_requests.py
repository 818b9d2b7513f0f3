"""Whatever a client sends, the emulator answers like an API and never fails itself."""

from __future__ import annotations

from typing import Any

from fakes.m3ter_api import DirectApi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.emulator import wire
from reconciler.emulator.exchange import HttpRequest
from reconciler.emulator.m3ter.api import ROUTER
from reconciler.emulator.m3ter.http.tokens import ORGANISATION

API = DirectApi()
ROUTES = sorted(
    (method, "/".join(parts)) for (method, _), found in ROUTER._routes.items() for parts, _ in found
)
FIELDS = [
    "name", "code", "emailAddress", "version", "entityType", "destination", "configData",
    "credentials", "url", "description", "eventName", "calculation", "planTemplateId", "startDate",
    "pricingBands", "overagePricingBands", "m3terEntity", "m3terId", "externalSystem",
    "externalTable", "externalId", "integrationConfigId", "integrationCredentialsId", "status",
    "billIds", "accountIds", "type", "lastDateInBillingPeriod", "billingFrequency", "billLockDate",
    "dataFields", "derivedFields", "standingCharge", "productId", "currency", "billFrequency",
    "rounding", "quantityPerUnit", "unit", "meterId", "targetField", "aggregation",
]  # fmt: skip
QUERIES = [
    "pageSize", "nextToken", "ids", "codes", "status", "locked", "billDate", "order", "eventType",
    "searchQuery", "sortBy", "fromDocument", "includeActioned", "active", "systemName",
    "integrationConfigId", "externalTable", "eventName", "billDateStart", "date",
]  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | texts
    | st.just("Bill")
    | st.just("2026-12-01"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def known_ids() -> list[str]:
    return [row for kind in API.store.kinds() for row in list(API.store.table(kind).rows)[:2]]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    route=st.sampled_from(ROUTES),
    body=st.dictionaries(st.sampled_from(FIELDS), values, max_size=20),
    query=st.lists(st.tuples(st.sampled_from(QUERIES), texts), max_size=2),
    data=st.data(),
)
def test_any_request_is_answered_with_200_or_a_refusal(
    route: tuple[str, str], body: Any, query: list[tuple[str, str]], data: st.DataObject
) -> None:
    API.world.reset()
    API.store = API.world.store
    half = API.world.m3ter
    method, pattern = route
    parts = [
        data.draw(st.sampled_from([*known_ids(), "Bill", "x"])) if part.startswith("{") else part
        for part in pattern.split("/")
    ]
    path = f"/organizations/{ORGANISATION}/" + "/".join(parts)
    headers = {"authorization": f"Bearer {API.token}"}
    before = API.store.writes
    answer = half.handle(HttpRequest(method, path, tuple(query), headers, wire.encode(body)))
    assert answer.status in {200, 400, 404}
    wire.decode(answer.body)
    if answer.status != 200:
        assert API.store.writes == before
