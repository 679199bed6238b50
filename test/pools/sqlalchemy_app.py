"""An application with SQLAlchemy's QueuePool; t/062_real_pools.pl starts it.

sqlalchemy_app.py MODE CALLERS SECONDS SETTING=VALUE...
where the settings are those of create_engine(), as client_config('sqlalchemy') prints them. Each
caller takes a connection, works for so many seconds in a transaction, and returns it, until the
standard input ends. Modes: work; leak (takes connections and keeps them); lock (each caller holds
a connection and asks for another); connect (no pool).
"""
import sys
import threading
import time

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

mode, callers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
options = {name: int(value) for name, value in (pair.split("=") for pair in sys.argv[4:])}
if mode == "connect":
    options = {"poolclass": NullPool}
engine = create_engine("postgresql+psycopg2://", **options)
kept = []
stopping = threading.Event()


def work(connection):
    with connection.begin():
        connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


def work_with_two(connection):
    with connection.begin():
        connection.execute(text("SELECT 1"))
        time.sleep(1)  # all callers have one by then
        with engine.connect() as other:
            work(other)


def leak(connection):
    work(connection)
    kept.append(connection)


def call():
    while not stopping.is_set():
        try:
            connection = engine.connect()
            if mode == "leak":
                leak(connection)
                time.sleep(0.3)
                continue
            with connection:
                (work_with_two if mode == "lock" else work)(connection)
            if mode == "connect":
                time.sleep(0.1)
        except Exception as error:  # as a pool that is used up
            print(error, file=sys.stderr)
            time.sleep(0.1)


for _ in range(callers):
    threading.Thread(target=call, daemon=True).start()
sys.stdin.read()
stopping.set()
