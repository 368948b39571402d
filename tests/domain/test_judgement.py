"""Judgement: every rule by the policy in force when it came due, up to where it may look."""

from typing import Any

import msgspec
import pytest

from domain.detection import FINDING_EVENTS, Finding, FindingOpened, Look, note
from domain.instant import FOREVER, Instant
from domain.judging import judgement as judging
from domain.judging import sight
from domain.judging.adoption import Adopted
from domain.judging.judgement import Judgement, Verdict
from domain.judging.sight import Heard
from domain.orders.order import Order
from domain.policies.policy import DEFAULT, Policy
from domain.policies.thresholds import FeedSilence, Kinds


def finding(due_at: Instant, kind: str = "stall", **more: Any) -> Finding:
    """Describe an episode."""
    members = {"subject": "O", "order_ids": ("O",), "rule": "r", "policy": "p", "proof": ("s#1",), "severity": "low"}
    return Finding(kind=kind, since=due_at, due_at=due_at, **(members | more))


class Rule:
    """Finds an episode at each of some instants; waits for feeds if it has any."""

    def __init__(
        self,
        kind: str,
        *due: Instant,
        feeds: tuple[str, ...] = (),
        knowable: Instant | None = None,
        lasts: Instant | None = None,
    ) -> None:
        """Take these instants, ascending; each episode lasts so long, or goes on."""
        self.kind = kind
        self.due = due
        self.feeds = feeds
        self.knowable = knowable
        self.lasts = lasts
        self.asked: list[Instant] = []

    def look(self, _state: Any, until: Instant, _policy: Policy) -> Look:
        """Find what is due."""
        self.asked.append(until)
        known = [max(one, one if self.knowable is None else self.knowable) for one in self.due]
        found = tuple(self._finding(one) for one, at in zip(self.due, known, strict=True) if at < until)
        return Look(found, min((at for at in known if at >= until), default=None))

    def _finding(self, due: Instant) -> Finding:
        more: dict[str, Any] = {}
        if self.knowable is not None:
            more["detail"] = {"knowable_at": "1970-01-01T00:00:00.000060Z"}
        if self.lasts is not None:
            more["ended_at"] = due + self.lasts
        return finding(due, self.kind, **more)

    def sources(self, _state: Any, _policy: Policy) -> tuple[str, ...]:
        """Name the feeds."""
        return self.feeds


def judge(
    monkeypatch: pytest.MonkeyPatch, *rules: Rule, until: Instant, stored: tuple[Finding, ...] = (), **more: Any
) -> Verdict:
    """Judge an order by these rules, which are all enabled."""
    monkeypatch.setattr(judging, "DETECTORS", {"order": rules})
    monkeypatch.setattr(sight, "NEEDED_BY", more.pop("needed_by", {}))
    enabled = more.pop("enabled", tuple(rule.kind for rule in rules))
    policies = more.pop("policies", None) or [(-FOREVER, enabled)]
    order = Order("O")
    for one in stored:
        note(order.findings, FindingOpened(finding=one, known_up_to=0))
    terms = [Adopted(since, _enabling(kinds)) for since, kinds in policies]
    heard = more.pop("heard", {})
    return Judgement(terms).of(
        "order-O", order, until, Heard(lambda: heard if isinstance(heard, dict) else next(heard))
    )


def _enabling(kinds: tuple[str, ...]) -> Policy:
    waits = FeedSilence(waits=("stall", "loss", "other"))
    return msgspec.structs.replace(DEFAULT, kinds=Kinds(enabled=kinds), feed_silence=waits)


def due(verdict: Verdict) -> list[tuple[str, Instant, bool]]:
    """Say (topic, due, reported) of what changed."""
    changes = (one for one in verdict.events if isinstance(one, FINDING_EVENTS))
    return [(one.TOPIC.split(".")[1], one.finding.due_at, one.finding.reported) for one in changes]


# Feeds


