"""What is open about Chargebee's API. The Chargebee half owns this table."""

from __future__ import annotations

from reconciler.emulator.switch import Switch

CHARGEBEE_SWITCHES: tuple[Switch, ...] = (
    Switch("id_changes_at_close", True, (), "a pending invoice gets another id when it is closed"),
    Switch("draft_id_after_close", 404, (404, 200), "whether the old id still resolves"),
    Switch("line_ids_stable", True, (), "line item ids stay the same when an invoice is closed"),
    Switch("idempotency_minutes", 30, (), "how long a key is remembered"),
    Switch("idempotency_scope", "site", ("site", "path"), "what a key must be unique within"),
    Switch(
        "idempotency_stores",
        "success",
        ("success", "client-errors", "all"),
        "which answers are replayed",
    ),
    Switch("idempotency_in_flight", 409, (409, 429), "the same key while the first is running"),
    Switch("idempotency_headers", "chargebee", ("chargebee", "none"), "headers that must be equal"),
    Switch("unknown_custom_fields", "refuse", ("refuse", "ignore"), "a cf_* that the site has not"),
    Switch("unknown_parameters", "ignore", ("ignore", "refuse"), "parameters no operation names"),
    Switch("list_order", "newest", ("newest", "oldest"), "order of lists without sort_by"),
    Switch("chargebee_list_lag_seconds", 0, (), "how long lists do not show a new object"),
    Switch("chargebee_retry_after", False, (), "whether a 429 carries Retry-After"),
    Switch("sweep_unbilled_charges", True, (), "a new invoice takes up unbilled charges"),
    Switch("apply_credits", True, (), "a new invoice uses the customer's credits"),
    Switch("requests_per_minute", 150, (), "requests in 60 seconds and site; 0 is no limit"),
)
