"""The shop as a whole."""

from pathlib import Path

import httpx

from tests.desk import KEY
from tests.served.server import served


def test_the_shop_opens_again_with_the_store_that_it_has(tmp_path: Path) -> None:
    environment = {"PERSONALIZE_STORE": f"sqlite:{tmp_path / 'shop.db'}", "PERSONALIZE_SECRET_KEYS": KEY}
    for _ in range(2):
        with served(tmp_path, app="example_site.app:app", **environment) as address:
            assert httpx.get(address).status_code == 200
