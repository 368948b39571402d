"""Evidence: from a finding's proof back to the records that brought it."""

from collections.abc import Iterable, Iterator
from typing import Any

from domain import order, parcel
from domain.events import Fact
from domain.facts import Facts
from domain.instant import iso
from domain.order import Order
from domain.streams import stream
from projections.subjects import Subjects


def facts_of(facts: Facts, kinds: Iterable[type[Fact]]) -> Iterator[Fact]:
    """List a subject's facts of these types."""
    for kind in kinds:
        yield from facts.of(kind)


def around(subject: Any, subjects: Subjects) -> dict[str, Fact]:
    """Give every fact of a subject and of its parcels under the name that proofs call it by."""
    found: dict[str, Fact] = {}
    if isinstance(subject, Order):
        names = [stream("parcel", parcel_id) for parcel_id in sorted(subject.parcels)]
        subjects.load(names)
        for name in names:
            found.update((fact.stamp.ref, fact) for fact in facts_of(subjects.get(name).facts, parcel.FACTS))
    kinds = order.FACTS if isinstance(subject, Order) else parcel.FACTS
    found.update((fact.stamp.ref, fact) for fact in facts_of(subject.facts, kinds))
    return found


def cite(ref: str, known: dict[str, Fact]) -> dict[str, Any]:
    """Say which input event this is and which record brought it; a ref that is not known stands alone."""
    fact = known.get(ref)
    if fact is None:
        source, _, identity = ref.partition("#")
        return {"ref": ref, "source": source, "id": identity}
    told = {"ref": ref, "source": fact.source, "id": fact.id, "type": fact.TOPIC, "at": iso(fact.at)}
    return {**told, **record(fact.via)}


def record(via: str) -> dict[str, Any]:
    """Split ``topic/partition/offset``; nothing where the record is not known."""
    topic, _, rest = via.partition("/")
    number, _, offset = rest.partition("/")
    if not (number.isdigit() and offset.isdigit()):
        return {}
    return {"topic": topic, "partition": int(number), "offset": int(offset)}
