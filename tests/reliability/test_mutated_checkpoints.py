"""Damaged folders of checkpoints are refused by what was fitted with the whole one.

A fitted estimator knows the checksums of the files: it refuses a changed folder, or its
features are the same. A new estimator has none to compare with, and weights that are
numbers cannot be told from others: it refuses what is no encoder, or gives finite
features of the usual shape.
"""

import json
import pickle
import shutil

import numpy as np

from reliability.mutations import BYTES, change_json
from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import CheckpointError, NonFiniteError

TEXTS = ["a good film", "the bad plot", ""]


def edit_bytes(folder, random):
    path = choose(folder, random)
    data = bytearray(path.read_bytes())
    BYTES[random.randint(len(BYTES))](data, random)
    path.write_bytes(data)


def edit_json(folder, random):
    path = choose(folder, random, "*.json")
    content = [json.loads(path.read_text())]
    change_json(content, random)
    path.write_text(json.dumps(content[0]) if content else "")


def edit_weights(folder, random):
    """Change a number, which is the only damage that no check of a format can find."""
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    data[random.randint(start, len(data))] ^= 1 << random.randint(8)
    path.write_bytes(data)


def remove(folder, random):
    choose(folder, random).unlink()


def exchange(folder, random):
    one, other = choose(folder, random), choose(folder, random)
    contents = one.read_bytes(), other.read_bytes()
    other.write_bytes(contents[0])
    one.write_bytes(contents[1])


def add(folder, random):
    """Add a file that is read if it is there."""
    names = ("added_tokens.json", "modules.json", "sentence_bert_config.json")
    content = [{"a": [1, {"b": 2}]}, {"max_seq_length": 5}, [1]][random.randint(3)]
    (folder / names[random.randint(len(names))]).write_text(json.dumps(content))


def choose(folder, random, pattern="*"):
    paths = sorted(folder.glob(pattern))
    return paths[random.randint(len(paths))]


DAMAGES = (edit_bytes, edit_json, edit_json, edit_weights, remove, exchange, add)


def outcome(vectorizer):
    """Return features, or None if the checkpoint is refused."""
    try:
        return vectorizer.transform(TEXTS)
    except (CheckpointError, NonFiniteError):
        return None


def test_no_damage_of_a_checkpoint_changes_fitted_features(tiny_bert, tmp_path, tally):
    random = np.random.RandomState(0)
    place = tmp_path / "place"
    shutil.copytree(tiny_bert, place)
    fitted = BertVectorizer(str(place)).fit(TEXTS)
    expected, state = fitted.transform(TEXTS), pickle.dumps(fitted)
    n, n_refused, n_features = tally.count(ci=70, soak=700), 0, 0
    for k in range(n):
        place.rename(tmp_path / str(k))
        shutil.copytree(tiny_bert, place)
        DAMAGES[k % len(DAMAGES)](place, random)
        with tally.case("folder of a checkpoint changed, after fit"):
            found = outcome(pickle.loads(state))
            n_refused += found is None
            assert found is None or np.array_equal(found, expected)
        with tally.case("folder of a checkpoint changed, before fit"):
            found = outcome(BertVectorizer(str(place)))
            n_features += found is not None
            assert found is None or found.shape == expected.shape
            assert found is None or np.isfinite(found).all()
    # All but those that change nothing, such as a file that is exchanged for itself.
    assert n_refused > 0.8 * n
    assert n_features > 0.1 * n
