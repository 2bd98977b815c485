"""Asks as any program does: with the library named first, knowing nothing of a proxy."""
import os, sys

library, url = sys.argv[1:]
headers = {"Authorization": "Bearer " + os.environ["TOKEN"]}
if library == "urllib":
    import urllib.request
    print(urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read().decode())
elif library == "requests":
    import requests
    print(requests.get(url, headers=headers).text)
elif library == "httpx":
    import httpx
    print(httpx.get(url, headers=headers).text)
elif library == "aiohttp":
    import aiohttp, asyncio

    async def main():
        async with aiohttp.ClientSession(trust_env=True) as session:
            async with session.get(url, headers=headers) as answer:
                print(await answer.text())

    asyncio.run(main())
