"""Serves the shop: `python -m example_site`, on HOST and PORT from the environment."""

import os

import uvicorn

LOOK = """
  Fjellbua is open.

    {site}/                          the shop, as a stranger sees it
    {site}/?utm_source=newsletter    as somebody who comes by the newsletter sees it
    {site}/login                     be Ingrid, Olav, Liv or Solveig

  Three things to try:

    1. Open the second address. The picture has changed, and no cookie was set.
    2. Say yes to the notice, then log in as Ingrid. She bought a tent.
    3. Change a title in content/heroes/, save, and load the page again.
"""


def main() -> None:
    """Say what to look at, and serve until stopped."""
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    print(LOOK.format(site=f"http://{host}:{port}"), flush=True)
    uvicorn.run("example_site.app:app", host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main()
