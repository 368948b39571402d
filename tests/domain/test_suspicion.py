"""Suspicion: of several messages nobody is blamed before it is known which one it was."""

import pytest

from domain.history.suspicion import Failure, HandlerFailed, Message, Suspicion

ODD = ValueError("odd")
A, B, C = (0, 1), (0, 2), (0, 3)


def failed(*failures: tuple[str, set[Message]]) -> HandlerFailed:
    """Fail to judge these subjects, each after these messages."""
    return HandlerFailed(Failure(subject, frozenset(messages), ODD) for subject, messages in failures)


def test_the_only_message_that_touched_a_subject_is_the_one() -> None:
    suspicion = Suspicion()
    suspicion.learn(failed(("order-O", {A})))
    assert suspicion.causes == {A: ODD}


@pytest.mark.parametrize("again", [{A, B}, {A, B, C}, {C}])
def test_of_several_none_is_blamed_though_their_subject_fails_twice(again: set[Message]) -> None:
    """Another one's judgement has told it something, and it was judged once more."""
    suspicion = Suspicion()
    suspicion.learn(failed(("order-O", {A, B}), ("order-O", again)))
    assert (suspicion.causes, suspicion.subjects) == ({}, {"order-O"})


def test_a_subject_that_is_watched_already_names_them() -> None:
    suspicion = Suspicion()
    suspicion.learn(failed(("order-O", {A, B})))
    suspicion.learn(failed(("order-O", {A}), ("parcel-P", {C})))
    assert suspicion.causes == {A: ODD, C: ODD}
