"""Kills of clients and of their server in turn, and what each outage cost."""

import time
from collections import Counter
from typing import Final

from tests.chaos.control import IN_TRANSACTION, INGEST, TICKER, Phase
from tests.chaos.kills import PATIENCE, Habits, Killer
from tests.chaos.server import Blow, Recovery, Target, Watch
from tests.chaos.stage import Failed, Stage

IN_TURN: Final = (Blow.BACKEND, Blow.WHOLE, Blow.RESTART, Blow.BACKEND, Blow.WHOLE, Blow.STOP)
SLOW: Final = frozenset({Blow.STOP, Blow.RESTART})
"""Blows by a program that must start first: children dwell long enough for it to find them where they are."""
SLOW_DWELL: Final = 0.1
AIMS: Final = {Phase.WRITTEN: 55, Phase.BEGUN: 20, Phase.COMMITTED: 15, Phase.DECIDE: 10}
"""What a child is to be in when its server ends, of a hundred blows; tickers decide nothing, and are met anywhere."""
COMMITTING_PERCENT: Final = 20
COMMITTING: Final = 0.004
"""Seconds that a commit takes: written, flushed, answered."""
UP_WITHIN: Final = 3.0
LONG: Final = 7.0
"""Seconds of an outage over which connections are given up, and processes that start find no store."""
LONG_PERCENT: Final = 15
BESIDE_PERCENT: Final = 25
"""Chance that a client is killed together with the server."""
TRICKLE: Final = 2
"""Messages that are sent every so often while the server is away, so that there is something to go on with."""
AHEAD: Final = 4
"""Kills whose share of the season may be sent ahead."""
DRIP_PERCENT: Final = 5
LOAD: Final = 20
"""The same where restarts happen under load: as many as a producer sends."""


class ServerKiller(Killer):
    """Kills a client, then the server, then a client …, or the server alone."""

    def __init__(self, stage: Stage, kills: int, habits: Habits, target: Target) -> None:
        """Strike at this server; it may be that restarts under load are all that is done."""
        super().__init__(stage, kills, habits)
        self._server = target.server
        self._restarts = target.restarts
        self._back_within = target.back_within
        self._load = LOAD if target.restarts else TRICKLE
        self.recoveries: list[Recovery] = []
        self.blows: Counter[Blow] = Counter()

    def _one(self, turn: int) -> None:
        self._stage.revive()
        if self._restarts:
            self._strike(Blow.RESTART)
        elif turn % 2:
            self._strike(IN_TURN[turn // 2 % len(IN_TURN)])
        else:
            super()._one(turn // 2)

    def _kill(self, slot: int) -> None:
        self._stage.revive()
        super()._kill(slot)

    def _strike(self, blow: Blow) -> None:
        """End the server while a child is where it is aimed at, and wait until all go on."""
        stage, control = self._stage, self._stage.control
        slot = self._dice.choice((INGEST, INGEST, TICKER))
        stage.produce_more(self._load * 10)
        stage.until(lambda: control.phase(slot) != Phase.STARTING, UP_WITHIN)
        broken = {one: control.broken(one) for one in (INGEST, TICKER)}
        watch = Watch(stage.path / "log.db")
        control.set_dwell(SLOW_DWELL if blow in SLOW else 0)
        if self._restarts:
            time.sleep(self._dice.uniform(0, PATIENCE))
        else:
            self._aim(slot, AIMS)
        seen = control.phase(slot)
        watch.struck()
        self._server.strike(blow, control.backend(slot))
        control.set_aim(slot, Phase.STARTING)
        control.set_dwell(0)
        try:
            self._go_on(blow, watch)
        finally:
            watch.end()
        broke = [control.broke_in(one) for one, before in broken.items() if control.broken(one) > before]
        # What a child was seen to be in had ended before the blow fell, unless it says that it was broken off.
        phase = max(broke, default=Phase.COMMITTED if seen in IN_TRANSACTION else seen)
        self.killed["server", phase] += 1
        self.blows[blow] += 1

    def _lingering(self, dwell: float) -> float:
        """Let some blows fall right after the child has gone on: while its commit is on the way."""
        if self._dice.random() * 100 < COMMITTING_PERCENT:
            return dwell + self._dice.uniform(0, COMMITTING)
        return super()._lingering(dwell)

    def _go_on(self, blow: Blow, watch: Watch) -> None:
        if blow is Blow.RESTART:
            self._server.cluster.start()
        self._let_pile_up()
        if not self._restarts and self._dice.random() * 100 < BESIDE_PERCENT and self._done + 1 < self._wanted:
            self._kill(self._dice.choice((INGEST, TICKER)))
            self._start_missing()
        if blow is Blow.STOP:
            self._send_for(LONG if self._dice.random() * 100 < LONG_PERCENT else self._dice.uniform(0.2, 1.5))
        if blow in {Blow.WHOLE, Blow.STOP}:
            self._server.cluster.start()
        until = time.monotonic() + self._back_within
        while not watch.over:
            if time.monotonic() > until:
                said = "\n".join(self._stage.said(role) for role in ("ingest", "ticker"))
                raise Failed(f"L7 behind: nothing was committed in {self._back_within:.0f} s after {blow}\n{said}")
            self._send_for(0.05)
        self.recoveries.append(Recovery(blow, watch.down or 0.0, watch.idle or 0.0))

    def _send_for(self, seconds: float) -> None:
        """Let time go by while messages come and a supervisor looks after the children."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            # A long outage must not use up what the following ones need; a batch to wait for there must always be.
            sent = self._stage.produce_more(self._load, (self._done + AHEAD) / (self._wanted + 1))
            if not sent and self._dice.random() * 100 < DRIP_PERCENT:
                self._stage.produce_more(1)
            self._stage.revive()
            time.sleep(0.05)
