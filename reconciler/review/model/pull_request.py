"""A pull request and its reviews, as a forge shows them; times are ISO 8601, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType

Login = NewType("Login", str)
"""A person's name on the forge, in lower case: forges do not tell cases apart."""
Commit = NewType("Commit", str)
"""A commit's hash, in full."""
Answer3 = Literal["yes", "no", "unknown"]
"""What a forge says of someone; ``unknown`` also when it does not let us see, and never a yes."""
Forge = Literal["github", "gitea"]

ReviewKind = Literal["approved", "changes-requested", "commented", "dismissed"]


def login(text: str) -> Login:
    """Read a name as the forge compares it."""
    return Login(text.lower())


@dataclass(frozen=True, slots=True)
class Review:
    """One submitted review.

    Attributes:
        id: Grows with time; decides between reviews of one second.
        is_person: False for bots, apps and accounts that are gone.
        commit: What was looked at.
        words: The body, Markdown; comments on lines are no part of it.
        is_edited: Whether the body was changed after it was submitted, by whomever; true as well
            where the forge does not tell.
        url: Where people read it.
    """

    id: int
    author: Login
    is_person: bool
    kind: ReviewKind
    at: str
    commit: Commit
    words: str
    is_edited: bool
    url: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A change that is proposed, or was merged.

    Attributes:
        people: Its author, and authors and committers of its commits: none of them may approve.
        head: Its newest commit.
        from_fork: Whether it comes from another repository.
        url: Where people read it.
    """

    number: int
    author: Login
    people: frozenset[Login]
    head: Commit
    base: str
    from_fork: bool
    url: str
