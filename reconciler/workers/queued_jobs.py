"""Jobs as rows of the queue: put there, looked for, taken back."""

from __future__ import annotations

from procrastinate import App, exceptions

from reconciler.sync.ports.workers import Job


async def defer(app: App, job: Job, seconds: float) -> None:
    """Put a job in the queue; one whose bill waits there already is not put twice."""
    deferrer = app.tasks["push"].configure(
        lock=job.serial,
        queueing_lock=queueing_lock(job),
        schedule_in={"seconds": max(1, round(seconds))} if seconds else None,
    )
    try:
        await deferrer.defer_async(site=job.site, bill_id=job.bill_id, serial=job.serial)
    except exceptions.AlreadyEnqueued:
        return


async def waiting(app: App, locks: list[str]) -> set[str]:
    """Say which bills have a job that is not over, on any machine."""
    rows = await app.connector.execute_query_all_async(
        "select queueing_lock from procrastinate_jobs"
        " where queueing_lock = any(%(locks)s) and status in ('todo', 'doing')",
        locks=locks,
    )
    return {str(row["queueing_lock"]) for row in rows}


async def forget(app: App, locks: list[str]) -> None:
    """Take jobs out of the queue that nobody has begun."""
    await app.connector.execute_query_async(
        "delete from procrastinate_jobs where queueing_lock = any(%(locks)s) and status = 'todo'",
        locks=locks,
    )


def queueing_lock(job: Job) -> str:
    """Name a bill in the queue."""
    return f"{job.site}/{job.bill_id}"
