"""A plan as one self-contained page: no script, no request to anywhere."""

from __future__ import annotations

from reconciler.plan.model.plan import Plan
from reconciler.plan.show.view import approvals, view


def plan_html(plan: Plan, *, full: bool = False) -> str:
    """Render a plan; every value is escaped."""
    from jinja2 import Environment, PackageLoader

    pages = Environment(
        loader=PackageLoader("reconciler.plan.show"), autoescape=True, trim_blocks=True
    )
    page = pages.get_template("plan.html")
    return page.render(plan=plan, seen=view(plan, full=full), needed=approvals(plan)) + "\n"
