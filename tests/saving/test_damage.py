"""Damaged files are refused, or give the predictions of the undamaged file."""

import numpy as np
import pytest

from sklearn_bert import load
from sklearn_bert.exceptions import SavedFileError

N_MUTATIONS = 200


def flip(data, random):
    data[random.randint(len(data))] ^= 1 << random.randint(8)


def flip_in_header(data, random):
    length = int.from_bytes(data[:8], "little")
    data[random.randint(8 + length)] ^= 1 << random.randint(8)


def truncate(data, random):
    del data[random.randint(len(data)) :]


def clear(data, random):
    start = random.randint(len(data))
    stop = start + random.randint(1, 4096)
    data[start:stop] = bytes(len(data[start:stop]))


def insert(data, random):
    place = random.randint(len(data))
    data[place:place] = random.bytes(random.randint(1, 64))


def swap(data, random):
    size = random.randint(1, min(4096, len(data)))
    first, second = random.randint(len(data) - size, size=2)
    parts = data[first : first + size], data[second : second + size]
    data[first : first + size], data[second : second + size] = parts[1], parts[0]


DAMAGES = [flip, flip_in_header, truncate, clear, insert, swap]


@pytest.mark.parametrize(
    "name", ["classes of texts", "a new model", "counts of a learned vocabulary"]
)
def test_no_damage_changes_predictions_silently(name, case, tmp_path):
    one, random = case(name), np.random.RandomState(0)
    path = tmp_path / "file"
    one.estimator.save(path)
    whole, expected, n_refused = path.read_bytes(), one.answers(), 0
    for k in range(N_MUTATIONS):
        data = bytearray(whole)
        DAMAGES[k % len(DAMAGES)](data, random)
        path.write_bytes(data)
        try:
            loaded = load(path)
        except SavedFileError:
            n_refused += 1
            continue
        assert one.answers(loaded) == expected
    # A few change nothing, such as zeros that become zeros.
    assert n_refused > 0.9 * N_MUTATIONS
