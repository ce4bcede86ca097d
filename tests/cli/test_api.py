"""`api`: the API alone, on a port of its own."""

import time

import httpx

from tests.cli.serving import served
from tests.cli.terminal import Terminal


def test_the_api_is_served_alone_and_nothing_else(shop: Terminal) -> None:
    token = shop.run("token", "create", "till", "--scope", "decide").stdout.strip()
    with served(shop.folder, command="api") as alone:
        assert "Serving the API below /_personalize/api/v1 on" in alone.printed
        root, headers = f"{alone.address}/_personalize/api/v1", {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{root}/openapi.json", headers=headers).json()["openapi"] == "3.1.0"
        assert httpx.get(f"{root}/openapi.json").status_code == 401
        assert httpx.get(f"{root}/nothing", headers=headers).json()["code"] == "unknown_path"
        assert httpx.get(f"{alone.address}/").status_code == 404
        shop.well("token", "revoke", "till")
        _until_refused(root, headers)


def _until_refused(root: str, headers: dict[str, str]) -> None:
    """A revoked token is refused within two seconds."""
    until = time.monotonic() + 2
    while httpx.get(f"{root}/openapi.json", headers=headers).status_code == 200:
        assert time.monotonic() < until
        time.sleep(0.05)
