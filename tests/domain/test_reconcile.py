"""Reconcile: the log keeps up with what holds, and says nothing twice."""

import msgspec

from domain.detection import (
    Finding,
    FindingAmended,
    FindingEnded,
    FindingEvent,
    FindingOpened,
    FindingRetracted,
    Key,
    Stored,
    note,
    reconcile,
)

OPEN = Finding(
    kind="k", subject="F", since=1, due_at=1, order_ids=("O",), rule="r", policy="p", proof=("/s#1",), severity="low"
)
ENDED = msgspec.structs.replace(OPEN, ended_at=5)
OTHER = msgspec.structs.replace(OPEN, since=9, due_at=9)


def told(*events: FindingEvent) -> dict[Key, Stored]:
    """Keep what these events say."""
    findings: dict[Key, Stored] = {}
    for event in events:
        note(findings, event)
    return findings


def opened(finding: Finding = OPEN) -> FindingOpened:
    """Open a finding."""
    return FindingOpened(finding=finding, known_up_to=7)


def test_what_is_new_opens() -> None:
    assert reconcile({}, [OPEN], 7) == (opened(),)


def test_what_began_and_ended_while_nobody_looked_opens_with_its_end() -> None:
    assert reconcile({}, [ENDED], 7) == (opened(ENDED),)


def test_what_is_known_already_says_nothing() -> None:
    assert reconcile(told(opened()), [OPEN], 8) == ()


def test_what_the_world_ended_ends() -> None:
    assert reconcile(told(opened()), [ENDED], 8) == (FindingEnded(finding=ENDED, known_up_to=8),)


def test_a_late_fact_that_moves_the_end_amends() -> None:
    moved = msgspec.structs.replace(ENDED, ended_at=3)
    assert reconcile(told(opened(ENDED)), [moved], 8) == (FindingAmended(finding=moved, known_up_to=8),)


def test_a_late_fact_that_undoes_the_end_amends_back_to_open() -> None:
    assert reconcile(told(opened(ENDED)), [OPEN], 8) == (FindingAmended(finding=OPEN, known_up_to=8),)


def test_more_proof_amends() -> None:
    more = msgspec.structs.replace(OPEN, proof=("/s#1", "/s#2"))
    assert reconcile(told(opened()), [more], 8) == (FindingAmended(finding=more, known_up_to=8),)


def test_what_never_held_is_retracted_once_with_its_last_words() -> None:
    retracted = FindingRetracted(finding=OPEN, known_up_to=8)
    assert reconcile(told(opened()), [], 8) == (retracted,)
    assert reconcile(told(opened(), retracted), [], 9) == ()


def test_what_holds_after_all_opens_again() -> None:
    stored = told(opened(), FindingRetracted(finding=OPEN, known_up_to=8))
    assert reconcile(stored, [OPEN], 9) == (FindingOpened(finding=OPEN, known_up_to=9),)


def test_two_episodes_of_one_subject_are_two_findings() -> None:
    assert reconcile(told(opened()), [ENDED, OTHER], 8) == (
        FindingEnded(finding=ENDED, known_up_to=8),
        FindingOpened(finding=OTHER, known_up_to=8),
    )


def test_reconciling_twice_is_reconciling_once() -> None:
    stored = told(opened(), opened(OTHER))
    for event in reconcile(stored, [ENDED], 8):
        note(stored, event)
    assert reconcile(stored, [ENDED], 9) == ()
