"""Judges a log against what the broker acked; shares no code with the product. The laws are L1 to L6."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from tests.chaos.evidence import EPOCH, Evidence, Key, Line, is_beat, micro, said, same, shown, true
from tests.oracle.late_shipment import oracle

FAR = 4_102_444_800_000_000
"""The end of this century: behind every deadline."""


class Judge:
    """Compares the two sides of one run."""

    def __init__(self, evidence: Evidence) -> None:
        self.e = evidence
        self.accepted: dict[Key, Line] = {}

    def violations(self) -> Iterator[str]:
        """Say what is wrong."""
        for check in (self.facts, self.quarantine, self.partitions, self.streams, self.findings):
            yield from check()

    def facts(self) -> Iterator[str]:
        """L1, L2, L4: each event that was taken in stands exactly once in each of its streams, as it was sent."""
        found: dict[Key, list[tuple[str, str, str]]] = defaultdict(list)
        for _, stream, _, topic, state in self.e.rows:
            fact = state.get("scan") or state.get("label") or state
            line = self.e.sent.get(fact.get("via"))
            if line is not None and line["event"] and same(line["event"], fact):
                found[fact["source"], fact["id"]].append((stream, topic, fact["via"]))
            elif "via" in fact:
                yield f"L4 phantom: {topic} in {stream} is not what was sent as {fact['via']}"
        for key, lines in self.e.by_id.items():
            vias = {via for _, _, via in found[key]}
            self.accepted[key] = self.e.sent[min(vias)] if vias else lines[0]
            if len(vias) > 1:
                yield f"L2 doubled: {key} was taken in from {sorted(vias)}"
            homes = Counter(() if is_beat(lines[0]) else self.e.homes(self.accepted[key]["event"]))
            stands = Counter((stream, topic) for stream, topic, _ in found[key])
            yield from (f"L1 lost: {key} is not in {home}" for home in homes - stands)
            yield from (f"L2 doubled: {key} is in {home} again" for home in stands - homes)

    def quarantine(self) -> Iterator[str]:
        """L1, L4, L6: held is what cannot be read and what contradicts; the ids of all the rest are known."""
        lines = [line for line in self.e.ledger if line["sort"].startswith("quarantine:")]
        wanted = {(x["partition"], x["offset"]): (x["sort"].partition(":")[2], x["hash"]) for x in lines}
        for key, line in self.accepted.items():
            for other in (other for other in self.e.by_id[key] if said(other) != said(line)):
                wanted[other["partition"], other["offset"]] = ("id_conflict", other["hash"])
                if other["partition"] == line["partition"] and other["offset"] < line["offset"]:
                    yield f"L6 changed: {key} was told otherwise at {other['via']} before {line['via']} was taken in"
        yield from (f"L1 lost: not in quarantine: {one}" for one in wanted.items() - self.e.held.items())
        yield from (f"L4 phantom: in quarantine: {one}" for one in self.e.held.items() - wanted.items())
        facts = (key for key, line in self.accepted.items() if not is_beat(line))
        known = {blake2b("\0".join(key).encode(), digest_size=16).digest(): key for key in facts}
        lost = known.keys() - self.e.seen.keys()
        yield from (f"L6 forgotten: {known[one]} is not among the ids seen" for one in lost)
        twice = (one for one, times in self.e.seen.items() if times > 1)
        yield from (f"L2 doubled: {known.get(one)} stands more than once among the ids seen" for one in twice)
        yield from ("L4 phantom: an id was seen that nobody sent" for _ in self.e.seen.keys() - known.keys())

    def partitions(self) -> Iterator[str]:
        """L1, L2, L3: every partition was taken in to its end, record by record, and never went back."""
        records = Counter(line["partition"] for line in self.e.ledger)
        batches: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for *_, topic, state in self.e.rows:
            if topic == "batch.taken.v1":
                batches[state["partition"]].append(state)
        for name, end in {line["partition"]: line["offset"] + 1 for line in self.e.ledger}.items():
            taken = sum(batch["records"] for batch in batches[name])
            if self.e.positions.get(name) != end:
                yield f"L1 position: {name} stands at {self.e.positions.get(name)}, its end is {end}"
            if taken != records[name]:
                word = "L2 doubled" if taken > records[name] else "L1 lost"
                yield f"{word}: {taken} records of {name} taken in, {records[name]} sent"
            for before, after in pairwise(batches[name]):
                if after["first"] < before["next"]:
                    yield f"L3 order: {name} went back from {before['next']} to {after['first']}"

    def streams(self) -> Iterator[str]:
        """L3, L6: notification ids rise one by one, streams have no holes, and facts of a key keep their order."""
        # Where a failed append takes its ids with it, they are gaps.
        if not self.e.gaps and [row[0] for row in self.e.rows] != list(range(1, len(self.e.rows) + 1)):
            yield "L6 reused: notification ids are not 1, 2, 3 …"
        versions: dict[str, int] = defaultdict(int)
        last: dict[tuple[str, str], int] = defaultdict(lambda: -1)
        for _, stream, version, topic, state in self.e.rows:
            versions[stream] += 1
            if version != versions[stream]:
                yield f"L6 hole: {stream} has version {version} at place {versions[stream]}"
            line = self.e.sent.get(state.get("via"))
            if line and line["event"] and line["event"]["type"] == topic and "carrier" not in line["event"]["data"]:
                if line["offset"] <= last[stream, line["partition"]]:
                    yield f"L3 order: {line['via']} stands behind a later one in {stream}"
                last[stream, line["partition"]] = line["offset"]

    def findings(self) -> Iterator[str]:
        """L2, L5: each finding once, none before its time or against what was there to read; so says brute force."""
        told: dict[tuple[Any, ...], list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        for _, stream, _, topic, state in self.e.rows:
            if topic.startswith("finding."):
                late = state["finding"]
                told[late["kind"], late["subject"], late["since"]].append((topic.split(".")[1], late))
                if state["known_up_to"] <= late["due_at"] or stream != f"order-{late['order_ids'][0]}":
                    yield f"L5 too early or elsewhere: {late['subject']} in {stream} up to {state['known_up_to']}"
        for key, words in told.items():
            story = [word for word, _ in words]
            if story[0] != "opened" or story.count("opened") != 1 or "retracted" in story[:-1]:
                yield f"L2 doubled: finding {key} was {', '.join(story)}"
            elif story[-1] == "retracted" and not self.was_true(words[0][1]):
                yield f"L5 unread: finding {key} was opened although what denies it was there to read"
        stands = {key: shown(words[-1][1]) for key, words in told.items() if words[-1][0] != "retracted"}
        truth = {(x["kind"], x["subject"], micro(x["since"])): true(x) for x in self.late(None, self.e.end)}
        for key in truth.keys() | stands.keys():
            if truth.get(key) != stands.get(key):
                yield f"L5 differs: finding {key} is {stands.get(key)}, truth says {truth.get(key)}"
        yield from self.deadlines()

    def deadlines(self) -> Iterator[str]:
        """L5: whatever comes due later is armed for then, and nothing is left that has come due."""
        for late in self.late(None, FAR):
            subject, due = f"order-{late['order_ids'][0]}", micro(late["due_at"])
            if due is not None and due > self.e.end and self.e.armed.get(subject) != due:
                yield f"L5 asleep: {subject} is armed for {self.e.armed.get(subject)}, it comes due at {due}"
        passed = [(subject, due) for subject, due in self.e.armed.items() if due < self.e.end]
        yield from (f"L5 asleep: the deadline {due} of {subject} was not fired" for subject, due in passed)

    def late(self, story: int | None, until: int) -> list[dict[str, Any]]:
        """Ask brute force about the events, or those of one story, that the broker had at an instant."""
        heard = {key: [x["heard"] for x in self.e.by_id[key] if said(x) == said(y)] for key, y in self.accepted.items()}
        mine = [
            key for key, line in self.accepted.items() if story in {None, line["story"]} and min(heard[key]) <= until
        ]
        now = {"id": "", "source": "", "type": "", "time": (EPOCH + timedelta(microseconds=until + 1)).isoformat()}
        return oracle([*(self.accepted[key]["event"] for key in mine), now], {})

    def was_true(self, late: dict[str, Any]) -> bool:
        """Say whether a finding was true to whoever had read all that the broker had when it came due."""
        name = json.dumps(late["order_ids"][0])
        story = next(line["story"] for line in self.accepted.values() if name in json.dumps(line["event"]))
        true = {(one["subject"], micro(one["due_at"])) for one in self.late(story, late["due_at"])}
        return (late["subject"], late["due_at"]) in true
