"""Before anything is pushed: no site, nothing to push; and limits."""

from __future__ import annotations

import pytest
from fakes.push_data import bill, drafted, line, route
from fakes.scene import Scene

from reconciler.cli.progress import SilentProgress
from reconciler.errors import ExitCode
from reconciler.kernel.money import Currency, Money
from reconciler.sync.in_force.scope import NoPushError, NoSiteError, read_in_force
from reconciler.sync.push.limits import RunLimits

SITE = {
    "site": "acme-test",
    "baseUrl": "https://acme-test.chargebee.com",
    "apiKey": {"env": "CHARGEBEE_API_KEY"},
    "timezone": "Europe/London",
    "requestsPerMinute": 150,
}


def test_an_environment_without_a_site_pushes_nothing() -> None:
    scene = Scene()
    with pytest.raises(NoSiteError, match="has no `chargebee` site") as raised:
        read_in_force(
            scene.effective(), None, scene.organisation, SilentProgress(), from_files=True
        )
    assert raised.value.exit_code is ExitCode.INVALID


def test_an_environment_without_a_push_integration_pushes_nothing() -> None:
    scene = Scene()
    scene.environment |= {"chargebee": SITE}
    with pytest.raises(NoPushError, match="delivery: push"):
        read_in_force(
            scene.effective(), None, scene.organisation, SilentProgress(), from_files=True
        )


def test_a_currency_that_no_limit_names_has_none() -> None:
    draft = drafted(bill(line()), route())
    limits = RunLimits(amounts={"USD": Money(1, Currency("USD", 2))})
    assert limits.admit(draft) == ""
    assert limits.begun == 1
