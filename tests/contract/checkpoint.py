"""A checkpoint that estimators can name before it is there.

``parametrize_with_checks`` wants its estimators while the tests are collected, and
their names should not change from run to run, as the folder's does.
"""

import os

# One word for each interval of each column of numbers, see shim.py.
N_COLUMNS, N_INTERVALS = 32, 16
ROW_WORDS = [f"f{i}v{j}" for i in range(N_COLUMNS) for j in range(N_INTERVALS)]

_FOLDERS = {}


class Checkpoint(os.PathLike):
    """The path of a folder that a fixture fills; all copies are one path."""

    def fill(self, folder):
        _FOLDERS["contract"] = folder

    def __fspath__(self):
        return str(_FOLDERS["contract"])

    def __repr__(self):
        return "CHECKPOINT"

    def __eq__(self, other):
        return isinstance(other, Checkpoint)

    def __hash__(self):
        return hash(Checkpoint)


CHECKPOINT = Checkpoint()
