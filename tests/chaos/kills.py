"""Kills: ingest and ticker in turn, at random moments, most of them while a transaction is open."""

import signal
import time
from collections import Counter
from itertools import count
from typing import Final, NamedTuple

from tests.chaos.control import IN_TRANSACTION, INGEST, SECOND, TICKER, Phase
from tests.chaos.stage import ROLES, Failed, Stage

PATIENCE: Final = 0.4
"""Seconds to wait for the phase aimed at; then the kill falls where it falls."""
LAG: Final = 12
"""Messages still to be sent when the next kill is prepared, so that it falls into the midst of work."""
Aims = dict[Phase, int]
Killed = Counter[tuple[str, Phase]]
"""Kills by role and by what the child was doing when it died."""


class Habits(NamedTuple):
    """Whom to kill, where, and what to do besides."""

    ingest: Aims = {
        Phase.WRITTEN: 45,
        Phase.BEGUN: 15,
        Phase.DECIDE: 12,
        Phase.POLL: 8,
        Phase.COMMITTED: 15,
        Phase.STARTING: 5,
    }
    """How often each phase is aimed at, of a hundred kills."""
    ticker: Aims = {
        Phase.WRITTEN: 45,
        Phase.BEGUN: 15,
        Phase.TICK: 15,
        Phase.WAIT: 5,
        Phase.COMMITTED: 15,
        Phase.STARTING: 5,
    }
    both_every: int = 9
    """Kills after which the other one is killed as well, so that the next to open the log must recover it."""
    zombie_every: int = 20
    """Kills after which ingest is stopped with a batch in hand, and wakes up when another one has gone on."""
    down_percent: int = 12
    """Chance that ingest stays dead for a while, over deadlines and with scans waiting."""
    slow: bool = False
    """Ingest dwells over each batch while it catches up, however fast the machine is."""


USUAL: Final = Habits()


class Killer:
    """Kills the children of a stage and starts them again."""

    def __init__(self, stage: Stage, kills: int, habits: Habits) -> None:
        self._stage = stage
        self._wanted = kills
        self._habits = habits
        self._dice = stage.dice
        self.killed: Killed = Counter()

    def run(self) -> None:
        """Kill as often as was asked for, while the producer goes on."""
        stage = self._stage
        stage.start(INGEST)
        stage.start(TICKER)
        for turn in count():
            if self._done >= self._wanted:
                return
            stage.produce((self._done + 1) / (self._wanted + 1))
            stage.until(lambda: stage.lag < LAG, PATIENCE * 10)
            self._one(turn)
            stage.witness.look()
            self._start_missing()

    @property
    def _done(self) -> int:
        return self.killed.total()

    def _one(self, turn: int) -> None:
        """Kill one of the children, or two."""
        if turn % self._habits.zombie_every == self._habits.zombie_every - 1:
            self._make_zombie()
        else:
            self._kill_in_turn((INGEST, TICKER)[turn % 2], turn)

    def _start_missing(self) -> None:
        for slot in {INGEST, TICKER} - self._stage.playing.keys():
            self._stage.start(slot)
            if self._habits.slow and slot == INGEST:
                self._stage.control.set_aim(slot, Phase.DECIDE)

    def _kill_in_turn(self, slot: int, turn: int) -> None:
        self._aim(slot)
        self._kill(slot)
        if turn % self._habits.both_every == self._habits.both_every - 1 and self._done < self._wanted:
            self._kill(INGEST + TICKER - slot)
        if slot == INGEST and self._dice.random() * 100 < self._habits.down_percent:
            self._stay_down()

    def _stay_down(self) -> None:
        """Let deadlines pass and messages wait while nobody reads."""
        self._let_pile_up()
        time.sleep(self._dice.uniform(0.05, 0.2))

    def _let_pile_up(self) -> None:
        self._stage.produce((self._done + 2) / (self._wanted + 1))
        self._stage.until(lambda: self._stage.lag < LAG, PATIENCE * 10)

    def _aim(self, slot: int, aims: Aims | None = None) -> None:
        """Wait until the child is where it is to be killed, and a little longer."""
        aims = aims or (self._habits.ingest if slot == INGEST else self._habits.ticker)
        phase = self._dice.choices(list(aims), list(aims.values()))[0]
        if phase == Phase.STARTING:
            time.sleep(self._dice.uniform(0, 0.03))
            return
        control = self._stage.control
        control.set_aim(slot, phase)
        self._stage.until(lambda: control.phase(slot) == phase, PATIENCE)
        time.sleep(self._lingering(control.dwell()))

    def _lingering(self, dwell: float) -> float:
        """Say how long to wait while the child dwells."""
        return self._dice.uniform(0, dwell)

    def _kill(self, slot: int) -> None:
        phase, status = self._stage.kill(slot)
        if status != -signal.SIGKILL:
            said = self._stage.said(ROLES[slot])
            raise Failed(f"H2 ended: {ROLES[slot]} ended by itself with {status} while in {phase.name}\n{said}")
        self.killed[ROLES[slot], phase] += 1

    def _make_zombie(self) -> None:
        """Stop ingest with a batch in hand, let another one go further, wake it up, and kill the other one."""
        stage, control = self._stage, self._stage.control
        stage.signal(INGEST, signal.SIGSTOP)
        self._let_pile_up()
        control.set_aim(INGEST, self._dice.choice((Phase.DECIDE, Phase.DECIDE, Phase.POLL)))
        stage.signal(INGEST, signal.SIGCONT)
        stage.until(lambda: control.phase(INGEST) == control.aim(INGEST), PATIENCE)
        stage.signal(INGEST, signal.SIGSTOP)
        control.set_aim(INGEST, Phase.STARTING)
        stage.start(SECOND)
        if self._dice.random() < 0.5:
            # Woken as soon as the other one has taken in a part of what the zombie holds.
            stage.until(lambda: control.phase(SECOND) == Phase.WRITTEN, PATIENCE)
            stage.until(lambda: control.phase(SECOND) != Phase.WRITTEN, PATIENCE)
        else:
            time.sleep(self._dice.uniform(0.05, 0.25))
        stage.signal(INGEST, signal.SIGCONT)
        time.sleep(self._dice.uniform(0.05, 0.25))
        self._kill(SECOND)


def in_transaction(killed: Killed) -> int:
    """Count the kills that fell into an open transaction."""
    return sum(number for (_, phase), number in killed.items() if phase in IN_TRANSACTION)
