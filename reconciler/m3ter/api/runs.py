"""m3ter's own integration runs, their payloads, and the events about integrations."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

from reconciler.kernel.value import JsonObject, JsonValue
from reconciler.m3ter.api.errors import UnreadableAnswerError
from reconciler.m3ter.api.session import OrganisationSession, batches, segment
from reconciler.m3ter.api.wire.objects import decode_event, decode_run
from reconciler.m3ter.live import IntegrationEvent, NativeRun
from reconciler.m3ter.ports import NotFoundError
from reconciler.transport.redaction import redact_text

PATH = "/integrationruns"
# Source: m3ter OpenAPI 2026-08-03, ListIntegrationRuns and ListEvents: at most 200 and 100
PAGE_SIZE = 200
EVENTS_PAGE_SIZE = 100
# How many ids one request for the latest runs may name is not published.
LATEST_BATCH = 50


class M3terRuns:
    """Implements ``m3ter.ports.Runs``."""

    def __init__(self, session: OrganisationSession) -> None:
        self._session = session

    def latest(self, entity_type: str, ids: Sequence[str]) -> Mapping[str, NativeRun]:
        """Give the latest run of each entity; entities without one are missing."""
        wanted = set(ids)

        def ask(some: tuple[str, ...]) -> tuple[NativeRun, ...]:
            return self._latest(entity_type, some)

        many = self._session.map(ask, batches(wanted, LATEST_BATCH))
        newest: dict[str, NativeRun] = {}
        for run in (
            candidate for some in many for candidate in some if candidate.entity_id in wanted
        ):
            other = newest.get(run.entity_id)
            if other is None or run.started_at > other.started_at:
                newest[run.entity_id] = run
        return newest

    def of_entity(self, entity_type: str, identity: str) -> Iterator[NativeRun]:
        """Stream the runs of one entity, newest first."""
        path = f"{PATH}/{segment(entity_type)}/{segment(identity)}"
        return self._runs(path, (), f"list the runs of {entity_type} {identity}")

    def log(self, run: str) -> str:
        """Give the payload exchanged, decoded and redacted.

        Source: m3ter OpenAPI 2026-08-03, IntegrationRunLogResponse: ``Payload``, base64.
        """
        found = self._session.read(f"{PATH}/logs/{segment(run)}", intent=f"read the log of {run}")
        payload = found.get("Payload") if isinstance(found, Mapping) else None
        if not isinstance(payload, str):
            raise UnreadableAnswerError(f"the log of run {run}", "it has no Payload")
        try:
            data = base64.b64decode(payload, validate=True)
        except ValueError:
            # Seen in no document, but a payload that is text already loses nothing.
            return redact_text(payload)
        return redact_text(data.decode(errors="replace"))

    def events(self) -> Iterator[IntegrationEvent]:
        """Stream integration events, newest first."""
        query = (("eventType", "IntegrationEvent"), ("includeActioned", "true"))
        items = self._session.items(
            "/events", query, size=EVENTS_PAGE_SIZE, intent="list the integration events"
        )
        return map(decode_event, items)

    def _runs(
        self, path: str, query: tuple[tuple[str, str], ...], intent: str
    ) -> Iterator[NativeRun]:
        # Source: m3ter OpenAPI 2026-08-03, ListIntegrationRuns: order ASC or DESC
        order = (*query, ("order", "DESC"))
        return map(decode_run, self._session.items(path, order, size=PAGE_SIZE, intent=intent))

    def _latest(self, entity_type: str, ids: tuple[str, ...]) -> tuple[NativeRun, ...]:
        path = f"{PATH}/{segment(entity_type)}/latest"
        intent = f"read the latest runs of {len(ids)} {entity_type} objects"
        try:
            found = self._session.read(path, self._session.listed("ids", ids), intent=intent)
        except NotFoundError:
            return ()
        return tuple(decode_run(run) for run in _runs_in(found))


def _runs_in(found: JsonValue) -> Iterator[JsonObject]:
    """Find runs in any likely shape: the published type of this list is one single run."""
    if isinstance(found, Mapping):
        if "entityId" in found:
            yield found
        elif "data" in found:
            yield from _runs_in(found["data"])
        else:
            yield from (run for run in found.values() if isinstance(run, Mapping))
    elif isinstance(found, Sequence) and not isinstance(found, str):
        yield from (run for run in found if isinstance(run, Mapping))
