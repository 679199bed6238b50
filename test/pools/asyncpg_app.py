"""An application with asyncpg's pool; callers.py says how it is called.

The settings are those of create_pool(), and timeout of acquire(), as client_config('asyncpg') prints
them. Modes: work; transfer (two rows of the table entry that must both be there, or none); burst.
"""
import asyncio
import os
import threading

import asyncpg

import callers
from callers import mode, run, seconds, settings

wait = settings.pop("timeout", None)
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


async def open_pool():
    return await asyncpg.create_pool(server_settings={"application_name": os.environ["PGAPPNAME"]}, **settings)


pool = None


async def work(connection):
    await connection.execute("SELECT pg_sleep($1)", seconds)


async def transfer(connection):
    limit = callers.deadline or None
    async with connection.transaction():
        await connection.execute("INSERT INTO entry (amount) VALUES ($1)", -1, timeout=limit)
        await work(connection)
        await connection.execute("INSERT INTO entry (amount) VALUES ($1)", 1, timeout=limit)


async def work_with_one():
    async with pool.acquire(timeout=wait) as connection:
        await (transfer if mode == "transfer" else work)(connection)


def call():
    asyncio.run_coroutine_threadsafe(work_with_one(), loop).result()


pool = asyncio.run_coroutine_threadsafe(open_pool(), loop).result()
run(call)
