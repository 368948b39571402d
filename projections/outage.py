"""Outages: since when something does not work, so that its end can be told once, with how long it lasted."""

import time


class Outage:
    """Of one thing that works again by itself."""

    def __init__(self) -> None:
        """Have none."""
        self._since: float | None = None

    def begin(self) -> None:
        """Note that it does not work; when it was found out first, counts."""
        if self._since is None:
            self._since = time.monotonic()

    def end(self) -> float | None:
        """Note that it works; gives the seconds for which it did not, once, and nothing where it did all along."""
        since, self._since = self._since, None
        return None if since is None else round(time.monotonic() - since, 1)
