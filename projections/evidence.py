"""Evidence: from a finding's proof back to the records that brought it."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from domain.complaints.complaint import Complaint
from domain.events import Fact
from domain.instant import iso
from domain.naming import stream
from domain.orders.order import Order
from projections.subjects import Subjects


def around(some: Sequence[Any], subjects: Subjects) -> Iterator[dict[str, Fact]]:
    """Yield for each of some subjects every fact of it, and of those it is judged with, as proofs call them."""
    near = [[*_judged_with(subject)] for subject in some]
    subjects.load(chain.from_iterable(near))
    for subject, names in zip(some, near, strict=True):
        together = [subject, *(subjects.get(name) for name in names)]
        yield {fact.stamp.ref: fact for one in together for fact in getattr(one, "facts", ())}


def _judged_with(subject: Any) -> Iterator[str]:
    if isinstance(subject, Order):
        yield from (stream("parcel", parcel_id) for parcel_id in sorted(subject.parcels))
    elif isinstance(subject, Complaint):
        siblings = (one for told in subject.orders.values() for one in told.siblings)
        yield from (stream("complaint", one.complaint_id) for one in siblings if one.complaint_id != subject.id)


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
