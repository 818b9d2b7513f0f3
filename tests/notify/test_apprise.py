from __future__ import annotations

import email
import email.policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread
from typing import ClassVar

import apprise
import pytest

from reconciler.kernel.secret import Secret
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


class Mailbox(StreamRequestHandler):
    """As much of SMTP as a client asks for; keeps each message."""

    received: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        self._answer(220)
        for line in iter(self.rfile.readline, b"QUIT\r\n"):
            if line[:4].upper() == b"DATA":
                self._answer(354)
                self.received.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self._answer(250)
        self._answer(221)

    def _answer(self, code: int) -> None:
        self.wfile.write(b"%d so\r\n" % code)


def test_an_e_mail_keeps_its_lines_and_shows_names_as_they_are() -> None:
    with TCPServer(("127.0.0.1", 0), Mailbox) as server:
        server.timeout = 5
        thread = Thread(target=server.handle_request, daemon=True)
        thread.start()
        people = "mode=insecure&from=billing@example.com&to=finance@example.com"
        url = f"mailto://127.0.0.1:{server.server_address[1]}?{people}"
        text = "acme <uk>, bill b1: £5.00 has no mapping\nglobex, bill b2: no mapping"
        assert apprise_send()(url, "2 bills not sent", text)
        thread.join(5)
    message = email.message_from_bytes(Mailbox.received[0], policy=email.policy.default)
    assert message["Subject"] == "2 bills not sent"
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip().splitlines() == text.splitlines()
    assert message.get_body(("html",)) is None


@pytest.mark.parametrize(
    "url",
    ["slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "slack://xoxb-1-2-three/#billing"],
)
def test_slack_is_understood_by_webhook_and_by_bot(url: str) -> None:
    assert apprise.Apprise().add(url)
