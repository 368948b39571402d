"""A store that is away is told as such, with when to ask again, and used again when it is back."""

import sqlite3
import time

import pytest


@pytest.mark.only_on("postgres")
def test_a_server_that_ended_is_told_and_used_again(shop, cluster):
    shop.late("1")
    cluster.stop("immediate")
    try:
        for path in ("/v1/incidents", "/v1/orders/O1/history"):
            answer = shop.get(path)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store_away")
            assert answer.headers["Retry-After"] == "2"
    finally:
        cluster.start()
    until = time.monotonic() + 15
    while shop.get("/v1/incidents").status_code == 503 and time.monotonic() < until:
        time.sleep(0.1)  # between two tries
    assert shop.read("/v1/incidents/incident-late_shipment-F1")["incident"]["state"] == "open"


@pytest.mark.only_on("sqlite")
def test_a_file_that_is_locked_is_told(shop, monkeypatch):
    def locked(*_):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(shop.told.store, "reading", locked)
    answer = shop.get("/v1/incidents")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store_away")
