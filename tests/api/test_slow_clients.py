import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api import live
from api.live import QUEUE
from deploy.web import serve
from deploy.wiring import CannotStart
from tests.api.serving import Listener, serving
from tests.story import file_log, placed, requested

ROOT = Path(__file__).parents[2]


def stalled(url):
    """Ask for the feed and never read."""
    host = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    client.connect((host.hostname, host.port))
    client.sendall(f"GET /v1/feed HTTP/1.1\r\nHost: {host.netloc}\r\nAccept: text/event-stream\r\n\r\n".encode())
    return client


def late(desk, first, count):
    said = []
    for n in range(first, first + count):
        said += [placed(0, of=f"O{n}", key=f"p{n}"), requested(0, f"F{n}", of=f"O{n}", ship_by=20)]
    desk.take(*said)
    while desk.tick(30) == 500:
        pass


def buffered(server):
    """Count the bytes that wait in the server's own buffers, of the fullest connection."""
    return max(one.transport.get_write_buffer_size() for one in list(server.server.server_state.connections))


def alive():
    gc.collect()
    return sum(isinstance(one, live.Listener) for one in gc.get_objects())


def wait(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)  # between two looks


def test_stalled_clients_are_let_go_with_memory_flat_while_others_miss_nothing(told, caplog):
    caplog.set_level(logging.WARNING)
    with serving(told, send_buffer=8192, send_seconds=1) as server:
        clients = [stalled(server.url) for _ in range(20)]
        healthy = Listener(server.url)
        healthy.until("heartbeat")
        everybody = server.app.state.live._connected
        wait(lambda: len(everybody) == 21)
        for turn in range(3):
            late(told.desk, turn * 500, 500)
            healthy.changes(500)
            assert all(one.waiting <= QUEUE for one in list(everybody))
            assert buffered(server) < 256 * 1024  # 500 changes are 600 KiB
        wait(lambda: len(everybody) == 1)
        assert alive() == 1, "whoever was let go is forgotten"
        for client in clients:
            client.close()
        counts = server.app.state.meters._let_go.collect()[0].samples
        assert sum(one.value for one in counts if one.name.endswith("_total")) >= 20
        late(told.desk, 5000, 1)
        healthy.changes(1)
        healthy.close()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_client_that_reads_too_slowly_is_told_so_and_resumes(told):
    with serving(told, send_buffer=8192) as server:
        client = stalled(server.url)
        wait(lambda: server.app.state.live.connected == 1)
        time.sleep(0.2)  # it is stuck by then
        late(told.desk, 0, 700)
        wait(lambda: not server.app.state.live._following)
        text = b""
        client.settimeout(5)
        while chunk := client.recv(65536):
            text += chunk
        client.close()
        assert b"event: lagged" in text
        last = text.rpartition(b"\nid: ")[2].split(b"\n")[0].decode()
        seen = text.count(b"event: change")
        again = Listener(server.url, last=last)
        assert 0 < seen < 700
        again.changes(700 - seen)
        again.close()


def test_it_ends_with_streams_open_and_says_nothing_wrong(told, caplog):
    caplog.set_level(logging.WARNING)
    with serving(told, send_buffer=8192) as server:
        listeners = [Listener(server.url) for _ in range(15)]
        for one in listeners:
            one.until("heartbeat")
        never_reads = [stalled(server.url) for _ in range(3)]
        late(told.desk, 0, 400)
        listeners[0].changes(400)
        idle = socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port))
        server.stop.set()
        wait(lambda: not server.thread.is_alive())
        for one in listeners:
            assert one.until("server.closing", 2)
            assert one.next(2) is None
        for client in (*never_reads, idle):
            client.close()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_signal_ends_the_process_cleanly_with_a_stream_open(tmp_path):
    with file_log(tmp_path / "log.db"):
        pass
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.api.served", tmp_path],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        url = process.stdout.readline().decode().strip()
        listener = Listener(url.rstrip("/"))
        listener.until("heartbeat")
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 0
        assert out.decode().splitlines() == ["ended"]
        assert err == b""
        assert listener.until("server.closing", 2)


def test_an_address_that_is_taken_is_refused_before_anything_starts(told):
    with serving(told) as server:
        port = urlsplit(server.url).port
        with pytest.raises(CannotStart, match="in use"):
            serve(server.app, port=port)
