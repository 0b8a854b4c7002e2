"""A folder of sentence-transformers gives the vectors of its own ``encode``.

The layouts are saved by sentence-transformers itself, or are edited to what its older
and newer versions write. It loads each of them as the reference.
"""

import pickle
import shutil
import warnings

import numpy as np
import pytest
import torch
from families.layouts import (
    LAYOUTS,
    SIZE,
    Layout,
    read,
    weighted_layers,
    write,
)
from safetensors.torch import load_file
from sklearn.base import clone

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertVectorizer,
    convert_checkpoint,
)
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert.exceptions import CheckpointError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as st

# Its own warnings, about its own old arguments and files.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def make(save_model, tmp_path_factory):
    """Return a function that saves a layout, and returns its folder."""
    root = tmp_path_factory.mktemp("sentence-transformers")
    special = {"bert": {}, "roberta": {"pad_token_id": 0}, "modernbert": {}}
    encoders = {
        family: st.Transformer(str(save_model(root / family, family, **more)))
        for family, more in special.items()
    }

    def save(layout):
        folder = root / "saved"
        shutil.rmtree(folder, ignore_errors=True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            parts = [
                encoders[layout.family],
                *weighted_layers(layout.layer_weights),
                st.Pooling(SIZE, layout.pooling),
                *(one() for one in layout.modules),
            ]
        whole = SentenceTransformer(modules=parts, device="cpu", **layout.options)
        whole.save(str(folder), create_model_card=False)
        if layout.edit is not None:
            layout.edit(folder)
        return folder

    return save


def encode(folder, texts):
    return SentenceTransformer(str(folder), device="cpu").encode(texts)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_features_are_those_of_encode(make, layout, texts):
    folder = make(layout)
    found = BertVectorizer(folder, normalize="auto").fit(texts)
    expected = encode(folder, texts)
    np.testing.assert_allclose(found.transform(texts), expected, atol=1e-5, rtol=1e-5)
    assert len(found.get_feature_names_out()) == expected.shape[1]


def find(model, texts, **options):
    return BertVectorizer(model, normalize="auto", **options).transform(texts)


@pytest.mark.parametrize(
    "layout",
    [
        LAYOUTS["all kinds"],
        LAYOUTS["Dense with projected residual"],
        LAYOUTS["mean+cls"],
        LAYOUTS["cls+mean"],
        LAYOUTS["weightedmean"],
        LAYOUTS["truncated"],
        LAYOUTS["weighted layers and Dense"],
        LAYOUTS["weighted layers, switched on by an argument"],
        LAYOUTS["weighted layers, not switched on"],
    ],
    ids=[
        "all kinds",
        "residual",
        "mean+cls",
        "cls+mean",
        "weightedmean",
        "truncated",
        "weighted",
        "weighted by an argument",
        "not weighted",
    ],
)
def test_modules_survive_pre_training_and_its_folder(make, layout, texts, tmp_path):
    trained = BertMaskedLM(make(layout), max_steps=1, random_state=0).fit(texts)
    trained.save_pretrained(tmp_path / "trained")
    expected = encode(tmp_path / "trained", texts)
    for model in (trained, tmp_path / "trained", pickle.loads(pickle.dumps(trained))):
        found = find(model, texts)
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["CNN", "LSTM", "WordWeights"])
def test_modules_that_cannot_be_computed_are_refused_by_name(make, texts, name):
    folder = make(Layout())
    before = find(folder, texts, pooling="max")
    listed = read(folder / "modules.json")
    kind = f"sentence_transformers.models.{name}"
    listed.insert(1, {"path": "x", "type": kind})
    write(folder / "modules.json", listed)
    with pytest.raises(CheckpointError, match=rf"Got the module '{kind}'\. Set"):
        BertVectorizer(folder).fit(texts)
    with pytest.raises(CheckpointError, match=name):
        BertClassifier(folder).fit(texts[:4], [0, 1, 0, 1])
    np.testing.assert_array_equal(find(folder, texts, pooling="max"), before)


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_the_declared_pooling_is_not_computed_without_its_modules(make, texts, method):
    folder = make(LAYOUTS["two Dense"])
    vectorizer = BertVectorizer(folder, pooling="mean").fit(texts)
    listed = read(folder / "modules.json")
    listed[-1]["type"] = "sentence_transformers.models.LSTM"
    write(folder / "modules.json", listed)
    vectorizer = clone(vectorizer)
    with pytest.raises(CheckpointError, match=r"LSTM'\. Set pooling to 'cls' or 'max'"):
        getattr(vectorizer, method)(texts)
    for others in ({"pooling": "cls"}, {"layers": 1}):
        getattr(clone(vectorizer).set_params(**others), method)(texts)


