"""Integration configurations and what m3ter can connect to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from reconciler.kernel.address import IntegrationId
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.api.errors import Call, UnreadableAnswerError
from reconciler.m3ter.api.session import OrganisationSession, segment
from reconciler.m3ter.api.settle import Seen, Settle
from reconciler.m3ter.api.wire.objects import decode_integration, encode_integration, same_text
from reconciler.m3ter.live import LiveIntegration
from reconciler.m3ter.ports import IntegrationBody, NotFoundError

PATH = "/integrationconfigs"
# Source: m3ter OpenAPI 2026-08-03, GetIntegrationConfigs: pageSize at most 200
PAGE_SIZE = 200


class M3terIntegrations:
    """Implements ``m3ter.ports.Integrations``."""

    def __init__(self, session: OrganisationSession) -> None:
        self._session = session
        self._settle = Settle(session, self._decode, lambda integration: integration.id)
        self._known: set[IntegrationId] = set()
        self._looked = False

    def list(self) -> tuple[LiveIntegration, ...]:
        """List all, by pages of 200."""
        items = self._session.items(PATH, size=PAGE_SIZE, intent="list the integrations")
        integrations = tuple(decode_integration(item) for item in items)
        self._known |= {integration.id for integration in integrations}
        self._looked = True
        return integrations

    def create(self, body: IntegrationBody) -> LiveIntegration:
        """Create one; an unknown outcome is looked up by natural key before it is sent again.

        Raises:
            OutcomeUnknownError: When it stays unknown, or several are there now.
        """
        if not self._looked:
            self.list()
        known = frozenset(self._known)
        call = Call("POST", PATH, f"create integration {body.name!r}")
        sent = encode_integration(body, None, self._session.switches)
        integration = self._settle.create(call, sent, partial(self._new, body, known))
        self._known.add(integration.id)
        return integration

    def update(
        self, identity: IntegrationId, version: int, body: IntegrationBody
    ) -> LiveIntegration:
        """Replace one.

        Raises:
            VersionConflictError: When ``version`` is not the live one; nothing was changed.
            NotFoundError: When it is gone.
            OutcomeUnknownError: When it is not known whether it was changed.
        """
        call = Call("PUT", _path(identity), f"update integration {body.name!r} ({identity})")
        sent = encode_integration(body, version, self._session.switches)
        look = partial(self._listed, identity)
        return self._settle.update(call, sent, look, partial(_seen, version, body))

    def delete(self, identity: IntegrationId) -> None:
        """Delete one; one that is gone already is no error."""
        call = Call("DELETE", _path(identity), f"delete integration {identity}")
        try:
            self._settle.until(call, partial(self._listed, identity), lambda live: live is None)
        except NotFoundError:
            return

    def enable(self, identity: IntegrationId) -> LiveIntegration:
        """Enable one that m3ter disabled."""
        call = Call("POST", f"{_path(identity)}/enable", f"enable integration {identity}")
        look = partial(self._listed, identity)
        answer = self._settle.until(call, look, lambda live: live is not None and live.enabled)
        if answer is not None and "configData" in answer:
            return decode_integration(answer)
        return self._present(identity)

    def available(self, destination: str, entity_type: str) -> JsonObject:
        """Give the published configuration options, raw."""
        query = [("systemName", destination), ("entityType", entity_type)]
        intent = f"read the options of {destination} for {entity_type}"
        found = self._session.read(f"{PATH}/available", query, intent=intent)
        if not isinstance(found, Mapping):
            raise UnreadableAnswerError(f"GET {PATH}/available", "it is no object")
        return found

    def systems(self, entity_type: str) -> tuple[JsonObject, ...]:
        """Give the systems that can be connected, raw."""
        query = [("entityType", entity_type)] if entity_type else []
        intent = f"list the systems for {entity_type or 'all entities'}"
        return self._session.array(f"{PATH}/available/systems", query, intent=intent)

    def _decode(self, answer: JsonObject) -> LiveIntegration:
        return decode_integration(answer)

    def _new(
        self, body: IntegrationBody, known: frozenset[IntegrationId]
    ) -> tuple[LiveIntegration, ...]:
        wanted = (body.destination, body.entity_type, body.name)
        return tuple(
            integration
            for integration in self.list()
            if (integration.destination, integration.entity_type, integration.name) == wanted
            and integration.id not in known
        )

    def _listed(self, identity: IntegrationId) -> LiveIntegration | None:
        # The published single GET answers with another type, so even one is read by the list.
        return next(
            (integration for integration in self.list() if integration.id == identity), None
        )

    def _present(self, identity: IntegrationId) -> LiveIntegration:
        live = self._listed(identity)
        if live is None:
            raise UnreadableAnswerError(f"integration {identity}", "it is not in the list")
        return live


def _path(identity: IntegrationId) -> str:
    return f"{PATH}/{segment(identity)}"


def _seen(version: int, body: IntegrationBody, live: LiveIntegration) -> Seen:
    """Compare what is there with what was sent; spelling aside."""
    if live.version == version:
        return Seen.BEFORE
    ours = (
        live.name == body.name
        and live.credential_id == body.credential_id
        and all(same_text(live.config_data.get(k), v) for k, v in body.config_data.items())
        and live.version == version + 1
    )
    return Seen.OURS if ours else Seen.OTHER
