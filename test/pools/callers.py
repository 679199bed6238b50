"""What the applications in Python share: callers that use a pool until the standard input ends.

APPLICATION MODE CALLERS SECONDS SETTING=VALUE...
A call works for so many seconds. Each line of the standard input is a command: report, pause, resume,
or deadline SECONDS, after which a call is canceled (0 is never). The answer to each is a line of JSON:
"done" has the calls that ended well, by caller, and "errors" the others, by name and SQLSTATE.
"""
import collections
import contextlib
import json
import sys
import threading
import time


def number(value):
    try:
        return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        return value


mode, count, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
settings = {name: number(value) for name, value in (pair.split("=", 1) for pair in sys.argv[4:])}
stopping = threading.Event()
paused = threading.Event()
started = time.monotonic()
deadline = 0
done = [0] * count
errors = collections.Counter()
BURST_SECONDS = 3  # of mode burst: all callers, then one


def name_of(error):
    """The class, and the SQLSTATE; a login that is refused has none in libpq, so what it says."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    sqlstate = getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None)
    return f"{type(error).__name__} {sqlstate or ' '.join(str(error).split())[:200]}"


@contextlib.contextmanager
def canceled_by(cancel):
    """What runs inside is canceled at the deadline."""
    timer = threading.Timer(deadline, cancel) if deadline else None
    if timer:
        timer.start()
    try:
        yield
    finally:
        if timer:
            timer.cancel()


def repeat(call, caller):
    while not stopping.is_set():
        if mode == "burst" and caller > 0 and time.monotonic() - started > BURST_SECONDS:
            return
        if paused.is_set():
            time.sleep(0.05)
            continue
        try:
            call()
            done[caller] += 1
        except Exception as error:
            name = name_of(error)
            if not errors[name]:
                print(name, file=sys.stderr)
            errors[name] += 1
            time.sleep(0.1)


def run(call):
    global deadline
    for caller in range(count):
        threading.Thread(target=repeat, args=(call, caller), daemon=True).start()
    for line in sys.stdin:
        command, *argument = line.split()
        if command == "pause":
            paused.set()
        elif command == "resume":
            paused.clear()
        elif command == "deadline":
            deadline = float(argument[0])
        print(json.dumps({"done": done, "errors": errors}), flush=True)
    stopping.set()
