"""An application with Django under gunicorn; callers.py says how it is called.

The settings are threads of gunicorn and those of DATABASES, as client_config('django_persistent')
prints them. A call is a request. Modes: work; transfer (two rows of the table entry that must both
be there, or none).
"""
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import django
from django.conf import settings as django_settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpResponse
from django.urls import path

from callers import mode, name_of, run, seconds, settings

database = {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"]}
database.update({name: value == "True" if name == "CONN_HEALTH_CHECKS" else value
                 for name, value in settings.items() if name != "threads"})
PR_SET_PDEATHSIG = 1


def work(cursor):
    cursor.execute("SELECT pg_sleep(%s)", [seconds])


def transfer(cursor):
    with transaction.atomic():
        cursor.execute("INSERT INTO entry (amount) VALUES (%s)", [-1])
        work(cursor)
        cursor.execute("INSERT INTO entry (amount) VALUES (%s)", [1])


def answer(request):
    try:
        with connection.cursor() as cursor:
            (transfer if mode == "transfer" else work)(cursor)
    except Exception as error:
        return HttpResponse(name_of(error), status=500)
    return HttpResponse("done")


urlpatterns = [path("", answer)]
django_settings.configure(DATABASES={"default": database}, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="none")
django.setup()
application = get_wsgi_application()


class Server(http.client.HTTPConnection):
    def __init__(self, where):
        super().__init__("localhost")
        self.where = where

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.where)


class Failed(Exception):
    pass


def serve(where):
    """gunicorn, which ends with us."""
    here = os.path.dirname(__file__)
    starter = ("import sys; ours = sys.argv[1:]; n = ours.index('--'); "
               "sys.argv = ['gunicorn'] + ours[:n]; "
               "from gunicorn.app.wsgiapp import WSGIApplication; app = WSGIApplication(); "
               "sys.argv = ['django_app.py'] + ours[n + 1:]; app.run()")
    subprocess.Popen(
        [sys.executable, "-c", starter, "--chdir", here, "--worker-class", "gthread", "--threads", str(settings["threads"]),
         "--bind", "unix:" + where, "--timeout", "0", "--log-level", "error", "django_app:application", "--"] + sys.argv[1:],
        stdin=subprocess.DEVNULL, preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM))


def call():
    server = Server(where)
    server.request("GET", "/")
    reply = server.getresponse()
    said = reply.read().decode()
    server.close()
    if reply.status != 200:
        raise Failed(said)


if __name__ == "__main__":
    where = tempfile.mkdtemp() + "/gunicorn"
    serve(where)
    while not os.path.exists(where):
        time.sleep(0.1)
    run(call)
