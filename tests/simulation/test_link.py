"""The relay carries bytes both ways, and a cut stops them at once."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.simulation.link import Link


def echo_server() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                while chunk := peer.recv(1024):
                    peer.sendall(chunk)

    threading.Thread(target=serve, daemon=True).start()
    return server


def stop(server: socket.socket) -> None:
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_bytes_pass_until_the_link_is_cut_and_again_after_it_is_mended() -> None:
    server = echo_server()
    link = Link(server.getsockname()[1])
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as client:
        client.sendall(b"reading")
        assert client.recv(1024) == b"reading"
        link.cut()
        assert client.recv(1024) == b""
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as refused:
        assert refused.recv(1024) == b""
    link.mend()
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as client:
        client.sendall(b"again")
        assert client.recv(1024) == b"again"
    link.close()
    stop(server)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", link.port), timeout=1)
