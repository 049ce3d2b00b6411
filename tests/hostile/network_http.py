# tries: to fetch the answers with the standard library
# stopped by: seccomp (no socket), Landlock (no connect), network namespace
# starts as: nothing
# loses: everything
import asyncio
import http.client
import urllib.request


async def fetch():
    reader, _ = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", PORT), 1)
    return (await asyncio.wait_for(reader.read(1 << 20), 1)).decode()


for way in (
    lambda: urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=1).read().decode(),
    lambda: http.client.HTTPConnection("127.0.0.1", PORT, timeout=1).request("GET", "/") or HONEST,
    lambda: asyncio.run(fetch()),
):
    try:
        win(way())
    except (OSError, http.client.HTTPException, asyncio.TimeoutError):
        pass
