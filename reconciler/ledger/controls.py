"""What stops writes from outside of a bill: pauses, disabled pushes, and the marks behind them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from reconciler.ledger.rows import insert_once, put, stamp_text
from reconciler.ledger.sql.tables import decisions, disabled, marks, pauses
from reconciler.sync.model.push import Mark, SiteName


def add_mark(
    connection: Connection, site: SiteName, integration: str, mark: Mark, at: datetime
) -> None:
    """Record how one attempt ended for its integration."""
    connection.execute(
        insert(marks).values(site=site, integration=integration, mark=mark, at=stamp_text(at))
    )


def newest_marks(
    connection: Connection, site: SiteName, integration: str, newest: int
) -> tuple[Mark, ...]:
    """Give the newest marks since the last enabling, oldest first."""
    found = connection.execute(
        select(marks.c.mark)
        .where((marks.c.site == site) & (marks.c.integration == integration))
        .order_by(marks.c.number.desc())
        .limit(newest)
    ).scalars()
    return tuple(reversed(list(found)))


def why_disabled(connection: Connection, site: SiteName, integration: str) -> str | None:
    """Say why a push is disabled."""
    found: str | None = connection.execute(
        select(disabled.c.why).where(
            (disabled.c.site == site) & (disabled.c.integration == integration)
        )
    ).scalar_one_or_none()
    return found


def disable(
    connection: Connection, site: SiteName, integration: str, why: str, at: datetime
) -> None:
    """Disable a push; the first reason stays."""
    row = {"site": site, "integration": integration, "why": why, "at": stamp_text(at)}
    insert_once(connection, disabled, row)


def enable(
    connection: Connection, site: SiteName, integration: str, actor: str, at: datetime
) -> None:
    """Enable a push again, and forget its marks."""
    for table in (disabled, marks):
        chosen = (table.c.site == site) & (table.c.integration == integration)
        connection.execute(delete(table).where(chosen))
    record_decision(connection, site, integration, what="enabled", actor=actor, why="", at=at)


def who_paused(connection: Connection, site: SiteName) -> str | None:
    """Say who paused the site, when and why."""
    row = connection.execute(select(pauses).where(pauses.c.site == site)).first()
    if row is None:
        return None
    since = datetime.fromisoformat(row.at).strftime("%d %b %Y, %H:%M UTC")
    return f"{row.actor}, {since}: {row.why}"


def pause(connection: Connection, site: SiteName, actor: str, why: str, at: datetime) -> None:
    """Stop all writes of the site; the newest word stays."""
    put(connection, pauses, [{"site": site, "actor": actor, "why": why, "at": stamp_text(at)}])
    record_decision(connection, site, site, what="paused", actor=actor, why=why, at=at)


def resume(connection: Connection, site: SiteName, actor: str, at: datetime) -> None:
    """Let writes go on."""
    connection.execute(delete(pauses).where(pauses.c.site == site))
    record_decision(connection, site, site, what="resumed", actor=actor, why="", at=at)


def record_decision(
    connection: Connection,
    site: SiteName,
    subject: str,
    *,
    what: str,
    actor: str,
    why: str,
    at: datetime,
) -> None:
    """Keep what a person decided; nothing ever deletes it."""
    connection.execute(
        insert(decisions).values(
            site=site, subject=subject, what=what, actor=actor, why=why, at=stamp_text(at)
        )
    )