def test_a_rule_without_feeds_looks_up_to_where_all_has_been_read(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judge(monkeypatch, Rule("stall", 5, 50), until=10)
    assert (due(verdict), verdict.again, verdict.waits) == ([("opened", 5, True)], 50, ())


@pytest.mark.parametrize(
    ("heard", "found", "again", "waits"),
    [
        ({}, [], None, (("/a", 5),)),
        ({"/a": 5}, [], None, (("/a", 5),)),
        ({"/a": 6}, [("opened", 5, True)], None, (("/a", 7),)),
        ({"/a": 9}, [("opened", 5, True), ("opened", 7, True)], 50, ()),
        ({"/a": 99}, [("opened", 5, True), ("opened", 7, True)], 50, ()),
        ({"/b": 99}, [], None, (("/a", 5),)),
    ],
)
def test_one_with_a_feed_looks_no_further_than_that_was_heard(
    monkeypatch: pytest.MonkeyPatch,
    heard: dict[str, Instant],
    found: list[tuple[str, Instant, bool]],
    again: Instant | None,
    waits: tuple[tuple[str, Instant], ...],
) -> None:
    verdict = judge(monkeypatch, Rule("stall", 5, 7, 50, feeds=("/a",)), until=10, heard=heard)
    assert (due(verdict), verdict.again, verdict.waits) == (found, again, waits)


def test_the_feed_that_was_heard_least_holds_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule("stall", 5, feeds=("/a", "/b"))
    assert judge(monkeypatch, rule, until=10, heard={"/a": 9, "/b": 3}).waits == (("/b", 5),)
    assert judge(monkeypatch, rule, until=10, heard={"/a": 9}).waits == (("/b", 5),)


def test_what_comes_due_later_is_a_deadline_and_not_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judge(monkeypatch, Rule("stall", 50, feeds=("/a",)), until=10)
    assert (verdict.again, verdict.waits) == (50, ())


def test_of_several_rules_that_wait_for_a_feed_the_earliest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rule("stall", 7, feeds=("/a",)), Rule("loss", 4, feeds=("/a",)), Rule("other", 6, feeds=("/b",))
    assert judge(monkeypatch, *rules, until=10).waits == (("/a", 4), ("/b", 6))


def test_a_silent_feed_holds_back_no_other_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judge(monkeypatch, Rule("stall", 5, feeds=("/a",)), Rule("late", 6), until=10)
    assert due(verdict) == [("opened", 6, True)]


# What was read stays read


def test_a_writer_that_is_behind_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = judge(monkeypatch, Rule("stall", 50), until=10, stored=(finding(50),))
    assert verdict.events == ()


def test_one_that_has_heard_less_of_a_feed_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    known = iter(({}, {"/a": 9}))
    verdict = judge(monkeypatch, Rule("stall", 5, feeds=("/a",)), until=10, stored=(finding(5),), heard=known)
    assert (verdict.events, verdict.waits) == ((), ())


def test_nor_what_was_knowable_later_than_it_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule("stall", 5, knowable=60)
    stored = finding(5, detail={"knowable_at": "1970-01-01T00:00:00.000060Z"})
    assert judge(monkeypatch, rule, until=10, stored=(stored,)).events == ()
    assert due(judge(monkeypatch, rule, until=61)) == [("opened", 5, True)]


def test_what_does_not_hold_any_more_is_retracted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert due(judge(monkeypatch, Rule("stall"), until=10, stored=(finding(5),))) == [("retracted", 5, True)]


# Policies


def test_each_policy_judges_what_comes_due_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    policies = [(-FOREVER, ("stall",)), (20, ("late",))]
    rules = Rule("stall", 10, 30, lasts=5), Rule("late", 11, 31, lasts=5)
    verdict = judge(monkeypatch, *rules, until=40, policies=policies)
    assert due(verdict) == [("opened", 10, True), ("opened", 31, True)]


def test_nothing_is_waited_for_beyond_a_policy_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    policies = [(-FOREVER, ("stall",)), (20, ("late",))]
    verdict = judge(monkeypatch, Rule("stall", 30, feeds=("/a",)), Rule("late"), until=40, policies=policies)
    assert (verdict.again, verdict.waits) == (None, ())


def test_a_kind_that_is_off_is_not_even_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule("stall", 5)
    assert judge(monkeypatch, rule, until=10, enabled=()).events == ()
    assert rule.asked == []


def test_unless_another_that_is_on_needs_it_and_then_it_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    needed_by = {"stall": frozenset({"backlog"})}
    verdict = judge(monkeypatch, Rule("stall", 5), until=10, enabled=("backlog",), needed_by=needed_by)
    assert due(verdict) == [("opened", 5, False)]


def test_on_itself_it_is_reported_whoever_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    needed_by = {"stall": frozenset({"backlog"})}
    verdict = judge(monkeypatch, Rule("stall", 5), until=10, enabled=("stall", "backlog"), needed_by=needed_by)
    assert due(verdict) == [("opened", 5, True)]
