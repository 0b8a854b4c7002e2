"""Save on a disk that is almost full, and print what happens.

For each level of free space: the error, if any, and what is there.
"""

import json
import os
import sys
from pathlib import Path

import joblib

from reliability.killing import digests_of

_BLOCK = 4096


def main(estimator, folder, method, name, n_levels):
    """Fill a disk up to some levels.

    Parameters
    ----------
    estimator : str
        A pickle of a fitted estimator.
    folder : str
        An empty disk.
    method : str
        What is called with a path.
    name : str
        Of what is saved.
    n_levels : int
        The first leaves no space, and the last almost enough.
    """
    save = getattr(joblib.load(estimator), method)
    folder, filler = Path(folder), Path(folder) / "filler"
    save(folder / name)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found = []
    for level in range(int(n_levels)):
        fill(filler, size * level // n_levels)
        try:
            save(folder / name)
        # The test checks which one.
        except Exception as error:
            outcome = [type(error).__name__, str(error)]
        else:
            outcome = None
        filler.unlink()
        found.append([outcome, digests_of(folder)])
    print(json.dumps(found))


def fill(path, free):
    """Fill a disk with a file except for a number of bytes, in whole blocks."""
    disk = os.statvfs(path.parent)
    n_blocks = disk.f_bavail * disk.f_frsize // _BLOCK - free // _BLOCK
    with open(path, "wb") as file:
        for _ in range(n_blocks):
            file.write(bytes(_BLOCK))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
