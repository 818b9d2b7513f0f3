"""import, adopt and discover over an organisation in memory: what only a hostile one shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.organisation import FakeOrganisation
from fakes.scene import UK, Scene, mapping
from fakes.sound_repository import sound_repository

from reconciler.cli.progress import SilentProgress
from reconciler.definitions.core.edits import AddDocuments, SetValue
from reconciler.definitions.model import Definitions
from reconciler.dialect.core.discovery import DialectFinding, Proposal
from reconciler.dialect.core.published import read_available
from reconciler.dialect.discover import dialect_edits, proposals
from reconciler.importing.accept_live import accept_live
from reconciler.importing.adopt import adopt
from reconciler.importing.core.edits import FieldAddress
from reconciler.importing.core.move_base import SignedBy
from reconciler.importing.import_live import Import, Wish, import_live, missing_dialects
from reconciler.kernel.address import BillId, FieldPath
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.live import NativeRun
from reconciler.m3ter.ports import AccessError, IntegrationBody, MappingBody, NotFoundError
from reconciler.plan.compare import EnvironmentComparison, compare
from reconciler.plan.core.unplannable import SeveralMatchesError
from reconciler.plan.make_plan import fingerprint
from reconciler.status.core.attribution import SeenRun
from reconciler.status.native_runs import NoSuchBillError, runs_of_bill, scopes, with_payloads

SIGNED = SignedBy("tester", "2026-12-01T06:00:00Z", "import")


def compared(scene: Scene) -> EnvironmentComparison:
    head = scene.head()
    return compare(
        scene.effective(), head, scene.organisation, SilentProgress(), adoption="by-name"
    )


def environment_only() -> Definitions:
    """Git with one environment of the scene's name, and nothing else."""
    repository = sound_repository()
    kept = {key: spec for key, spec in repository.specs.items() if key[1] == "sandbox"}
    repository.specs = kept
    repository.csv = {}
    return repository.load().definitions


def imported(scene: Scene) -> Import:
    """Import everything into a repository that has only an environment."""
    scene.integrations.clear()
    scene.sets.clear()
    live = scene.organisation.integrations.list()
    wish = Wish(live, everything=True, folder="integrations.d")
    return import_live(compared(scene), environment_only(), scene.organisation, wish, SIGNED)


def create(organisation: FakeOrganisation, name: str, **data: object) -> str:
    body = IntegrationBody("Chargebee", "Bill", name, data, None, {})  # type: ignore[arg-type]
    return organisation.integrations.create(body).id


def test_a_configuration_without_a_name_is_left_out() -> None:
    scene = Scene()
    create(scene.organisation, "")
    report = imported(scene).report
    (skipped,) = report.skipped
    assert "it has no name" in skipped.reason
    assert report.new == ()


def test_keys_that_look_like_settings_keep_a_configuration_out() -> None:
    scene = Scene()
    create(scene.organisation, "Odd", CREATE_INVOICE=True)
    (skipped,) = imported(scene).report.skipped
    assert "looks like `chargebee.createInvoice`" in skipped.reason


def test_a_mapping_that_m3ter_has_twice_is_left_out() -> None:
    scene = Scene()
    for external in ("one", "two"):
        body = MappingBody("Account", "account-acme", "Chargebee", "Subscription", external, None)
        scene.organisation.mappings.create(body)
    report = imported(scene).report
    (skipped,) = report.skipped
    assert "several times: one, two" in skipped.reason
    assert report.new == ()


def test_objects_without_a_code_are_mapped_by_id_in_a_set_of_their_own() -> None:
    scene = Scene()
    for identity in ("account-acme", "unknown-account"):
        body = MappingBody("Account", identity, "Chargebee", "Subscription", f"s-{identity}", None)
        scene.organisation.mappings.create(body)
    made = imported(scene)
    names = {entry.address.name for entry in made.report.new}
    assert names == {"chargebee-accounts", "chargebee-accounts-ids"}
    (ids,) = [
        edit
        for edit in made.edits
        if isinstance(edit, AddDocuments) and edit.file.endswith("accounts-ids.yaml")
    ]
    assert "unknown-account" in str(ids.documents)


def test_sets_of_several_tables_bear_their_table() -> None:
    scene = Scene()
    for table in ("Subscription", "Customer"):
        body = MappingBody("Account", "account-acme", "Chargebee", table, "x", None)
        scene.organisation.mappings.create(body)
    names = {entry.address.name for entry in imported(scene).report.new}
    assert names == {"chargebee-accounts-customer", "chargebee-accounts-subscription"}


def test_a_dialect_comes_from_live_keys_where_nothing_is_published() -> None:
    scene = Scene(dialect=None)
    create(scene.organisation, "UK", ACCOUNT_IDS=["account-acme"])
    live = scene.organisation.integrations.list()
    (found,) = missing_dialects(scene.effective(), scene.organisation, scene.clock, live)
    assert found.spec is not None
    assert found.spec["keys"] == {"global.accountIds": "ACCOUNT_IDS"}
    assert found.spec["evidence"] == {
        "source": "import",
        "at": "2026-12-01T06:00:00Z",
        "configId": live[0].id,
    }


