"""Validation: what would become of each message; changes nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from consumers.backtest import records
from consumers.translate import Translator
from domain.catalogue import Heartbeat
from domain.errors import Unreadable
from domain.history.batch import Foreign, Incoming, Raw
from domain.history.record import identity
from domain.instant import Instant


class Validator:
    """Says for each message whether it would be taken in, skipped or refused, repeats and conflicts included."""

    def __init__(self, translator: Translator, now: Instant) -> None:
        """Judge by this clock."""
        self._translator = translator
        self._now = now
        self._seen: dict[bytes, bytes] = {}
        self.totals: Counter[str] = Counter()

    def verdict(self, place: int, raw: Raw) -> dict[str, Any]:
        """Judge one message; ``verdict`` is taken, repeated, skipped or refused."""
        one = self._translator.incoming(place, raw, self._now)
        verdict, why = self._judge(one)
        self.totals[verdict] += 1
        return {"message": place, "verdict": verdict, **why, **({"flags": list(one.flags)} if one.flags else {})}

    def _judge(self, one: Incoming) -> tuple[str, dict[str, str]]:
        content = one.content
        if isinstance(content, Unreadable):
            return "refused", {"code": content.code, "why": content.detail}
        if isinstance(content, Foreign):
            return "skipped", {"type": content.type, "why": "a family that is not ours"}
        if isinstance(content, Heartbeat):
            return "taken", {"type": content.TOPIC, "id": content.stamp.ref}
        key = identity(content)
        known = self._seen.get(key)
        if known is not None and known != one.digest:
            return "refused", {"code": "id_conflict", "why": f"{content.stamp.ref} came before with another body"}
        self._seen[key] = one.digest
        return "taken" if known is None else "repeated", {"type": content.TOPIC, "id": content.stamp.ref}


def validate(lines: Iterable[bytes], validator: Validator) -> Iterator[dict[str, Any]]:
    """Judge a file of CloudEvents, one JSON a line."""
    for place, raw in enumerate(records(lines), 1):
        yield validator.verdict(place, raw)
