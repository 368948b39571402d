"""An event that whoever waits for it is told by: something happens at each pause, and the last one ends it."""

from collections.abc import Callable


class Pauses:
    """Stands in for the event that ends a loop."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self.seconds: list[float] = []
        self._happenings = [*happenings]

    def is_set(self) -> bool:
        return not self._happenings

    def wait(self, seconds: float) -> bool:
        if seconds > 0 and self._happenings:
            self.seconds.append(seconds)
            self._happenings.pop(0)()
        return self.is_set()