def test_a_key_that_may_not_ask_is_no_empty_answer() -> None:
    scene = Scene()

    class Closed:
        """Integrations that the key may not read."""

        def systems(self, entity_type: str) -> tuple[JsonObject, ...]:
            raise AccessError(f"the key may not list systems for {entity_type}")

    with pytest.raises(AccessError):
        proposals(scene.effective(), Closed(), scene.clock)  # type: ignore[arg-type]


def test_a_dialect_that_a_person_completed_stays_that_persons() -> None:
    repository = sound_repository()
    definitions = repository.load().definitions
    keys = {"global.accountIds": "accounts", "entity.accountFilter": "mine"}
    spec: JsonObject = {
        "environment": "sandbox",
        "destination": "Chargebee",
        "evidence": {"source": "discover", "at": "2026-12-01T06:00:00Z"},
        "wireNames": {"destination": "Chargebee", "entityType": "Bill"},
        "keys": keys,
    }
    kept = DialectFinding("kept", FieldPath("entity.accountFilter"), "stays")
    proposal = Proposal("Chargebee", "Bill", spec, (kept,))
    (written,), (edit,) = dialect_edits("sandbox", [proposal], definitions)
    assert written.outcome == "changed"
    assert isinstance(edit, SetValue)
    assert isinstance(edit.value, dict)
    before = next(
        definition for definition in definitions.documents if definition.kind == "Dialect"
    ).body["spec"]
    assert isinstance(before, dict)
    assert edit.value["evidence"] == before["evidence"]
    assert edit.value["keys"] == keys


def test_a_dialect_whose_name_is_taken_gets_another() -> None:
    definitions = sound_repository().load().definitions
    renamed = tuple(
        replace(definition, name="chargebee-sandbox", body={**definition.body, "spec": {}})
        if definition.kind == "Dialect"
        else definition
        for definition in definitions.documents
    )
    head: JsonObject = {"environment": "sandbox", "destination": "Chargebee"}
    proposal = Proposal("Chargebee", "Bill", head, ())
    _, (edit,) = dialect_edits("sandbox", [proposal], replace(definitions, documents=renamed))
    assert isinstance(edit, AddDocuments)
    assert edit.documents[0]["metadata"] == {"name": "chargebee-sandbox-2"}


def test_one_of_several_of_a_name_is_adopted_by_its_id() -> None:
    scene = Scene()
    create(scene.organisation, "UK bills")
    second = create(scene.organisation, "UK bills")
    found = compared(scene)
    place = fingerprint(scene.effective())
    with pytest.raises(SeveralMatchesError):
        adopt(found, UK, "", place, SIGNED)
    with pytest.raises(SeveralMatchesError):
        accept_live(found, environment_only(), scene.organisation, FieldAddress(UK), SIGNED)
    made = adopt(found, UK, second, place, SIGNED)
    assert made.record is not None
    scene.chain.append(made.record)
    assert scene.live_id(UK) == second
    assert "conflict" not in {hit.guard for hit in scene.plan().body.hits if hit.field == "enabled"}


def test_a_row_that_m3ter_lacks_is_left_when_its_set_is_adopted() -> None:
    scene = Scene()
    scene.apply()
    scene.chain.links.clear()
    scene.organisation.rows.popitem()
    made = adopt(
        compared(scene), replace(mapping("x"), key=""), "", fingerprint(scene.effective()), SIGNED
    )
    assert [adoption.address for adoption in made.objects] == [mapping("acme")]


def test_the_file_of_what_is_published_may_be_empty() -> None:
    assert read_available({}, "Chargebee", "Bill").options == ()


class NoLogs:
    """An organisation whose runs have no logs any more."""

    class runs:  # noqa: N801  stands in for a property
        """Runs without logs."""

        @staticmethod
        def log(run: str) -> str:
            raise NotFoundError(run)


def test_a_run_without_a_log_says_so() -> None:
    run = NativeRun("r", "Bill", "b", "Chargebee", "ERROR", "", "", "", "", "", "")
    (seen,) = with_payloads(NoLogs(), [SeenRun(run, "acme", ())])  # type: ignore[arg-type]
    assert seen.payload == "m3ter has no log of this run"


def test_runs_of_an_unknown_bill_are_a_slip() -> None:
    with pytest.raises(NoSuchBillError):
        runs_of_bill(Scene().organisation, BillId("b"), (), 5)


def test_a_destination_without_a_word_of_ours_takes_any_account() -> None:
    scene = Scene()
    create(scene.organisation, "UK", accountIds=["account-acme"])
    (live,) = scene.organisation.integrations.list()
    odd = replace(live, destination="Custom")
    uk, custom = scopes(scene.effective(), [live, odd])
    assert (uk.accounts, custom.accounts) == (frozenset({"account-acme"}), None)
