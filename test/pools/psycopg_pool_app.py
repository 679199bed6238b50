"""An application with psycopg_pool, as Django has it; t/062_real_pools.pl starts it.

psycopg_pool_app.py MODE CALLERS SECONDS SETTING=VALUE...
where the settings are those of ConnectionPool, as client_config('django') prints them. Modes: work;
burst (all callers for three seconds, then one); lock (each caller holds a connection and asks for
another).
"""
import sys
import threading
import time

from psycopg_pool import ConnectionPool

mode, callers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
options = {name: float(value) for name, value in (pair.split("=") for pair in sys.argv[4:])}
options = {name: int(value) if name.endswith("_size") else value for name, value in options.items()}
pool = ConnectionPool("", **options)
stopping = threading.Event()
started = time.monotonic()


def work(connection):
    connection.execute("SELECT pg_sleep(%s)", (seconds,))


def call(number):
    while not stopping.is_set():
        if mode == "burst" and number > 0 and time.monotonic() - started > 3:
            return
        try:
            with pool.connection() as connection:
                if mode == "lock":
                    connection.execute("SELECT 1")
                    time.sleep(1)
                    with pool.connection() as other:
                        work(other)
                else:
                    work(connection)
        except Exception as error:
            print(error, file=sys.stderr)
            time.sleep(0.1)


for n in range(callers):
    threading.Thread(target=call, args=(n,), daemon=True).start()
sys.stdin.read()
stopping.set()
