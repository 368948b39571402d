import pytest

from projections import VIEWS
from tests.plans.filling import fill
from tests.plans.judge import GROWING
from tests.plans.shop import PlannedShop, ask_for_everything
from tests.stores.engine import file_log


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("planned")


@pytest.fixture(scope="module")
def shop(engine, folder):
    """A shop that was asked for everything, and whose views then became big where the planner looks at sizes."""
    with pytest.MonkeyPatch.context() as patience, file_log(folder / "log.db") as log:
        patience.setattr("api.reading.QUERY_SECONDS", 60.0)  # how long an answer takes is not asked here
        made = PlannedShop(log, folder)
        ask_for_everything(made)
        if engine == "postgres":
            with made.views.writing() as rows:
                fill(rows._rows, sorted(GROWING & {table for view in VIEWS for table in view.tables}))
        yield made
        made.views.close()
