"""The listening socket: what is accepted from it sends at once."""

import asyncio
import socket

import pytest

from deploy.web import bind


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_and_frames_are_not_held_back_for_the_clients_acknowledgement(host: str) -> None:
    async def accepted() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        class Connected(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                link = transport.get_extra_info("socket")
                found.set_result(link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.close()

        with bind(host, 0) as listener:
            server = await asyncio.get_running_loop().create_server(Connected, sock=listener)
            async with server:
                _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
                writer.close()
                return await found

    assert asyncio.run(accepted()) == 1
