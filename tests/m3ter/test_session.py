from __future__ import annotations

from decimal import Decimal
from threading import Lock

import pytest
from fakes.clock import FakeClock
from fakes.scripted_m3ter import ScriptedM3ter, json, session
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.value import JsonObject
from reconciler.m3ter.api.errors import (
    AnswerTooLargeForPageError,
    Call,
    M3terNotFoundError,
    M3terRefusedError,
    M3terUnreachableError,
    M3terVersionConflictError,
    PagingLoopError,
    RateLimitedError,
    UnreadableAnswerError,
)
from reconciler.m3ter.api.session import MAX_THREADS, Unsure, batches, segment
from reconciler.m3ter.ports import OrganisationError
from reconciler.transport.client import Request
from reconciler.transport.retry import (
    Answer,
    AnswerTooLargeError,
    LostAnswerError,
    NotSentError,
    Outcome,
)

POST = Call("POST", "/things", "create thing 'a'")
PUT = Call("PUT", "/things/1", "update thing 'a'")


def _pages(pages: list[list[JsonObject]], page_max: int = 1000) -> ScriptedM3ter:
    """A list whose marks are page numbers; pages larger than ``page_max`` are 413."""

    def behave(request: Request) -> Outcome:
        query = dict(request.query)
        if int(query["pageSize"]) > page_max:
            return json({"message": "Response too large"}, 413)
        number = int(query.get("nextToken", "0"))
        more: JsonObject = {"nextToken": str(number + 1)} if number + 1 < len(pages) else {}
        return json({"data": pages[number], **more})

    return ScriptedM3ter(behave)


def _read(outcome: Outcome) -> None:
    session(ScriptedM3ter(lambda _: outcome)).read("/things/1", intent="read thing 'a'")


def _write(outcome: Outcome, call: Call = POST) -> JsonObject | Unsure:
    return session(ScriptedM3ter(lambda _: outcome)).write(call, {"a": 1, "version": 7})


def test_a_request_names_the_organisation_and_carries_the_token() -> None:
    m3ter = ScriptedM3ter(lambda _: json({"price": Decimal("0.1666666666666666666")}))
    found = session(m3ter).read("/things", [("a", "b")], intent="read")
    assert found == {"price": Decimal("0.1666666666666666666")}
    request = m3ter.requests[0]
    assert request.path == "/organizations/11111111-1111-4111-8111-111111111111/things"
    assert request.query == (("a", "b"),)
    assert request.headers["Authorization"].startswith("Bearer head.")


def test_a_body_keeps_every_digit() -> None:
    m3ter = ScriptedM3ter(lambda _: json({}))
    session(m3ter).write(POST, {"price": Decimal("0.10000000000000000000001"), "one": Decimal(1)})
    assert m3ter.requests[0].body == b'{"price":0.10000000000000000000001,"one":1}'


