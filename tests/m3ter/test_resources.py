"""Every resource read from the emulator, through faults that reads survive."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.connecting import Connect
from fakes.scripted_m3ter import ScriptedM3ter, json, session

from reconciler.emulator.running import RunningEmulator
from reconciler.errors import ExitCode
from reconciler.kernel.address import AccountId, MappingId
from reconciler.kernel.value import JsonValue
from reconciler.m3ter.api.accounts import RESOURCES, M3terCodes, NoCodesError
from reconciler.m3ter.api.errors import UnreadableAnswerError
from reconciler.m3ter.api.integrations import M3terIntegrations
from reconciler.m3ter.api.mappings import M3terMappings
from reconciler.m3ter.api.organisation import M3terPeople
from reconciler.m3ter.api.runs import M3terRuns
from reconciler.m3ter.ports import BillQuery, MappingBody, NotFoundError, Organisation
from reconciler.transport.client import Request
from reconciler.transport.retry import Answer, Outcome

READ_FAULTS = [
    "rate_limit",
    "rate_limit_retry_after",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "html_502",
    "cut_before_commit",
    "cut_after_commit",
    "expired_token",
    "empty_page",
]


def _answering(value: JsonValue, status: int = 200) -> ScriptedM3ter:
    return ScriptedM3ter(lambda _: json(value, status))


@pytest.mark.parametrize("fault", READ_FAULTS)
def test_a_list_is_complete_whatever_happens_on_the_way(
    emulator: RunningEmulator, organisation: Organisation, clock: FakeClock, fault: str
) -> None:
    before = list(organisation.codes.all_accounts())
    times = 1 if fault == "expired_token" else 2
    emulator.world.faults.add(
        [{"match": {"vendor": "m3ter", "method": "GET"}, "fault": fault, "times": times}]
    )
    assert list(organisation.codes.all_accounts()) == before
    if fault == "rate_limit_retry_after":
        assert clock.monotonic() >= 1


def test_the_scenario_large_is_read_within_its_budget_of_calls(
    emulate: Any, connected: Connect
) -> None:
    organisation = connected(emulate("large", requests_per_second=0))
    assert len(organisation.integrations.list()) == 20
    mappings = organisation.mappings.list()
    assert len(mappings) == 10_000
    # one token, one page of integrations, fifty pages of mappings
    assert organisation.calls == 52
    codes = {f"acct-{number}" for number in range(5000)}
    organisation.codes.accounts(codes)
    assert organisation.calls == 52 + 50


def test_accounts_are_found_by_code_and_missing_ones_are_missing(
    organisation: Organisation,
) -> None:
    every = {account.code: account for account in organisation.codes.all_accounts()}
    found = organisation.codes.accounts([*every, "nobody", "a,b", "ÄÖ &=?"])
    assert found == every
    assert organisation.codes.accounts([]) == {}


def test_entities_are_found_by_code_and_back(organisation: Organisation) -> None:
    for entity in ("Product", "Plan", "Aggregation", "Meter", "Account"):
        codes = _codes_of(organisation, entity)
        assert codes, entity
        found = organisation.codes.entities(entity, [*codes, "nothing-like-it"])
        assert set(found) == set(codes)
        back = organisation.codes.entity_codes(entity, [*found.values(), "no-such-id"])
        assert back == {identity: code for code, identity in found.items()}


def _codes_of(organisation: Organisation, entity: str) -> list[str]:
    assert isinstance(organisation.codes, M3terCodes)
    every = organisation.codes._all(RESOURCES[entity.lower()])
    return [code for entry in every if isinstance(code := entry.get("code"), str)]


PRICINGS: JsonValue = {
    "data": [
        {
            "id": "p1",
            "code": "calls",
            "pricingBands": [
                {"id": "b1", "lowerLimit": 0},
                {"id": "b2", "lowerLimit": Decimal("1E+3")},
                {"id": "b3", "lowerLimit": Decimal("0.50")},
                {"lowerLimit": 7},
                {"id": "b5"},
            ],
        },
        {"id": "p2", "pricingBands": [{"id": "b6", "lowerLimit": 0}]},
        {"id": "p3", "code": "flat"},
    ]
}


def test_bands_bear_the_code_of_their_pricing_and_their_lower_limit() -> None:
    codes = M3terCodes(session(_answering(PRICINGS)))
    bands = {"calls#0": "b1", "calls#1000": "b2", "calls#0.5": "b3"}
    assert codes.entities("PricingBand", [*bands, "flat#0"]) == bands
    back = {identity: code for code, identity in bands.items()}
    assert codes.entity_codes("PricingBand", [*back, "b5", "b6"]) == back
    assert codes.entities("Pricing", ["calls", "flat"]) == {"calls": "p1", "flat": "p3"}


def test_an_entity_without_codes_is_refused_with_what_to_do(organisation: Organisation) -> None:
    with pytest.raises(NoCodesError, match="Name them by id") as caught:
        organisation.codes.entities("Contract", ["c1"])
    assert caught.value.exit_code is ExitCode.INVALID
    assert organisation.codes.entities("Contract", []) == {}
    assert organisation.codes.entity_codes("Contract", ["c1"]) == {}
    assert organisation.codes.entity_codes("Product", []) == {}


def test_users_are_found_by_address_in_any_case(organisation: Organisation) -> None:
    users = organisation.people.users()
    email = users[0].email
    found = organisation.people.users_by_email([email.upper(), "nobody@example.com"])
    assert found == {email.upper(): users[0].id}
    before = organisation.calls
    assert organisation.people.users_by_email([]) == {}
    assert organisation.calls == before


def test_an_organisation_without_the_credentials_api_has_none(
    emulate: Any, connected: Connect
) -> None:
    assert connected(emulate(requests_per_second=0)).people.credentials()
    old = connected(emulate(requests_per_second=0, endpoints_2026="off"))
    assert old.people.credentials() is None
    forbidden = session(_answering({"message": "Forbidden"}, 403))
    assert M3terPeople(forbidden).credentials() is None


def test_only_mappings_of_the_wanted_systems_are_listed(organisation: Organisation) -> None:
    organisation.mappings.create(
        MappingBody("Account", "a1", "Chargebee", "Subscription", "s1", None)
    )
    every = organisation.mappings.list()
    stripe = organisation.mappings.list(["Stripe"])
    both = organisation.mappings.list(["Stripe", "Chargebee", "Xero"])
    assert {mapping.system for mapping in stripe} == {"Stripe"}
    assert sorted(mapping.id for mapping in both) == sorted(mapping.id for mapping in every)


def test_mappings_of_another_system_that_slip_through_a_filter_are_left_out() -> None:
    row: dict[str, JsonValue] = {"id": "1", "version": 1, "m3terEntity": "Account", "m3terId": "a"}
    row |= {"externalSystem": "Xero", "externalTable": "Contact", "externalId": "x"}
    assert M3terMappings(session(_answering({"data": [row]}))).list(["Stripe"]) == ()


@pytest.mark.parametrize("shape", ["config", "run"])
def test_nothing_depends_on_the_shape_of_a_single_configuration(
    emulate: Any, connected: Connect, shape: str
) -> None:
    organisation = connected(emulate(requests_per_second=0, get_config_shape=shape))
    stripe = next(
        integration
        for integration in organisation.integrations.list()
        if integration.destination == "Stripe"
    )
    assert organisation.integrations.enable(stripe.id).id == stripe.id


def test_enabling_reads_the_list_when_the_answer_is_no_configuration() -> None:
    listed: dict[str, JsonValue] = {
        "id": "i1",
        "version": 2,
        "destination": "X",
        "entityType": "Bill",
        "name": "n",
    }

    def behave(request: Request) -> Outcome:
        return json({"data": [listed]}) if request.method == "GET" else json({})

    integrations = M3terIntegrations(session(ScriptedM3ter(behave)))
    known = integrations.list()[0].id
    assert integrations.enable(known).version == 2
    listed["id"] = "other"
    with pytest.raises(UnreadableAnswerError, match="not in the list"):
        integrations.enable(known)


def test_what_can_be_connected_and_mapped_is_given_raw(organisation: Organisation) -> None:
    assert "Chargebee" in {
        system["identifier"] for system in organisation.integrations.systems("Bill")
    }
    assert organisation.integrations.systems("")
    available = organisation.integrations.available("Chargebee", "Bill")
    assert "supportedEntities" in available
    assert "m3terEntities" in organisation.mappings.configuration()


def test_an_answer_that_is_no_object_is_not_guessed_at() -> None:
    one = session(_answering([]))
    with pytest.raises(UnreadableAnswerError):
        M3terIntegrations(one).available("Chargebee", "Bill")
    with pytest.raises(UnreadableAnswerError):
        M3terMappings(one).configuration()
    with pytest.raises(UnreadableAnswerError):
        M3terMappings(one)._get(MappingId("m1"))


def test_native_runs_are_found_for_bills_entities_and_destinations(
    organisation: Organisation,
) -> None:
    found = list(organisation.runs.events())
    assert all(event.name.startswith("integration.") for event in found)
    bills = [entry.id for entry in organisation.bills.list(BillQuery())]
    latest = organisation.runs.latest("Bill", [*bills, "no-such-bill"])
    assert latest
    bill, run = next(iter(latest.items()))
    assert next(organisation.runs.of_entity("Bill", bill)) == run
    assert organisation.runs.latest("Bill", []) == {}
    assert isinstance(organisation.runs.log(run.id), str)


RUN = {"id": "r1", "entityId": "b1", "status": "ERROR", "dtStarted": "2026-11-01T00:00:00Z"}
LATER = RUN | {"id": "r2", "dtStarted": "2026-11-02T00:00:00Z"}


@pytest.mark.parametrize(
    "shape",
    [
        [RUN, LATER],
        [LATER, RUN],
        {"data": [RUN, LATER]},
        {"b1": LATER, "n": 3},
        LATER,
    ],
)
def test_the_latest_runs_are_read_in_every_likely_shape(shape: JsonValue) -> None:
    runs = M3terRuns(session(_answering(shape)))
    assert runs.latest("Bill", ["b1"])["b1"].id == "r2"


def test_no_latest_runs_are_no_error() -> None:
    assert M3terRuns(session(_answering({}, 404))).latest("Bill", ["b1"]) == {}
    assert M3terRuns(session(_answering("nothing"))).latest("Bill", ["b1"]) == {}


def test_a_log_is_decoded_and_its_secrets_are_blanked() -> None:
    payload = b'{"apiKey": "hunter2hunter2", "amount": 1}'
    encoded = base64.b64encode(payload).decode()
    text = M3terRuns(session(_answering({"Payload": encoded}))).log("r1")
    assert "hunter2" not in text
    assert '"amount": 1' in text
    plain = M3terRuns(session(_answering({"Payload": "it is plain: ü"}))).log("r1")
    assert plain == "it is plain: ü"
    with pytest.raises(UnreadableAnswerError, match="no Payload"):
        M3terRuns(session(_answering({"payload": encoded}))).log("r1")


def test_webhooks_are_listed_without_credentials(organisation: Organisation) -> None:
    webhooks = list(organisation.webhooks())
    assert webhooks
    assert all("credentials" not in webhook for webhook in webhooks)


def test_webhook_secrets_are_dropped_even_when_m3ter_shows_them(
    emulate: Any, connected: Connect
) -> None:
    organisation = connected(emulate(requests_per_second=0, webhook_secrets="shown"))
    assert all("credentials" not in webhook for webhook in organisation.webhooks())


def test_a_missing_object_is_not_found(organisation: Organisation) -> None:
    with pytest.raises(NotFoundError):
        organisation.runs.log("no-such-run")


def test_ids_with_odd_characters_stay_one_segment_of_the_path() -> None:
    m3ter = ScriptedM3ter(lambda _: Answer(200, {}, b'{"data": []}'))
    list(M3terRuns(session(m3ter)).of_entity("Bill", AccountId("a/../b?c")))
    assert m3ter.requests[0].path.endswith("/integrationruns/Bill/a%2F..%2Fb%3Fc")
