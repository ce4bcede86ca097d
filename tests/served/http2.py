"""One request over HTTP/2 with everything that comes back: clients made for people leave hints and trailers out."""

import socket
import ssl
from urllib.parse import urlsplit

import h2.connection
import h2.events

LONGEST_WAIT_SECONDS = 20


def received(address: str, path: str, trust: ssl.SSLContext | None = None) -> list[tuple[str, object]]:
    """What a server sends, in order: `hint`, `head` and `trailers` with their headers, and the `body` as text."""
    host, port = urlsplit(address).hostname, urlsplit(address).port
    assert host is not None
    with socket.create_connection((host, port), timeout=LONGEST_WAIT_SECONDS) as plain:
        if trust is None:
            return _exchange(plain, "http", path)
        trust.set_alpn_protocols(["h2"])
        with trust.wrap_socket(plain, server_hostname=host) as secure:
            return _exchange(secure, "https", path)


def _exchange(sock: socket.socket, scheme: str, path: str) -> list[tuple[str, object]]:
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    request = {":method": "GET", ":path": path, ":scheme": scheme, ":authority": "shop.example", "te": "trailers"}
    connection.send_headers(1, list(request.items()), end_stream=True)
    found: list[tuple[str, object]] = []
    body = b""
    while True:
        sock.sendall(connection.data_to_send())
        for event in connection.receive_data(sock.recv(65_536)):
            match event:
                case h2.events.InformationalResponseReceived():
                    found.append(("hint", _named(event.headers)))
                case h2.events.ResponseReceived():
                    found.append(("head", _named(event.headers)))
                case h2.events.DataReceived():
                    body += event.data or b""
                case h2.events.TrailersReceived():
                    found.append(("trailers", _named(event.headers)))
                case h2.events.StreamEnded():
                    return [*found, ("body", body.decode())]
                case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                    raise AssertionError(f"the server broke off: {event}")


def _named(headers: list[tuple[bytes, bytes]] | None) -> dict[str, str]:
    return {bytes(name).decode(): bytes(value).decode() for name, value in headers or ()}
