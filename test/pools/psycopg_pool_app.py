"""An application with psycopg_pool, as Django has it; callers.py says how it is called.

The settings are those of ConnectionPool, as client_config('psycopg_pool') prints them. Modes: work;
transfer (two rows of the table entry that must both be there, or none); burst; lock (each caller
holds a connection and asks for another).
"""
import time

from psycopg_pool import ConnectionPool

from callers import canceled_by, mode, run, seconds, settings

pool = ConnectionPool("", **settings)


def work(connection):
    connection.execute("SELECT pg_sleep(%s)", (seconds,))


def transfer(connection):
    with canceled_by(connection.cancel):
        connection.execute("INSERT INTO entry (amount) VALUES (%s)", (-1,))
        work(connection)
        connection.execute("INSERT INTO entry (amount) VALUES (%s)", (1,))


def work_with_two(connection):
    connection.execute("SELECT 1")
    time.sleep(1)  # all callers have one by then
    with pool.connection() as other:
        work(other)


def call():
    with pool.connection() as connection:
        {"lock": work_with_two, "transfer": transfer}.get(mode, work)(connection)


run(call)