@given(sizes=st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_pages_are_followed_to_the_end_over_empty_ones(sizes: list[int]) -> None:
    pages: list[list[JsonObject]] = [
        [{"id": f"{page}-{number}"} for number in range(size)] for page, size in enumerate(sizes)
    ]
    found = list(session(_pages(pages)).items("/things", size=200, intent="list"))
    assert found == [entry for page in pages for entry in page]


def test_a_page_that_is_too_large_is_asked_for_in_half_the_size() -> None:
    m3ter = _pages([[{"id": "1"}], [{"id": "2"}]], page_max=30)
    assert len(list(session(m3ter).items("/things", size=100, intent="list"))) == 2
    sizes = [dict(request.query)["pageSize"] for request in m3ter.requests]
    assert sizes == ["100", "50", "25", "25"]


def test_one_object_that_is_too_large_ends_the_list() -> None:
    with pytest.raises(AnswerTooLargeForPageError, match="too large to list the things"):
        list(session(_pages([[]], page_max=0)).items("/t", size=4, intent="list the things"))


def test_our_own_size_cap_halves_pages_too() -> None:
    sizes: list[str] = []

    def behave(request: Request) -> Outcome:
        sizes.append(dict(request.query)["pageSize"])
        return AnswerTooLargeError("GET x", 10) if len(sizes) == 1 else json({"data": []})

    assert list(session(ScriptedM3ter(behave)).items("/t", size=100, intent="list")) == []
    assert sizes == ["100", "50"]


def test_pages_that_repeat_themselves_are_noticed() -> None:
    m3ter = ScriptedM3ter(lambda _: json({"data": [], "nextToken": "again"}))
    with pytest.raises(PagingLoopError, match="pages repeat themselves"):
        list(session(m3ter).items("/things", size=10, intent="list the things"))
    assert len(m3ter.requests) == 7


def test_pages_with_objects_may_not_repeat_a_mark_at_all() -> None:
    m3ter = ScriptedM3ter(lambda _: json({"data": [{"id": "1"}], "nextToken": "again"}))
    with pytest.raises(PagingLoopError):
        list(session(m3ter).items("/things", size=10, intent="list the things"))
    assert len(m3ter.requests) == 2


def test_an_empty_page_may_leave_its_data_out_when_more_follows() -> None:
    def behave(request: Request) -> Outcome:
        more = "nextToken" in dict(request.query)
        return json({"data": [{"id": "1"}]} if more else {"nextToken": "1"})

    assert len(list(session(ScriptedM3ter(behave)).items("/t", size=10, intent="list"))) == 1


def test_an_empty_page_mark_and_a_null_one_are_the_end() -> None:
    for end in ({"nextToken": ""}, {"nextToken": None}, {}):
        m3ter = ScriptedM3ter(lambda _, end=end: json({"data": [{"id": "1"}], **end}))  # type: ignore[misc]
        assert len(list(session(m3ter).items("/t", size=10, intent="list"))) == 1


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"message": "fine"}', b'{"data": 3}', b'{"data": "x"}', b'{"data": [1]}', b"3"],
)
def test_a_list_of_another_shape_is_not_guessed_at(body: bytes) -> None:
    m3ter = ScriptedM3ter(lambda _: Answer(200, {}, body))
    with pytest.raises(UnreadableAnswerError, match="GET /things"):
        list(session(m3ter).items("/things", size=10, intent="list"))


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        (json({"message": "bad filter"}, 400), M3terRefusedError, "bad filter.*GET /things/1"),
        (json({}, 404), M3terNotFoundError, "not there"),
        (json({"message": "x"}, 409), M3terRefusedError, "HTTP 409"),
        (Answer(302, {}, b""), M3terRefusedError, "HTTP 302"),
        (json({"message": "slow"}, 429), RateLimitedError, "rate limit"),
        (Answer(502, {}, b"<html><h1>Bad gateway</h1></html>"), M3terUnreachableError, "Bad gat"),
        (Answer(200, {}, b"<html>"), UnreadableAnswerError, "not JSON"),
        (LostAnswerError("GET x", "cut"), M3terUnreachableError, "cut"),
        (NotSentError("GET x", "refused"), M3terUnreachableError, "refused"),
    ],
)
def test_every_failed_read_says_what_was_asked_and_that_nothing_changed(
    outcome: Outcome, error: type[OrganisationError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        _read(outcome)
    assert "Nothing was changed" in str(caught.value)


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (json({"message": "name is required"}, 400), M3terRefusedError),
        (json({"message": "version mismatch"}, 400), M3terRefusedError),
        (json({}, 413), AnswerTooLargeForPageError),
        (json({}, 429), RateLimitedError),
        (NotSentError("POST x", "refused"), M3terUnreachableError),
    ],
)
def test_a_refused_create_changed_nothing(outcome: Outcome, error: type[OrganisationError]) -> None:
    with pytest.raises(error, match="create thing 'a'") as caught:
        _write(outcome)
    assert "othing" in str(caught.value)
    assert "changed" in str(caught.value)


