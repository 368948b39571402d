"""Tasks: the calls of one customer together, ranked, from when to when they stand like that.

Time alone changes some: what is being mended calls nobody until it is over, what flaps keeps its place until it is
still, and a policy's rules hold from a date on. So a task has a row for each stretch of time in which it is the same;
whoever asks at an instant finds one, in the order of the list, whatever time it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import msgspec

from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted
from projections.calls import CALL, Call
from projections.subjects import Subjects
from projections.view import Rows, among

TABLES: Final = ("tasks", "task_assignees")
SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS tasks (
        task TEXT NOT NULL, begins INTEGER NOT NULL, ends INTEGER NOT NULL, stage INTEGER NOT NULL,
        grade INTEGER NOT NULL, until INTEGER NOT NULL, amount REAL NOT NULL, to_contact INTEGER NOT NULL,
        points INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (task, begins)) WITHOUT ROWID""",
    # The worklist from its top; what is not of now, or not asked for, is passed by without a look at its row.
    """CREATE INDEX IF NOT EXISTS tasks_ranked
        ON tasks (stage, grade, until, amount, task, begins, ends, to_contact, points)""",
    """CREATE TABLE IF NOT EXISTS task_assignees (
        task TEXT NOT NULL, begins INTEGER NOT NULL, name TEXT NOT NULL,
        PRIMARY KEY (task, begins, name)) WITHOUT ROWID""",
    # Whose business which tasks are.
    "CREATE INDEX IF NOT EXISTS task_assignees_name ON task_assignees (name, task, begins)",
)
_SLICE: Final = 500


class Content(NamedTuple):
    """What a task is about; everything in the order of the names."""

    items: list[str]
    """Incidents, by id."""
    orders: list[str]
    persons: list[str]
    teams: list[str]


class Row(NamedTuple):
    """A task during a stretch of time; what counts for more comes first in ascending order."""

    task: str
    begins: Instant
    ends: Instant
    """The first instant at which it is another."""
    stage: int
    grade: int
    """Negative: the gravest first."""
    until: Instant
    amount: float
    """Negative: the dearest first."""
    to_contact: int
    points: int
    body: bytes


ROW: Final = ", ".join(Row._fields)
CONTENT: Final = msgspec.json.Decoder(Content).decode
_MARKS: Final = ",".join("?" * len(Row._fields))
_ENCODE: Final = msgspec.json.Encoder().encode


class _Ruled(NamedTuple):
    since: Instant
    points: dict[str, int]
    """Of the kinds that bring any by themselves."""


def settle(rows: Rows, names: set[str], subjects: Subjects) -> None:
    """Rank these tasks anew."""
    if not names:
        return
    wanted, rules = sorted(names), _rules(subjects.policies())
    for first in range(0, len(wanted), _SLICE):
        some = wanted[first : first + _SLICE]
        calls: dict[str, list[Call]] = defaultdict(list)
        for row in among(rows, f"SELECT {CALL} FROM calls WHERE task IN ({{among}})", some):  # noqa: S608  # our names
            call = Call(*row)
            calls[call.task].append(call)
        now = {row for name, own in calls.items() for row in _stretches(name, own, rules)}
        known = {Row(*row) for row in among(rows, f"SELECT {ROW} FROM tasks WHERE task IN ({{among}})", some)}  # noqa: S608
        _replace(rows, known - now, now - known)


def _replace(rows: Rows, gone: Iterable[Row], come: Iterable[Row]) -> None:
    old, new = [one[:2] for one in gone], list(come)
    for table in TABLES:
        rows.executemany(f"DELETE FROM {table} WHERE task = ? AND begins = ?", old)  # noqa: S608  # our own names
    rows.executemany(f"INSERT INTO tasks VALUES ({_MARKS})", new)  # noqa: S608  # question marks
    assigned = [(one.task, one.begins, name) for one in new for name in _assignees(CONTENT(one.body))]
    rows.executemany("INSERT INTO task_assignees VALUES (?,?,?)", assigned)


def _assignees(content: Content) -> set[str]:
    return {*content.persons, *content.teams}


def _rules(policies: Sequence[Adopted]) -> list[_Ruled]:
    """Say from when on which kinds bring points by themselves; a policy that changes nothing of it is left out."""
    found = [_Ruled(-FOREVER, {})]
    for since, policy in policies:
        points = {kind: some for kind, some in policy.routing.kinds.items() if some}
        if points != found[-1].points:
            found.append(_Ruled(since, points))
    return found


def _stretches(task: str, calls: Sequence[Call], rules: Sequence[_Ruled]) -> list[Row]:
    """Put calls together for each stretch of time in which they stand alike.

    Which calls there are, and with how many points, changes at few instants: of policies, and of what is being mended.
    How long there is changes at as many as there are calls that flap, so nothing else is worked out at those.
    """
    found: list[Row] = []
    turns = {one.quiet_until for one in calls if one.quiet_until is not None} | {rule.since for rule in rules}
    for begins, ends in pairwise((*sorted(turns), FOREVER)):
        due = [one for one in calls if one.quiet_until is None or one.quiet_until <= begins]
        if not due:
            continue
        whole = _row(task, begins, ends, due, next(rule.points for rule in reversed(rules) if rule.since <= begins))
        for first, last, until in _untils(due, begins, ends):
            row = whole._replace(begins=first, ends=last, until=until)
            if found and (found[-1].ends, found[-1][3:]) == (first, row[3:]):
                found[-1] = found[-1]._replace(ends=last)
            else:
                found.append(row)
    return found


def _untils(calls: Sequence[Call], begins: Instant, ends: Instant) -> Iterator[tuple[Instant, Instant, Instant]]:
    """Say from when to when there is until when: each has until its delivery date, else since when it came due.

    What flaps has since it began to flap, until it is still.
    """
    steady, flapping = FOREVER, list[tuple[Instant, Instant, Instant]]()
    for one in calls:
        if one.deliver_by is not None:
            steady = min(steady, one.deliver_by)
        elif one.flaps_since is not None and one.stable_at is not None and one.stable_at > begins:
            flapping.append((one.stable_at, one.flaps_since, one.due_at))
        else:
            steady = min(steady, one.due_at)
    flapping.sort()
    # At each turn one more is still and one less flaps: the least of both, for every number of them.
    still = accumulate((due_at for _, _, due_at in flapping), min, initial=steady)
    flap = [*accumulate((since for _, since, _ in reversed(flapping)), min, initial=FOREVER)]
    turns = (begins, *(at for at, _, _ in flapping if at < ends), ends)
    for (first, last), *both in zip(pairwise(turns), still, reversed(flap), strict=False):
        if first < last:
            yield first, last, min(both)


def _row(task: str, begins: Instant, ends: Instant, calls: Sequence[Call], points: dict[str, int]) -> Row:
    """Put calls together as they stand from an instant on, but for how long there is."""
    content = Content(
        items=_names(one.id for one in calls),
        orders=_names(one.order_id for one in calls),
        persons=_names(one.person for one in calls),
        teams=_names(one.team for one in calls),
    )
    return Row(
        task=task,
        begins=begins,
        ends=ends,
        stage=min(one.stage for one in calls),
        grade=-max(one.grade for one in calls),
        until=FOREVER,
        # Taken from nothing, because a negated zero is another number.
        amount=0.0 - max(one.amount for one in calls),
        to_contact=max(one.to_contact for one in calls),
        points=max(one.points + points.get(one.kind, 0) for one in calls),
        body=_ENCODE(content),
    )


def _names(some: Iterable[str | None]) -> list[str]:
    return sorted({one for one in some if one})
