"""External mappings and what may be mapped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from reconciler.kernel.address import MappingId
from reconciler.kernel.value import JsonObject
from reconciler.m3ter.api.errors import Call, UnreadableAnswerError
from reconciler.m3ter.api.session import OrganisationSession, segment
from reconciler.m3ter.api.settle import Seen, Settle
from reconciler.m3ter.api.wire.objects import decode_mapping, encode_mapping
from reconciler.m3ter.live import LiveMapping
from reconciler.m3ter.ports import MappingBody, NotFoundError

PATH = "/externalmappings"
# Source: m3ter OpenAPI 2026-08-03, ListExternalMappings: pageSize at most 200
PAGE_SIZE = 200


class M3terMappings:
    """Implements ``m3ter.ports.Mappings``."""

    def __init__(self, session: OrganisationSession) -> None:
        self._session = session
        self._settle = Settle(session, decode_mapping, lambda mapping: mapping.id)
        self._known: set[MappingId] | None = None

    def list(self, systems: Collection[str] = ()) -> tuple[LiveMapping, ...]:
        """List all, or those of some systems, by pages of 200."""
        if systems:
            many = self._session.map(self._of_system, sorted(set(systems)))
            mappings = tuple(mapping for some in many for mapping in some)
        else:
            mappings = self._read(())
        self._known = {*(self._known or ()), *(mapping.id for mapping in mappings)}
        return mappings

    def create(self, body: MappingBody) -> LiveMapping:
        """Create one; an unknown outcome is looked up before it is sent again.

        Raises:
            OutcomeUnknownError: When it stays unknown, or several are there now.
        """
        known = self._known
        if known is None:
            known = {live.id for live in self._alike(body)}
        call = Call("POST", PATH, f"create the {_described(body)}")
        look = partial(self._new, body, frozenset(known))
        mapping = self._settle.create(call, encode_mapping(body, None), look)
        if self._known is not None:
            self._known.add(mapping.id)
        return mapping

    def update(self, identity: MappingId, version: int, body: MappingBody) -> LiveMapping:
        """Replace one.

        Raises:
            VersionConflictError: When ``version`` is not the live one; nothing was changed.
            NotFoundError: When it is gone.
            OutcomeUnknownError: When it is not known whether it was changed.
        """
        call = Call("PUT", _path(identity), f"update the {_described(body)} ({identity})")
        look = partial(self._get, identity)
        sent = encode_mapping(body, version)
        return self._settle.update(call, sent, look, partial(_seen, version, body))

    def delete(self, identity: MappingId) -> None:
        """Delete one; one that is gone already is no error."""
        call = Call("DELETE", _path(identity), f"delete mapping {identity}")
        try:
            self._settle.until(call, partial(self._get, identity), lambda live: live is None)
        except NotFoundError:
            return

    def configuration(self) -> JsonObject:
        """Give the legal entities, systems and tables, raw."""
        path = "/externalmappingconfiguration"
        found = self._session.read(path, intent="read what may be mapped")
        if not isinstance(found, Mapping):
            raise UnreadableAnswerError(f"GET {path}", "it is no object")
        return found

    def _of_system(self, system: str) -> tuple[LiveMapping, ...]:
        mappings = self._read((("externalSystemId", system),))
        return tuple(mapping for mapping in mappings if mapping.system == system)

    def _read(self, query: tuple[tuple[str, str], ...]) -> tuple[LiveMapping, ...]:
        items = self._session.items(PATH, query, size=PAGE_SIZE, intent="list the mappings")
        return tuple(decode_mapping(item) for item in items)

    def _alike(self, body: MappingBody) -> tuple[LiveMapping, ...]:
        path = f"{PATH}/external/{segment(body.entity)}/{segment(body.m3ter_id)}"
        intent = f"list the mappings of {body.entity} {body.m3ter_id}"
        try:
            items = tuple(self._session.items(path, size=PAGE_SIZE, intent=intent))
        except NotFoundError:
            return ()
        mappings = (decode_mapping(item) for item in items)
        return tuple(mapping for mapping in mappings if _key(mapping) == _key(body))

    def _new(self, body: MappingBody, known: frozenset[MappingId]) -> tuple[LiveMapping, ...]:
        return tuple(mapping for mapping in self._alike(body) if mapping.id not in known)

    def _get(self, identity: MappingId) -> LiveMapping | None:
        try:
            found = self._session.read(_path(identity), intent=f"read mapping {identity}")
        except NotFoundError:
            return None
        if not isinstance(found, Mapping):
            raise UnreadableAnswerError(f"mapping {identity}", "it is no object")
        return decode_mapping(found)


def _path(identity: MappingId) -> str:
    return f"{PATH}/{segment(identity)}"


def _key(mapping: MappingBody | LiveMapping) -> tuple[str, str, str, str, str | None]:
    return (mapping.system, mapping.table, mapping.entity, mapping.m3ter_id, mapping.integration_id)


def _described(body: MappingBody) -> str:
    target = f"{body.system} {body.table} {body.external_id}"
    return f"mapping of {body.entity} {body.m3ter_id} to {target}"


def _seen(version: int, body: MappingBody, live: LiveMapping) -> Seen:
    if live.version == version:
        return Seen.BEFORE
    ours = (*_key(live), live.external_id) == (*_key(body), body.external_id)
    return Seen.OURS if ours and live.version == version + 1 else Seen.OTHER
