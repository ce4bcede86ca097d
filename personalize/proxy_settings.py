"""The settings of `personalize proxy`: which server it stands before, whom it believes, and how patient it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from personalize.setting_kinds import HOST, NETWORKS, UPSTREAM, number, of_kind, whole


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """Which server `personalize proxy` stands before, and how patient it is."""

    upstream: str | None = field(
        default=None, metadata=of_kind(UPSTREAM, "The server that `personalize proxy` stands before.")
    )
    upstream_host: str | None = field(
        default=None, metadata=of_kind(HOST, "The host that it is asked for; else the one that the visitor asked for.")
    )
    trusted: tuple[str, ...] = field(
        default=("127.0.0.1", "::1"),
        metadata=of_kind(NETWORKS, "Servers in front whose word on the visitor's address is believed."),
    )
    connections: int = field(default=100, metadata=of_kind(whole(1, 10_000), "Connections to it, at most; a worker."))
    connect_seconds: float = field(
        default=5.0, metadata=of_kind(number(0.1, 600), "How long connecting, or waiting for a connection, may take.")
    )
    idle_seconds: float = field(
        default=60.0, metadata=of_kind(number(0.1, 86_400), "Silence of the server or the visitor that ends a request.")
    )
