"""An application with SQLAlchemy's QueuePool and psycopg2; callers.py says how it is called.

The settings are those of create_engine(), as client_config('sqlalchemy') prints them. Modes: work;
transfer (two rows of the table entry that must both be there, or none); leak (takes connections and
keeps them); lock (each caller holds a connection and asks for another); connect (no pool).
"""
import time

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from callers import canceled_by, mode, run, seconds, settings

engine = create_engine("postgresql+psycopg2://", **({"poolclass": NullPool} if mode == "connect" else settings))
kept = []


def sleep(connection):
    connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


def work(connection):
    with connection.begin():
        sleep(connection)


def transfer(connection):
    with canceled_by(connection.connection.dbapi_connection.cancel), connection.begin():
        connection.execute(text("INSERT INTO entry (amount) VALUES (:amount)"), {"amount": -1})
        sleep(connection)
        connection.execute(text("INSERT INTO entry (amount) VALUES (:amount)"), {"amount": 1})


def work_with_two(connection):
    with connection.begin():
        connection.execute(text("SELECT 1"))
        time.sleep(1)  # all callers have one by then
        with engine.connect() as other:
            work(other)


def call():
    connection = engine.connect()
    if mode == "leak":
        work(connection)
        kept.append(connection)
        time.sleep(0.3)
        return
    with connection:
        {"lock": work_with_two, "transfer": transfer}.get(mode, work)(connection)
    if mode == "connect":
        time.sleep(0.1)


run(call)
