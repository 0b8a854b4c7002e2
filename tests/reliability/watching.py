"""Load artefacts of others in children, and print what the children did.

For each artefact: how it ended, what was found, in seconds, and every event that
loading data must not cause, such as an opened socket. The audit hooks of Python do not
see what the compiled parts of other packages open; the results show what those read.
"""

import json
import os
import resource
import select
import signal
import sys
import sysconfig
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from sklearn_bert import BertVectorizer, load

TEXTS = ["a good film", "the bad plot", "a" * 5000, "it [SEP] was"]
MOST_SECONDS = 60
# Beyond what the process has when a child starts.
MOST_MEMORY = 4 * 2**30
_FORBIDDEN = (
    "ctypes.dlopen",
    "ftplib.",
    "http.",
    "os.chmod",
    "os.exec",
    "os.fork",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.spawn",
    "os.startfile",
    "os.symlink",
    "os.system",
    "os.truncate",
    "pickle.find_class",
    "pty.spawn",
    "shutil.",
    "socket.",
    "subprocess.",
    "urllib.",
    "webbrowser.",
)
_ON_FILES = ("open", "os.mkdir", "os.remove", "os.rmdir", "shutil.")
# Their last argument is the descriptor of a folder, or -1.
_RELATIVE = ("os.mkdir", "os.remove", "os.rmdir")
# What Python itself and the system's libraries read.
_SYSTEM = ("/dev/null", "/dev/urandom", "/proc/", "/sys/")


def main(folders, files):
    """Load each artefact.

    Parameters
    ----------
    folders, files : list of str
        Checkpoints and saved estimators. The first of each is harmless, and is also
        loaded here, so that all modules are imported.
    """
    warnings.simplefilter("ignore")
    open_folder(folders[0])
    open_file(files[0])
    found = [
        [watch(open_folder, x) for x in folders],
        [watch(open_file, x) for x in files],
    ]
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(spent.ru_utime, spent.ru_stime, file=sys.stderr)
    print(json.dumps(found))


def open_folder(folder):
    return BertVectorizer(folder).fit(TEXTS).transform(TEXTS)


def open_file(file):
    estimator = load(file)
    method = "predict_proba" if hasattr(estimator, "predict_proba") else "transform"
    return getattr(estimator, method)(TEXTS)


def watch(function, place):
    """Call a function in a child, and return what it did."""
    reader, writer = os.pipe()
    start = time.perf_counter()
    pid = os.fork()
    if not pid:
        os.close(reader)
        send(writer, function, place)
    os.close(writer)
    with open(reader, "rb") as pipe:
        is_ready, _, _ = select.select([pipe], [], [], MOST_SECONDS)
        if not is_ready:
            os.kill(pid, signal.SIGKILL)
        sent = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    seconds = time.perf_counter() - start
    found = json.loads(sent) if sent else {"ended": f"killed ({status})", "events": []}
    return found | {"seconds": seconds}


def send(writer, function, place):
    """Run in the child: write what happens to a pipe, and end."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    events, names = [], {*sys.modules}
    sys.addaudithook(make_hook(place, events))
    try:
        answer = np.asarray(function(place))
        ended, values = "answer", np.round(answer, 4).tolist()
    # However it ends, the events are reported; panics are no exceptions.
    except BaseException as error:
        ended, values = type(error).__name__, str(error)
    for name in {*sys.modules} - names:
        source = getattr(sys.modules[name], "__file__", None) or ""
        if source.startswith(str(Path(place).parent)):
            events.append(f"import {name}")
    found = {"ended": ended, "values": values, "events": events}
    os.write(writer, json.dumps(found).encode())
    os._exit(0)


def make_hook(place, events):
    """Return an audit hook that forbids and lists what loading data must not do."""
    roots = [place, sys.prefix, sys.base_prefix, *sys.path, *_SYSTEM]
    roots += sysconfig.get_paths().values()
    allowed = tuple({str(Path(x)) for x in roots if x} - {"/", "."})

    temporary = tempfile.gettempdir()

    def is_forbidden(event, args):
        if not args or not isinstance(args[0], str | bytes | os.PathLike):
            # Descriptors of open files, and libraries that are already loaded.
            return event.startswith(_FORBIDDEN) and event != "ctypes.dlopen"
        place = find_place(event, args)
        # Verified copies of the files of a tokenizer, which are removed again.
        if event.startswith(_ON_FILES) and place.startswith(temporary):
            return False
        if event != "open":
            return event.startswith(_FORBIDDEN)
        is_written = args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return bool(is_written) or not place.startswith(allowed)

    def hook(event, args):
        if is_forbidden(event, args):
            events.append(f"{event} {str(args)[:200]}")
            raise PermissionError(f"{event} is forbidden here")

    return hook


def find_place(event, args):
    """Return the absolute path of an event, which may be relative to a descriptor."""
    path = os.fsdecode(args[0])
    descriptor = args[-1] if event in _RELATIVE else -1
    if descriptor != -1:
        path = os.path.join(os.readlink(f"/proc/self/fd/{descriptor}"), path)
    elif event == "open" and os.sep not in path:
        # In a folder that is being removed; the event does not say which.
        path = os.path.join(tempfile.gettempdir(), path)
    return os.path.abspath(path)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
