"""Chargebee's official Python client, pointed at an emulator by its public settings."""

from __future__ import annotations

from chargebee import Chargebee

from reconciler.emulator.chargebee.sites import API_KEY, SITE


def official_client(url: str, key: str = API_KEY) -> Chargebee:
    """A client without retries.

    ``verify_ca_certs`` is a setting of the class: with it on, the client turns every URL into https.
    """
    Chargebee.verify_ca_certs = False
    client = Chargebee(api_key=key, site=SITE, protocol="http")
    client.env.api_endpoint = f"{url}/api/v2"
    return client
