"""One change of a plan to requests, and their answers to an outcome."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from reconciler.errors import ReconcilerError
from reconciler.kernel.address import Address, IntegrationId, LiveId, MappingId
from reconciler.kernel.ports import Clock
from reconciler.m3ter.live import LiveIntegration, LiveMapping
from reconciler.m3ter.ports import (
    AccessError,
    IntegrationBody,
    MappingBody,
    Organisation,
    OutcomeUnknownError,
)
from reconciler.plan.core.comparable import integration_key, live_hash
from reconciler.plan.core.still_as_planned import Live, content_key
from reconciler.plan.model.applied import (
    Already,
    Done,
    Failed,
    NotAttempted,
    Outcome,
    OutcomeUnknown,
)
from reconciler.plan.model.change import (
    ConfigurationContent,
    Connect,
    Create,
    Delete,
    Disconnect,
    Enable,
    LinkByAddress,
    LinkById,
    LiveReference,
    MappingContent,
    Update,
    Writing,
)

UNCONFIRMED = "its wire names are not confirmed; see `reconciler discover`"
SECONDS_UNTIL_LISTED = (0.5, 2.0)
"""Waits before looking again for a new object that m3ter's list does not show yet."""


@dataclass(slots=True)
class ChangeSender:
    """Carries changes out, from many threads; remembers what m3ter answered.

    Attributes:
        live: The newest known live object of every touched address.
        touched: Addresses that this run has written.
        edited: Addresses that someone else has written since this run looked at them.
        ended: Why nothing more may be sent; ``None`` while it may.
    """

    organisation: Organisation
    clock: Clock
    live: dict[Address, Live]
    touched: set[Address] = field(default_factory=set)
    edited: set[Address] = field(default_factory=set)
    ended: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def carry_out(self, change: Writing) -> Outcome:
        """Send one change and say what became of it; never raises for what m3ter answers."""
        try:
            return self._send(change)
        except OutcomeUnknownError as error:
            return OutcomeUnknown(str(error))
        except AccessError as error:
            self.ended = f"m3ter refused the key: {error}"
            return Failed(str(error))
        except ReconcilerError as error:
            return Failed(str(error))

    def already(self, address: Address) -> Already:
        """Say that nothing has to be sent for an address."""
        live = self.live.get(address)
        return Already(LiveId(live.id) if live else None)

    def not_attempted(self, *, stopped: bool) -> NotAttempted | None:
        """Say why nothing more is sent; ``None`` while it may go on."""
        if self.ended is not None:
            return NotAttempted(self.ended)
        return NotAttempted("the run was interrupted before it") if stopped else None

    def read_again(self, changes: Sequence[Delete]) -> None:
        """Read what is about to be deleted once more, however recent the last look was."""
        kinds = {change.address.kind for change in changes}
        seen: dict[LiveId, Live] = {}
        if "integration" in kinds:
            seen |= {
                LiveId(integration.id): integration
                for integration in self.organisation.integrations.list()
            }
        if "mapping" in kinds:
            seen |= {LiveId(row.id): row for row in self.organisation.mappings.list()}
        for change in changes:
            known, live = self.live.get(change.address), seen.get(change.live.id)
            if live is not None and (known is None or self._is_edited(change, known, live)):
                self.edited.add(change.address)
            elif live is None and change.address not in self.touched:
                # of what was written a moment ago a list may lag; it is deleted all the same
                self.live.pop(change.address, None)

    def _is_edited(self, change: Delete, known: Live, live: Live) -> bool:
        if change.address in self.touched:
            return live.version != known.version
        return live_hash(live) != live_hash(known)

    def _send(self, change: Writing) -> Outcome:
        match change:
            case Create():
                return self._create(change)
            case Update(content=MappingContent() as content):
                identity, version = self._expected(change)
                body = self._mapping_body(content)
                row = self.organisation.mappings.update(MappingId(identity), version, body)
                return self._keep(change, row)
            case Update() | Connect() | Disconnect():
                return self._configure(change)
            case Enable():
                identity, _ = self._expected(change)
                enabled = self.organisation.integrations.enable(IntegrationId(identity))
                return self._keep(change, enabled)
            case Delete():
                return self._delete(change)
            case _:
                assert_never(change)

    def _create(self, change: Create) -> Outcome:
        match change.content:
            case ConfigurationContent() as content:
                return self._keep(change, self.organisation.integrations.create(_body(content)))
            case MappingContent() as content:
                body = self._mapping_body(content)
                return self._keep(change, self.organisation.mappings.create(body))
            case None:
                return Failed(UNCONFIRMED)

    def _configure(self, change: Update | Connect | Disconnect) -> Outcome:
        content = change.content
        if not isinstance(content, ConfigurationContent):
            return Failed(UNCONFIRMED)
        if isinstance(change, Connect) and (wrong := self._not_alone(content)):
            return Failed(wrong)
        identity, version = self._expected(change)
        live = self.organisation.integrations.update(
            IntegrationId(identity), version, _body(content)
        )
        return self._keep(change, live)

    def _not_alone(self, content: ConfigurationContent) -> str:
        """Bills flow from here on, so look once more that there is just one of this name."""
        same = self._named(content)
        for seconds in SECONDS_UNTIL_LISTED:
            if same:
                break
            self.clock.sleep(seconds)
            same = self._named(content)
        if len(same) == 1:
            return ""
        if not same:
            return (
                f'm3ter does not list the configuration "{content.name}" yet, so it stays '
                "disconnected. Run the apply again in a minute."
            )
        ids = ", ".join(integration.id for integration in same)
        return (
            f'm3ter has {len(same)} configurations named "{content.name}" ({ids}), so this one '
            "stays disconnected. Delete the surplus in m3ter's Console and plan again."
        )

    def _named(self, content: ConfigurationContent) -> list[LiveIntegration]:
        key = content_key(content, {})
        return [
            integration
            for integration in self.organisation.integrations.list()
            if integration_key(integration) == key
        ]

    def _delete(self, change: Delete) -> Outcome:
        live = self.live.get(change.address)
        if live is None:
            return Already(change.live.id)
        if change.address in self.edited:
            return Failed("it was changed just before its deletion; plan again and review it")
        if change.address.kind == "integration":
            self.organisation.integrations.delete(IntegrationId(change.live.id))
        else:
            self.organisation.mappings.delete(MappingId(change.live.id))
        with self.lock:
            self.live.pop(change.address, None)
        return Done(change.live.id, change.live.version)

    def _expected(self, change: Writing) -> tuple[LiveId, int]:
        """Give id and version: those this run last read back, else those of the plan."""
        live = self.live.get(change.address)
        if live is not None:
            return LiveId(live.id), live.version
        reference = getattr(change, "live", None)
        assert isinstance(reference, LiveReference)
        return reference.id, reference.version

    def _mapping_body(self, content: MappingContent) -> MappingBody:
        linked: IntegrationId | None = None
        match content.link:
            case LinkById(id=identity):
                linked = identity
            case LinkByAddress(address=address):
                linked = IntegrationId(self.live[address].id)
            case None:
                pass
        return MappingBody(
            entity=content.entity,
            m3ter_id=content.m3ter_id,
            system=content.system,
            table=content.table,
            external_id=content.external_id,
            integration_id=linked,
        )

    def _keep(self, change: Writing, live: LiveIntegration | LiveMapping) -> Done:
        with self.lock:
            self.live[change.address] = live
            self.touched.add(change.address)
        return Done(LiveId(live.id), live.version)


def _body(content: ConfigurationContent) -> IntegrationBody:
    return IntegrationBody(
        destination=content.destination,
        entity_type=content.entity_type,
        name=content.name,
        config_data=content.config_data,
        credential_id=content.credential_id,
        extra=content.extra,
    )
