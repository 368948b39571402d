"""A batch is paid slice by slice: whoever is killed is followed by somebody who pays the rest, and nobody twice."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from domain.history.log import Log
from domain.payouts.events import PayoutPaid
from domain.staff import cashier as cashiers
from tests.domain.bought import CUT, cut
from tests.domain.paid import Till, skipped
from tests.domain.test_purchases import CUTS
from tests.members import ROOT
from tests.story import file_log


@pytest.fixture(name="small")
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cashiers, "SLICE", 2)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("killed_at", [1, 2, 3, 4])
def test_whoever_is_killed_while_paying_is_followed_by_somebody_who_pays_the_rest(
    tmp_path: Path, killed_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with file_log(tmp_path / "log.db") as log:
        till = cut(log, *"OPQRS")
        batch = till.draft(CUT, form="price_difference")
        append, left = log.append, [killed_at]

        def killed(*what: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            return append(*what)

        monkeypatch.setattr(log, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            till.release(batch)
        monkeypatch.setattr(log, "append", append)
        assert len(till.cashier.read(batch).settled) == max(0, 2 * (killed_at - 2))
    with file_log(tmp_path / "log.db") as log:
        again = Till(log, CUTS)
        assert again.release(batch).status == "paid"
        assert again.release(batch).status == "paid"
        assert [again.total(name) for name in "OPQRS"] == [20] * 5
        assert [len(one.paid) for one in log.stream(batch) if isinstance(one, PayoutPaid)] == [2, 2, 1]


_PAYS: Final = """
import sys
from pathlib import Path
from domain.staff import cashier
from tests.domain.paid import Till
from tests.domain.test_purchases import CUTS
from tests.story import file_log

cashier.SLICE = 3
with file_log(Path(sys.argv[1])) as log:
    append = log.append
    def told(*what):
        position = append(*what)
        print(position, flush=True)
        return position
    log.append = told
    Till(log, CUTS).release(sys.argv[2])
"""


@pytest.mark.parametrize("slices", [0, 1, 4])
def test_a_process_that_is_killed_outright_leaves_whole_slices(tmp_path: Path, slices: int) -> None:
    names = [f"B{number:02}" for number in range(20)]
    with file_log(tmp_path / "log.db") as log:
        batch = cut(log, *names).draft(CUT, form="price_difference")
    command = [sys.executable, "-c", _PAYS, str(tmp_path / "log.db"), batch]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as payer:
        assert payer.stdout is not None
        for _ in range(slices + 1):  # the approval, and then so many slices
            assert payer.stdout.readline()
        payer.kill()
    with file_log(tmp_path / "log.db") as log:
        again = Till(log, CUTS)
        settled = len(again.cashier.read(batch).settled)
        assert settled >= 3 * slices
        assert settled == sum(len(again.account(name).payments) for name in names)
        assert settled in {*range(0, 20, 3), 20}
        assert again.release(batch).status == "paid"
        assert [again.total(name) for name in names] == [20] * 20


@pytest.mark.usefixtures("small")
def test_several_who_pay_one_batch_at_once_pay_each_member_once(tmp_path: Path) -> None:
    with file_log(tmp_path / "log.db") as log:
        till = cut(log, *"OPQRSTUV")
        batch = till.draft(CUT, form="price_difference")
        threads = [threading.Thread(target=till.release, args=(batch,)) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [len(till.account(name).payments) for name in "OPQRSTUV"] == [1] * 8
        assert till.cashier.read(batch).status == "paid"


def test_a_large_batch_is_written_in_slices(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    buyers = [f"B{n:04}" for n in range(1_200)]
    till = cut(log, *buyers)
    sizes, append = [], log.append

    def noted(recorded: Any, beside: Any) -> Any:
        sizes.append(len(recorded))
        return append(recorded, beside)

    monkeypatch.setattr(log, "append", noted)
    payout = till.release(till.draft(CUT, form="price_difference"))
    assert (payout.status, skipped(payout)) == ("paid", {})
    assert sizes == [4, 1, 1001, 1001, 401]
    assert {till.total(one) for one in buyers} == {20}
