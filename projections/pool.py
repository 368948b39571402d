"""Connections to PostgreSQL that are lent: while the server is away, that is said at once, and why."""

from typing import Any, Final, TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

CONNECT_TIMEOUT: Final = 5
"""Seconds to wait for a connection."""
_RECONNECT_TIMEOUT: Final = 5.0
"""Seconds of trying after which a pool waits to be asked again: it doubles its pauses, and after an outage of minutes
would sleep for minutes more although the server is back."""
_LOOK: Final = 0.05
"""Seconds that everybody waits after one has waited in vain: whoever serves many must not keep each of them."""

C = TypeVar("C", bound="psycopg.Connection[Any]")


class Pool(ConnectionPool[C]):
    """A pool that is not open yet, and lends up to ``max_size`` connections made by ``connection_class``."""

    def __init__(self, connection_class: type[C], **options: Any) -> None:
        """Connect to nothing yet."""
        super().__init__(
            connection_class=connection_class,
            **options,
            min_size=1,
            timeout=CONNECT_TIMEOUT,
            reconnect_timeout=_RECONNECT_TIMEOUT,
            open=False,
        )
        self._waited_in_vain = False
        self._why = ""

    def getconn(self, timeout: float | None = None) -> C:
        """Lend a connection.

        Raises:
            PoolTimeout: there is none in time.
        """
        try:
            # Being asked is what lets a pool that has given up try again.
            lent = super().getconn(_LOOK if self._waited_in_vain else timeout)
        except PoolTimeout as error:
            self._waited_in_vain = True
            raise PoolTimeout(self._why or str(error)) from error
        self._waited_in_vain = False
        return lent

    def _connect(self, timeout: float | None = None) -> C:
        try:
            made = super()._connect(timeout)
        except Exception as error:
            # Else only the pool's own log would say whether it is the network or the password.
            self._why = str(error).strip()
            raise
        self._why = ""
        return made
