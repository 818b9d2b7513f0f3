"""What is open about Chargebee's API, and how the emulated site is set up."""

from __future__ import annotations

from reconciler.emulator.switches.switch import Switch, off, on

_SITE: tuple[Switch, ...] = (
    Switch("month_end_bills", 500, (), "bills in the scenario month-end"),
    Switch("requests_per_minute", 3500, (), "requests in 60 seconds and site; 0 is no limit"),
    Switch("concurrent_reads", 50, (), "GET requests at one time; 0 is no limit"),
    Switch("concurrent_writes", 100, (), "POST requests at one time; 0 is no limit"),
    on("multidecimal", "the site takes prices and quantities with many decimals"),
    Switch("price_decimals", 6, (), "decimal places of prices, with multidecimal"),
    Switch("quantity_decimals", 6, (), "decimal places of quantities, with multidecimal"),
    on("metered_billing", "the site knows metered billing and pending invoices"),
    on("multicurrency", "the site bills in several currencies"),
    Switch("auto_close_hours", 48, (), "age at which a pending invoice closes itself; 0 is never"),
    Switch("closed_invoice_date", "generation", ("generation", "closing"), "date after closing"),
    on("close_date_override", "closing may set the invoice date"),
    off("void_reason_required", "voiding needs a reason code"),
    Switch("collection", "succeeds", ("succeeds", "fails"), "what charging a card ends in"),
)

_INVOICES: tuple[Switch, ...] = (
    on("id_changes_at_close", "a pending invoice gets another id when it is closed"),
    Switch("draft_id_after_close", 404, (404, 200), "whether the old id still resolves"),
    on("line_ids_stable", "line item ids stay the same when an invoice is closed"),
    Switch("repeated_item_price", "accept", ("accept", "refuse"), "one item price in two rows"),
    Switch("entity_description_length", 500, (500, 2000), "longest text under a line"),
    Switch("max_lines", 800, (), "line items of one invoice; 0 is no limit"),
    Switch("archived_price", "refuse", ("refuse", "accept"), "a charge at an archived item price"),
    Switch("cancelled_subscription", "refuse", ("refuse", "accept"), "billing a cancelled one"),
    Switch("flat_fee_quantity", "ignore", ("ignore", "refuse"), "a quantity with a flat fee"),
    Switch("zero_quantity", "refuse", ("refuse", "accept"), "quantity_in_decimal of zero"),
    Switch("both_forms", "refuse", ("refuse", "decimal"), "an integer and a decimal form together"),
    Switch("excess_decimals", "refuse", ("refuse", "round"), "more places than the site has"),
    Switch("amount_in_decimal", "exact", ("exact", "rounded"), "what that field of a line shows"),
    Switch(
        "zero_decimal_currencies", "documented", ("documented", "iso"), "which have no minor unit"
    ),
    Switch("rounding_tie", "up", ("up", "even"), "where half a minor unit goes"),
    Switch("discount_over_base", "cap", ("cap", "refuse"), "a discount above what it applies to"),
    Switch(
        "second_pending_invoice", "accept", ("accept", "refuse"), "another one while one is open"
    ),
    Switch("future_invoice_date", "refuse", ("refuse", "accept"), "an invoice_date after now"),
    Switch("failed_collection", "nothing", ("nothing", "invoice"), "what a refused charge leaves"),
    on("sweep_unbilled_charges", "a new invoice takes up unbilled charges"),
    on("apply_credits", "a new invoice uses the customer's credits"),
    Switch("deleted_invoice", 404, (404, 200), "whether a deleted invoice can be retrieved"),
    Switch("void_pending", "accept", ("accept", "refuse"), "voiding a pending invoice"),
    on("updated_event_per_line", "each added line raises pending_invoice_updated"),
)

_WIRE: tuple[Switch, ...] = (
    on("date_header", "answers bear the site's time"),
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
    Switch("blank_parameters", "absent", ("absent", "refuse"), "a parameter sent as empty text"),
    Switch(
        "webhook_delivery",
        "once",
        ("once", "twice", "reversed", "late", "dropped"),
        "how webhooks travel",
    ),
    Switch(
        "event_users",
        "people-and-keys",
        ("people-and-keys", "people", "none"),
        "whom the `user` of events names",
    ),
    Switch("list_order", "newest", ("newest", "oldest"), "order of lists without sort_by"),
    Switch("chargebee_list_lag_seconds", 0, (), "how long lists do not show a new object"),
    off("chargebee_retry_after", "whether a 429 carries Retry-After"),
    off("refused_calls_count", "whether a 429 counts towards the window"),
)

CHARGEBEE_SWITCHES: tuple[Switch, ...] = (*_SITE, *_INVOICES, *_WIRE)
