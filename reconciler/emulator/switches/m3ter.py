"""What is open about m3ter's API, and about the emulator itself."""

from __future__ import annotations

from reconciler.emulator.switches.switch import Switch, off, on

M3TER_SWITCHES: tuple[Switch, ...] = (
    Switch("clock", "ticks", ("ticks", "still"), "whether real time moves the emulated clock"),
    Switch("list_lag_seconds", 0, (), "objects younger than this are missing from m3ter's lists"),
    Switch("config_keys", "camel", ("camel", "screaming"), "spelling of the keys of configData"),
    Switch(
        "unknown_keys", "keep", ("keep", "drop", "reject"), "configData keys that are not available"
    ),
    Switch(
        "normalise",
        "none",
        ("none", "strings", "defaults-echoed"),
        "what configData looks like when it is read back",
    ),
    Switch("stale_version", 400, (400, 409, 412), "answer to a PUT with a missing or old version"),
    Switch("create_version", "ignore", ("ignore", "reject"), "a version in a create"),
    Switch(
        "get_config_shape", "config", ("config", "run"), "what the GET of one configuration returns"
    ),
    Switch("unknown_key_status", 401, (401, 403), "token request with a wrong key"),
    Switch("expired_token_status", 403, (401, 403), "request with an expired token"),
    Switch("page_size_default", 20, (), "page size of a list when the query has none"),
    Switch("page_size_over_max", "refuse", ("refuse", "clamp"), "a pageSize above the maximum"),
    Switch("requests_per_second", 50, (), "requests per second and organisation; 0 is no limit"),
    Switch(
        "requests_per_five_minutes", 20000, (), "requests per address in 5 minutes; 0 is no limit"
    ),
    off("m3ter_retry_after", "whether m3ter's 429 carries Retry-After"),
    Switch("auto_disable_after", 10, (), "successive error events that disable a configuration"),
    Switch(
        "disconnected_config",
        "quiet",
        ("quiet", "errors"),
        "an approved bill meets an enabled configuration without a credential",
    ),
    Switch(
        "native_runs",
        "complete",
        ("complete", "error", "auth_failed", "waiting", "missing_mapping"),
        "how m3ter's own integration runs end",
    ),
    Switch("line_item_ids", "new", ("new", "same"), "line item ids after a bill was recalculated"),
    Switch("duplicate_mappings", "allow", ("allow", "reject"), "two mappings with one natural key"),
    Switch("duplicate_config_names", "allow", ("allow", "reject"), "two configurations, one name"),
    Switch(
        "delete_linked_config",
        "keep-mappings",
        ("keep-mappings", "delete-mappings", "refuse"),
        "deleting a configuration that external mappings are linked to",
    ),
    Switch(
        "change_destination", "allow", ("allow", "refuse"), "a PUT with another destination or type"
    ),
    on("enable_raises_version", "whether enabling raises the version"),
    Switch("bill_total_on_get", "asked", ("asked", "always"), "billTotal when one bill is read"),
    Switch("approved_to_pending", "allow", ("allow", "refuse"), "status call that takes back"),
    Switch("webhook_secrets", "hidden", ("hidden", "shown"), "credentials of a webhook when read"),
    on("endpoints_2026", "integration credentials and replay of runs exist"),
    Switch(
        "unknown_credential",
        "reject",
        ("reject", "accept"),
        "an integrationCredentialsId that does not exist",
    ),
    Switch(
        "integration_events",
        "detailed",
        ("detailed", "bare"),
        "whether integration events name the configuration",
    ),
    Switch(
        "config_setting_shape", "key", ("key", "name"), "field names inside a configuration option"
    ),
    Switch("event_days", 28, (), "days after which events are deleted"),
)
