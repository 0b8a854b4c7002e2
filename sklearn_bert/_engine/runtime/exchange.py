"""The exchange of two folders, which Python has no function for."""

import ctypes
import errno
import os
import sys
from pathlib import Path

# The functions of the system that exchange two names, and the flag that asks for it.
_FUNCTIONS = {"linux": ("renameat2", 2), "darwin": ("renameatx_np", 2)}
# Paths are relative to the working directory.
_WORKING_DIRECTORY = {"linux": -100, "darwin": -2}


def exchange(first: Path, second: Path) -> None:
    """Exchange two files or folders of one file system atomically.

    Parameters
    ----------
    first, second : pathlib.Path

    Raises
    ------
    OSError
        If they cannot be exchanged, or the system cannot do it.
    """
    name, flag = _FUNCTIONS.get(sys.platform, ("", 0))
    rename = getattr(ctypes.CDLL(None, use_errno=True), name, None) if name else None
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    here = ctypes.c_int(_WORKING_DIRECTORY[sys.platform])
    paths = (os.fsencode(first), os.fsencode(second))
    if rename(here, paths[0], here, paths[1], ctypes.c_uint(flag)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(first), None, str(second))
