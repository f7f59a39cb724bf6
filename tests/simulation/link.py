"""The link between a gateway and the cloud: a TCP relay that can be cut and mended.

Cutting resets every open connection and refuses new ones, as a dead line does; bytes already relayed stay relayed.
"""

from __future__ import annotations

import contextlib
import socket
import threading

_CHUNK = 65_536
_CONNECT_SECONDS = 2


class Link:
    """A relay from a free loopback port to a target port, run by threads of the conductor."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._up = True
        self._acceptor = threading.Thread(target=self._accept, name=f"link-{self.port}", daemon=True)
        self._acceptor.start()

    def cut(self) -> None:
        """Reset all connections and refuse new ones until mended."""
        with self._lock:
            self._up = False
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections pass again."""
        with self._lock:
            self._up = True

    def close(self) -> None:
        """Cut the link for good and free the port."""
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                up = self._up
            if not up:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port), timeout=_CONNECT_SECONDS)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK):
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()
