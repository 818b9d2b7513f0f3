"""One integration: git, state and m3ter -> its changes, in no order yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from reconciler.definitions.core.settings import BY_PATH
from reconciler.definitions.core.spelling import default, equal, key_of
from reconciler.kernel.address import FieldPath
from reconciler.kernel.value import ABSENT, JsonObject
from reconciler.m3ter.live import LiveIntegration
from reconciler.plan.core.comparable import (
    CONNECTION,
    ENABLED,
    NAME,
    PASSTHROUGH,
    WantedIntegration,
    live_fields,
    refuse_lookalikes,
)
from reconciler.plan.core.diff.order import change_id, moved, reason, reference
from reconciler.plan.core.identity import Bound, Missing, Named
from reconciler.plan.core.merge import Side, as_stored, in_form_of, merge
from reconciler.plan.core.unplannable import FixedFieldError
from reconciler.plan.model.applied import BaseField, Binding
from reconciler.plan.model.change import (
    Adopt,
    Change,
    ConfigurationContent,
    Connect,
    Create,
    Disconnect,
    Enable,
    FieldChange,
    FieldValue,
    Ignore,
    Update,
    Verdict,
)

# Source: m3ter OpenAPI 2026-08-03, IntegrationConfigResponse: what a PUT does not take or what
# the content names itself
_NOT_EXTRA: Final = frozenset(
    {
        "id",
        "version",
        "dtCreated",
        "dtLastModified",
        "createdBy",
        "lastModifiedBy",
        "authorized",
        "enabled",
        "triggerType",
        "destination",
        "entityType",
        "name",
        "configData",
        "integrationCredentialsId",
    }
)
_INLINE_CREDENTIAL: Final = "credentials"


def created(wanted: WantedIntegration, missing: Missing) -> Iterator[Change]:
    """Plan a configuration that m3ter does not have: made disconnected, connected last."""
    fields = tuple(_new_fields(wanted))
    content = ConfigurationContent(
        destination=wanted.destination,
        entity_type=wanted.entity_type,
        name=wanted.name,
        config_data=wanted.config_data,
        credential_id=None,
        extra={},
    )
    sendable = content if _confirmed(wanted) else None
    yield Create(
        id=change_id("create", wanted.address),
        address=wanted.address,
        content=sendable,
        fields=tuple(field for field in fields if field.path != CONNECTION),
        reason="it is gone from m3ter" if missing.lost else "m3ter does not have it",
        origin=wanted.defined.origin,
    )
    if wanted.credential is not None:
        yield Connect(
            id=change_id("connect", wanted.address),
            address=wanted.address,
            live=None,
            content=replace(content, credential_id=wanted.credential) if sendable else None,
            fields=tuple(field for field in fields if field.path == CONNECTION),
            reason="connected once everything it needs is there",
            origin=wanted.origin(CONNECTION),
        )


def ignored(wanted: WantedIntegration, live: LiveIntegration) -> Change:
    """Leave an object of the same name alone, because adoption is explicit."""
    return Ignore(
        id=change_id("ignore", wanted.address),
        address=wanted.address,
        live=reference(live),
        fields=(),
        reason=f"m3ter has one of this name; `reconciler adopt {wanted.address}` takes it over",
        origin=wanted.defined.origin,
    )


def changed(
    wanted: WantedIntegration, pair: Bound[LiveIntegration] | Named[LiveIntegration]
) -> Iterator[Change]:
    """Plan a configuration that m3ter has.

    Raises:
        FixedFieldError: When destination or entity type would change.
        LookalikeKeyError: When the dialect does not fit the live object.
    """
    live, binding = pair.live, pair.binding if isinstance(pair, Bound) else pair.was
    _refuse_fixed(wanted, live)
    refuse_lookalikes(
        wanted.address, live.config_data, wanted.settings, wanted.dialect, wanted.defined.origin
    )
    fields = tuple(_merged(wanted, live, binding))
    if isinstance(pair, Named):
        yield _adoption(wanted, pair, fields)
    connection = moved(field for field in fields if field.path == CONNECTION)
    disconnects = bool(connection) and wanted.credential is None
    if disconnects:
        yield _disconnect(wanted, live, connection)
    settings = tuple(field for field in fields if field.path not in {CONNECTION, ENABLED})
    content = _content(wanted, live, binding, keep_credential=not disconnects)
    sendable = content if _confirmed(wanted) else None
    if moved(settings):
        yield Update(
            id=change_id("update", wanted.address),
            address=wanted.address,
            live=reference(live),
            content=sendable,
            fields=settings,
            reason=reason(settings),
            origin=wanted.defined.origin,
        )
    yield from _enabled(wanted, live, binding)
    if connection and wanted.credential is not None:
        yield Connect(
            id=change_id("connect", wanted.address),
            address=wanted.address,
            live=reference(live),
            content=replace(content, credential_id=wanted.credential) if sendable else None,
            fields=connection,
            reason=reason(connection),
            origin=wanted.origin(CONNECTION),
        )


def disconnected(live: LiveIntegration) -> ConfigurationContent:
    """Give the body that takes the credential away and changes nothing else."""
    return ConfigurationContent(
        destination=live.destination,
        entity_type=live.entity_type,
        name=live.name,
        config_data=live.config_data,
        credential_id=None,
        extra={key: value for key, value in _extra(live).items() if key != _INLINE_CREDENTIAL},
    )


def _confirmed(wanted: WantedIntegration) -> bool:
    return wanted.dialect is not None and not wanted.unconfirmed


def _refuse_fixed(wanted: WantedIntegration, live: LiveIntegration) -> None:
    pairs = (
        ("destination", live.destination, wanted.destination),
        ("entityType", live.entity_type, wanted.entity_type),
    )
    for field, in_m3ter, here in pairs:
        if in_m3ter.casefold() != here.casefold():
            raise FixedFieldError(wanted.address, field, in_m3ter, here, wanted.defined.at(field))


def _new_fields(wanted: WantedIntegration) -> Iterator[FieldChange]:
    """Give what is set, and what git leaves to m3ter: both will have a base."""
    visible = [
        known_setting.path
        for known_setting in wanted.settings
        if key_of(known_setting, wanted.dialect)
    ]
    for path in dict.fromkeys((*wanted.fields, *visible)):
        if path == ENABLED:
            continue
        value, setting = wanted.fields.get(path, ABSENT), BY_PATH.get(path)
        usual = value is ABSENT or (setting is not None and equal(value, default(setting)))
        verdict: Verdict = "same" if usual else "ours"
        origin = wanted.origin(path) if path in wanted.fields else None
        yield FieldChange(path, verdict, None, None, as_stored(value), origin)


def _merged(
    wanted: WantedIntegration, live: LiveIntegration, binding: Binding | None
) -> Iterator[FieldChange]:
    live_values = live_fields(live, wanted.settings, wanted.dialect)
    bases = {field.path: field for field in binding.fields} if binding else {}
    visible = {
        known_setting.path
        for known_setting in wanted.settings
        if key_of(known_setting, wanted.dialect)
    }
    paths = {NAME, CONNECTION} | visible | set(wanted.fields) | set(live_values) | set(bases)
    for path in sorted(paths - {ENABLED}):
        if not _seen(path, wanted, visible):
            continue
        desired, found = wanted.fields.get(path, ABSENT), live_values.get(path, ABSENT)
        base = bases.get(path)
        for verdict in _verdicts(wanted, path, base, found, desired):
            theirs = verdict in {"theirs", "conflict"}
            yield FieldChange(
                path=path,
                verdict=verdict,
                base=as_stored(in_form_of(base.read, found, desired)) if base else None,
                live=as_stored(found),
                desired=as_stored(found if verdict == "unmanaged" else desired),
                origin=wanted.origin(path) if path in wanted.fields else None,
                by=live.audit.modified_by if theirs else "",
                at=live.audit.modified_at if theirs else "",
            )


def _seen(path: FieldPath, wanted: WantedIntegration, visible: set[FieldPath]) -> bool:
    """Tell whether a field can be compared; a base alone cannot, once its key is not known."""
    if path in {NAME, CONNECTION} or path in wanted.fields or path.startswith(PASSTHROUGH):
        return True
    return path in visible or path.rpartition(".")[0] in visible


def _verdicts(
    wanted: WantedIntegration, path: FieldPath, base: BaseField | None, live: Side, desired: Side
) -> tuple[Verdict, ...]:
    if path in wanted.unconfirmed or path.rpartition(".")[0] in wanted.unconfirmed:
        return ("ours",)
    return merge(base, live, desired, modelled=not path.startswith(PASSTHROUGH))


def _adoption(
    wanted: WantedIntegration, pair: Named[LiveIntegration], fields: tuple[FieldChange, ...]
) -> Change:
    return Adopt(
        id=change_id("adopt", wanted.address),
        address=wanted.address,
        live=reference(pair.live),
        fields=fields,
        reason=f"was {pair.was.address}" if pair.was else "m3ter has one of this name",
        origin=wanted.defined.origin,
    )


def _disconnect(
    wanted: WantedIntegration, live: LiveIntegration, fields: tuple[FieldChange, ...]
) -> Change:
    return Disconnect(
        id=change_id("disconnect", wanted.address),
        address=wanted.address,
        live=reference(live),
        content=disconnected(live),
        fields=fields,
        reason=reason(fields),
        origin=wanted.origin(CONNECTION),
    )


def _content(
    wanted: WantedIntegration,
    live: LiveIntegration,
    binding: Binding | None,
    *,
    keep_credential: bool,
) -> ConfigurationContent:
    """Start from the live object, so that what is not ours survives."""
    return replace(
        disconnected(live),
        name=wanted.name,
        config_data=_config_data(wanted, live.config_data, binding),
        credential_id=live.credential_id if keep_credential else None,
        extra=_extra(live) if keep_credential else disconnected(live).extra,
    )


def _config_data(
    wanted: WantedIntegration, live: JsonObject, binding: Binding | None
) -> JsonObject:
    """Replace what is ours, drop what left git, keep the rest."""
    bases = binding.fields if binding else ()
    passed = {
        base.path.removeprefix(PASSTHROUGH) for base in bases if base.path.startswith(PASSTHROUGH)
    }
    ours = wanted.wire_keys | passed
    kept = {key: value for key, value in live.items() if key not in ours}
    return {**kept, **wanted.config_data}


def _extra(live: LiveIntegration) -> JsonObject:
    return {key: value for key, value in live.raw.items() if key not in _NOT_EXTRA}


def _enabled(
    wanted: WantedIntegration, live: LiveIntegration, binding: Binding | None
) -> Iterator[Change]:
    if live.enabled or _decided_disabled(wanted, binding):
        return
    field = FieldChange(
        path=ENABLED,
        verdict="theirs",
        base=None,
        live=FieldValue(value=False),
        desired=FieldValue(value=True) if wanted.enable else None,
        origin=wanted.origin(ENABLED) if wanted.enable else None,
        by=live.audit.modified_by,
        at=live.audit.modified_at,
    )
    if wanted.enable:
        yield Enable(
            id=change_id("enable", wanted.address),
            address=wanted.address,
            live=reference(live),
            fields=(field,),
            reason="m3ter disabled it, and git wants it enabled",
            origin=wanted.origin(ENABLED),
        )
        return
    yield Ignore(
        id=change_id("ignore", wanted.address),
        address=wanted.address,
        live=reference(live),
        fields=(field,),
        reason="m3ter disabled it; `enabled: true` in git would enable it again",
        origin=wanted.defined.origin,
    )


def _decided_disabled(wanted: WantedIntegration, binding: Binding | None) -> bool:
    """Whether a person decided that a push goes on although its configuration is disabled."""
    bases = binding.fields if binding else ()
    return wanted.defined.spec.delivery == "push" and any(
        base.path == ENABLED and base.read == FieldValue(value=False) for base in bases
    )