@pytest.mark.parametrize("status", [400, 409, 412])
@pytest.mark.parametrize("said", ["Version mismatch: 7 is not 8", "the entity version is stale"])
def test_a_refusal_that_speaks_of_the_version_is_a_conflict(status: int, said: str) -> None:
    with pytest.raises(M3terVersionConflictError, match="no longer at version 7"):
        _write(json({"message": said}, status), PUT)


def test_a_refusal_that_only_contains_the_word_is_none() -> None:
    with pytest.raises(M3terRefusedError, match="conversionRate"):
        _write(json({"message": "conversionRate is invalid"}, 400), PUT)


@pytest.mark.parametrize(
    "outcome",
    [
        json({"message": "oops"}, 500),
        Answer(504, {}, b"<html>Gateway timeout</html>"),
        LostAnswerError("POST x", "cut"),
        AnswerTooLargeError("POST x", 5),
        Answer(200, {}, b"<html>"),
        Answer(200, {}, b'{"id": "1'),
        json([]),
    ],
)
def test_a_write_without_a_clear_answer_is_unsure_and_sent_once(outcome: Outcome) -> None:
    m3ter = ScriptedM3ter(lambda _: outcome)
    answer = session(m3ter).write(POST, {})
    assert isinstance(answer, Unsure)
    assert len(m3ter.requests) == 1


def test_a_failing_read_is_sent_again_with_patience() -> None:
    clock = FakeClock()
    answers: list[Outcome] = [json({}, 503), LostAnswerError("GET x", "cut"), json({"id": "1"})]
    m3ter = ScriptedM3ter(lambda _: answers.pop(0))
    assert session(m3ter, clock).read("/things/1", intent="read") == {"id": "1"}
    assert clock.monotonic() >= 0.25 + 0.5


def test_messages_hold_no_secret() -> None:
    said = "bad header Authorization: Bearer abcdefgh12345 apiKey=hunter2hunter2"
    with pytest.raises(M3terRefusedError) as caught:
        _write(json({"message": said}, 400))
    assert "abcdefgh12345" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_very_long_messages_are_cut() -> None:
    with pytest.raises(M3terRefusedError) as caught:
        _write(json({"message": "x" * 100_000}, 400))
    assert len(str(caught.value)) < 1000


def test_many_questions_are_asked_at_once_but_by_few_threads() -> None:
    lock, now, most = Lock(), 0, 0

    def ask(number: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        for _ in range(1000):
            pass
        with lock:
            now -= 1
        return number * 2

    one = session(ScriptedM3ter(lambda _: None))
    assert one.map(ask, range(200)) == tuple(range(0, 400, 2))
    assert most <= MAX_THREADS
    assert one.map(ask, []) == ()


def test_the_first_error_of_many_questions_is_raised() -> None:
    def ask(number: int) -> int:
        if number == 3:
            raise M3terNotFoundError(POST, "gone")
        return number

    with pytest.raises(M3terNotFoundError):
        session(ScriptedM3ter(lambda _: None)).map(ask, range(50))


@given(values=st.lists(st.text(min_size=1, max_size=30), max_size=300), size=st.integers(1, 100))
def test_batches_hold_every_value_once_and_stay_small(values: list[str], size: int) -> None:
    cut = batches(values, size)
    flat = [text for batch in cut for text in batch]
    assert sorted(flat) == sorted(set(values))
    for batch in cut:
        assert 0 < len(batch) <= size
        assert len(batch) == 1 or not any("," in text for text in batch)
        assert len(batch) == 1 or sum(len(segment(text)) + 3 for text in batch) <= 4000


def test_lists_are_written_as_the_switch_says() -> None:
    m3ter = ScriptedM3ter(lambda _: None)
    assert session(m3ter).listed("ids", ["a", "b"]) == [("ids", "a,b")]
    assert session(m3ter, arrays="repeat").listed("ids", ["a", "b"]) == [("ids", "a"), ("ids", "b")]
