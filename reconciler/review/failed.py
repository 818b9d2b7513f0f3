"""A pull request that cannot be planned: a failed status, never silence."""

from __future__ import annotations

from typing import Final

from reconciler.review.core.public_names import without_addresses
from reconciler.review.ports import ForgeError, ReviewForge

TEXT_MAX: Final = 140
SUMMARY_MAX: Final = 100_000


def tell_failure(
    forge: ReviewForge, number: int | None, environment: str, message: str, run: str
) -> str:
    """Set the status of a pull request whose plan could not be made.

    Args:
        forge: Where.
        number: The pull request; ``None`` where there is none.
        environment: Of the plan.
        message: Why, as the command says it.
        run: URL of this run.

    Returns:
        The message for the page of the run; every line is indented, so that nothing in it is
        Markdown.
    """
    shown = without_addresses(message)
    if number is not None:
        first = f"Cannot be planned: {shown.splitlines()[0]}"
        text = first if len(first) <= TEXT_MAX else first[: TEXT_MAX - 1] + "…"
        try:
            head = forge.pull_request(number).head
            forge.set_status(head, f"reconciler/{environment}", "failure", text, run)
        except ForgeError:
            # the run itself is red, and says why
            pass
    lines = "\n".join(f"    {line}" for line in shown[:SUMMARY_MAX].splitlines())
    return f"### {environment}: cannot be planned\n\n{lines}\n"
