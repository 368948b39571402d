"""A seeded season, told to a log in batches, with its deadlines fired as the season's time goes by."""

from datetime import datetime

import orjson

from consumers.translate import Translator
from deploy.demo.season import season
from domain.history.batch import Batch, Raw, Slice
from domain.history.log import Log
from domain.instant import instant
from domain.judging.adoption import adopt
from domain.tracker import Tracker

_BATCH = 200


def tell_season(log: Log, start: datetime, days: int, seed: int = 3) -> Tracker:
    """Tell all of it; what is still open at the end stays open."""
    told = season(seed, start, days)
    tracker = Tracker(log, adopt(log, "", instant(start)))
    translator = Translator({})
    for first in range(0, len(told.events), _BATCH):
        part = told.events[first : first + _BATCH]
        until = instant(part[-1].published_at)
        records = tuple(
            translator.incoming(offset, Raw(one.topic, 0, None, orjson.dumps(one.event), (), None), until)
            for offset, one in enumerate(part, first)
        )
        expected = first or None
        tracker.take(Batch((Slice("season/0", "season", 0, expected, first + len(part), records),), until), until)
        while tracker.tick(until) == 500:
            pass
    return tracker
