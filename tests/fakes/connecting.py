"""What a test needs to connect to an emulated m3ter."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.definitions.kinds.environment import EnvironmentSpec
from reconciler.m3ter.ports import Organisation

ORGANISATION = "11111111-1111-4111-8111-111111111111"
Connect = Callable[..., Organisation]


def environment_spec(url: str, organisation: str = ORGANISATION) -> EnvironmentSpec:
    return EnvironmentSpec.model_validate(
        {
            "protected": False,
            "m3ter": {
                "organizationId": organisation,
                "baseUrl": url,
                "accessKey": {"env": "M3TER_API_KEY"},
                "apiSecret": {"env": "M3TER_API_SECRET"},
            },
        }
    )
