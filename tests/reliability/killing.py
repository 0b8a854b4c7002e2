"""Call a method that saves in children that are killed, and print what they leave.

For each child: how it ended, what it left, the error of the next call, if any, and what
that left.
"""

import builtins
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path

import joblib

AUDITED = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir")


def main(estimator, method, root, name, moments):
    """Kill a child at each step, and others at random moments.

    Parameters
    ----------
    estimator : str
        A pickle of a fitted estimator.
    method : str
        What is called with a path.
    root : str
        A folder with a folder "before", in which the path may exist.
    name : str
        Of what is saved.
    moments : int
        How many children are killed at a random moment.
    """
    save = getattr(joblib.load(estimator), method)
    root = Path(root)
    place = root / "place"

    def attempt(kill, when):
        shutil.copytree(root / "before", place)
        status = kill(lambda: save(place / name), when)
        found = [status, digests_of(place), *try_again(save, place, name)]
        shutil.rmtree(place)
        return found

    # The first call imports.
    save(root / "warm-up")
    start = time.perf_counter()
    attempt(wait_for, None)
    longest = time.perf_counter() - start
    whens = random.Random(0).choices(range(1000), k=moments)
    killed = [attempt(kill_after, longest * when / 1000) for when in whens]
    at_steps = []
    while not at_steps or at_steps[-1][0] != 0:
        at_steps.append(attempt(partial(kill_at, str(place)), len(at_steps) + 1))
    print(json.dumps([at_steps, killed]))


def try_again(save, place, name):
    """Return the error of another call, if any, and what is there after it."""
    try:
        save(place / name)
    except ValueError as error:
        return str(error), digests_of(place)
    return None, digests_of(place)


def fork(run):
    """Return the id of a child that runs something."""
    pid = os.fork()
    if pid:
        return pid
    try:
        run()
    # The child must not continue with the code of its parent.
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def wait_for(run, _):
    return os.waitpid(fork(run), 0)[1]


def kill_after(run, seconds):
    """Kill a child from outside."""
    pid = fork(run)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def kill_at(place, run, fatal):
    """Let a child kill itself at the step of a number, counted from 1."""

    def run_until():
        count_steps(fatal, place)
        run()

    return wait_for(run_until, None)


def count_steps(fatal, place):
    """Kill this process at an opening, a writing, a syncing or a renaming."""
    count = 0

    def step():
        nonlocal count
        count += 1
        if count == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event, args):
        if event in AUDITED and place in str(args[0]):
            step()

    class Torn:
        """A file of which half of what is written may be all."""

        def __init__(self, file):
            self._file = file

        def write(self, data):
            half = len(data) // 2
            for part in (data[:half], data[half:]):
                self._file.write(part)
                self._file.flush()
                step()
            return len(data)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self._file.close()

        def __getattr__(self, name):
            return getattr(self._file, name)

    def tear(function):
        def replaced(path, mode="r", *args, **options):
            file = function(path, mode, *args, **options)
            is_torn = set(mode) & set("wx") and "b" in mode and place in str(path)
            return Torn(file) if is_torn else file

        return replaced

    def surround(function):
        def replaced(*args, **options):
            step()
            function(*args, **options)
            step()

        return replaced

    sys.addaudithook(audit)
    builtins.open = tear(builtins.open)
    os.fsync = surround(os.fsync)
    os.replace = surround(os.replace)


def digests_of(folder):
    """Return the SHA-256 of each file by its relative path; None for a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        if path.is_file()
        else None
        for path in sorted(folder.rglob("*"))
    }


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
