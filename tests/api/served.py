"""A process that serves a log until a signal ends it."""

import logging
import sys
from pathlib import Path

from api.app import create_app
from deploy.web import serve
from projections.follower import Follower
from tests.stores.engine import views_at
from tests.story import file_log

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    folder = Path(sys.argv[1])
    with file_log(folder / "log.db") as log:
        store = views_at(folder / "views.db")
        Follower(store, log.store).catch_up()
        serve(create_app(store, log.store, clock=lambda: 0), announce=lambda url: print(url, flush=True))
        store.close()
    print("ended", flush=True)
