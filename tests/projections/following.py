"""A process that follows a log in small batches, a line for each, until it is killed."""

import sys
from pathlib import Path

from projections.follower import Follower
from tests.stores.engine import views_at
from tests.story import file_log

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with file_log(folder / "log.db") as log:
        store = views_at(folder / "views.db")
        Follower(store, log.store, batch=20, on_commit=lambda: print(flush=True)).catch_up()
