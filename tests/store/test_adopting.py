"""Several processes that start at once with a policy that the log has not heard of."""

import threading

import pytest

from domain.judging import adoption
from domain.judging.adoption import adopt
from tests.stores.engine import file_log
from tests.story import at


@pytest.mark.usefixtures("engine")
def test_the_first_of_those_that_start_at_once_adopts_the_policy(tmp_path, monkeypatch):
    both_have_looked, looked, read = threading.Barrier(2, timeout=20), threading.local(), adoption._heard

    def heard(log):
        found = read(log)
        if not getattr(looked, "once", False):
            looked.once = True
            both_have_looked.wait()
        return found

    with file_log(tmp_path / "log.db") as one, file_log(tmp_path / "log.db") as other:
        monkeypatch.setattr(adoption, "_heard", heard)
        found = []
        threads = [
            threading.Thread(target=lambda log=log: found.append(adopt(log, 'timezone = "UTC"', at(0))))
            for log in (one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 2
        assert found[0] == found[1]
        assert len(one.stream("policy")) == 1
