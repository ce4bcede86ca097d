"""Tills that send at a rate of their own, however slowly they are answered: a process beside the one under test.

`python -m tests.trust.flood PORT TOKEN RATE SECONDS CONNECTIONS`: sends so many events a second, and says at the end,
in JSON, how many were answered with each status, how many of the refusals say when to come again, and how many could
not even be sent, as all connections were waiting.
"""

import asyncio
import json
import sys
from collections import Counter
from itertools import count


def request(token: str, number: int) -> bytes:
    """One event, as bytes."""
    event = {"id": f"f{number}", "type": "purchase", "visitor": f"u:{number % 50}", "properties": {"amount": 1}}
    body = json.dumps(event).encode()
    head = (
        "POST /_personalize/api/v1/events HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Flood:
    """What is sent, and what became of it."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._numbers = count()
        self._due: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        self.told: Counter[str] = Counter()

    async def send(self, rate: float, seconds: float, connections: int) -> None:
        """Send at this rate; what finds every connection busy is left out and counted."""
        async with asyncio.TaskGroup() as group:
            tills = [group.create_task(self._till()) for _ in range(connections)]
            loop = asyncio.get_running_loop()
            began = loop.time()
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
                if self._due.full():
                    self.told["left out"] += 1
                else:
                    self._due.put_nowait(number)
            await asyncio.sleep(1)
            for till in tills:
                till.cancel()

    async def _till(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                while True:
                    number = await self._due.get()
                    writer.write(request(self._token, number))
                    await self._answer(reader)
            except (OSError, asyncio.IncompleteReadError):
                self.told["broken off"] += 1
                await asyncio.sleep(0.01)

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        status = head[9:12].decode()
        self.told[status] += 1
        if status in ("429", "503"):
            self.told["told when to come again"] += b"\r\nretry-after:" in head


if __name__ == "__main__":
    port, token, rate, seconds, connections = sys.argv[1:]
    flood = Flood(int(port), token)
    asyncio.run(flood.send(float(rate), float(seconds), int(connections)))
    print(json.dumps(flood.told))
