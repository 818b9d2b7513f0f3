from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from reconciler.domain.secret import Secret
from reconciler.notify.apprise import (
    AppriseNotifier,
    SilentNotifier,
    Subscription,
    apprise_send,
)

SLACK = Subscription(frozenset({"disabled"}), Secret("json://127.0.0.1/a"))
MAIL = Subscription(frozenset({"disabled", "drift"}), Secret("json://127.0.0.1/b"))


def test_only_subscribers_of_an_event_hear_of_it() -> None:
    heard: list[tuple[str, str, str]] = []

    def send(url: str, title: str, text: str) -> bool:
        heard.append((url, title, text))
        return True

    notifier = AppriseNotifier([SLACK, MAIL], send)
    notifier.notify("drift", "Drift", "one field")
    assert heard == [("json://127.0.0.1/b", "Drift", "one field")]
    assert notifier.lost == 0


def test_a_notice_that_fails_is_counted_and_the_others_still_go() -> None:
    heard: list[str] = []

    def send(url: str, title: str, text: str) -> bool:
        if url.endswith("a"):
            raise OSError(title + text)
        heard.append(url)
        return False

    notifier = AppriseNotifier([SLACK, MAIL], send)
    notifier.notify("disabled", "Disabled", "after ten errors")
    assert heard == ["json://127.0.0.1/b"]
    assert notifier.lost == 2


def test_silence_says_nothing() -> None:
    SilentNotifier().notify("disabled", "Disabled", "nobody listens")


def test_apprise_delivers_to_a_webhook_on_loopback() -> None:
    bodies: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay quiet."""

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        server.timeout = 5
        thread = Thread(target=server.handle_request, daemon=True)
        thread.start()
        send = apprise_send()
        assert send(f"json://127.0.0.1:{server.server_port}/", "Overdue", "3 bills wait")
        thread.join(5)
    assert b"3 bills wait" in bodies[0]