def test_a_dense_that_has_only_a_pickle_is_converted(make, texts, tmp_path):
    folder = make(LAYOUTS["two Dense"])
    before = find(folder, texts)
    path = folder / "2_Dense/model.safetensors"
    torch.save(load_file(path), path.with_name("pytorch_model.bin"))
    path.unlink()
    with pytest.raises(CheckpointError, match=r"the Dense in 2_Dense/, ") as caught:
        BertVectorizer(folder).fit(texts)
    assert f"sklearn_bert.convert_checkpoint({str(folder)!r}, f" in str(caught.value)
    convert_checkpoint(folder, tmp_path / "new")
    np.testing.assert_array_equal(find(tmp_path / "new", texts), before)


def test_a_declaration_without_its_unsupported_module_is_not_written(
    make, texts, tmp_path
):
    folder = make(LAYOUTS["two Dense"])
    listed = read(folder / "modules.json")
    listed[-1]["type"] = "sentence_transformers.models.LSTM"
    write(folder / "modules.json", listed)
    trained = BertMaskedLM(folder, max_steps=1, random_state=0).fit(texts)
    trained.save_pretrained(tmp_path / "trained")
    assert not (tmp_path / "trained" / "modules.json").exists()


def test_normalize_and_dimensions_are_those_of_encode(make, texts):
    folder = make(LAYOUTS["all kinds"])
    whole = SentenceTransformer(str(folder), device="cpu")
    for k in (None, 5, 16):
        cut = BertVectorizer(folder, truncate_dim=k, normalize="auto")
        expected = whole.encode(texts, truncate_dim=k)
        np.testing.assert_allclose(cut.transform(texts), expected, atol=1e-5)
        cut.set_params(normalize=True)
        expected = whole.encode(texts, truncate_dim=k, normalize_embeddings=True)
        np.testing.assert_allclose(cut.transform(texts), expected, atol=1e-5)


def test_several_windows_go_through_the_modules_once(make, texts):
    folder = make(LAYOUTS["Dense, Tanh"])
    long = [" ".join(texts[:6]), texts[0]]
    options = {"long_text": "window", "max_length": 16}
    pooled = BertVectorizer(folder, pooling="max", **options).transform(long)
    assert pooled.shape == (2, SIZE)
    mean = BertVectorizer(folder, layers=[-1, -1], **options).transform(long)[:, :SIZE]
    (dense,) = [
        one for one in SentenceTransformer(str(folder)) if hasattr(one, "linear")
    ]
    with torch.inference_mode():
        expected = dense({"sentence_embedding": torch.from_numpy(mean)})
    found = BertVectorizer(folder, **options).transform(long)
    np.testing.assert_allclose(found, expected["sentence_embedding"], atol=1e-5)


@pytest.mark.real
def test_the_default_model_is_that_of_sentence_transformers(texts):
    vectorizer = BertVectorizer(normalize="auto").fit(texts)
    folder = locate(vectorizer.model, None).folder
    np.testing.assert_allclose(
        vectorizer.transform(texts), encode(folder, texts), atol=1e-5
    )
    lengths = np.linalg.norm(vectorizer.transform(texts), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
    assert np.linalg.norm(BertVectorizer().transform(texts), axis=1).max() > 1.1
