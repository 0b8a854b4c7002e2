"""The parameters that search_space finds, and the values it gives them."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    ParameterSampler,
    RandomizedSearchCV,
)
from sklearn.pipeline import FeatureUnion, make_pipeline

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTargetEncoder,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)
from sklearn_bert.model_selection import search_space

SIZES = ["small", "large"]
NUMBERS = np.arange(8.0)
CLASSES = ["a", "b"] * 4


@pytest.fixture(scope="module")
def one_layer(save_model, tmp_path_factory):
    """Folder of a BERT of one layer."""
    folder = tmp_path_factory.mktemp("models") / "one-layer"
    return save_model(folder, num_hidden_layers=1)


@pytest.fixture(scope="module")
def subjects(tiny_bert, one_layer, texts):
    """Return each estimator by name, with samples and targets."""
    some = [text or "the" for text in texts[:8]]
    sentences = [text.split() for text in some]
    tags = [[len(word) % 2 for word in words] for words in sentences]
    whole = BertTargetEncoder(BertClassifier(tiny_bert), cv=2)
    new = BertMaskedLM(n_layers=1, hidden_size=16, n_heads=2, vocab_size=64)
    return {
        "vectorizer": (BertVectorizer(tiny_bert), some, None),
        "vectorizer of one layer": (BertVectorizer(one_layer), some, None),
        "vectorizer, truncated": (
            BertVectorizer(tiny_bert, truncate_dim=3),
            some,
            None,
        ),
        "classifier": (BertClassifier(tiny_bert), some, CLASSES),
        "classifier of several labels": (
            BertClassifier(one_layer),
            some,
            np.eye(8, 2, dtype=int),
        ),
        "regressor": (BertRegressor(one_layer), some, NUMBERS),
        "token classifier": (BertTokenClassifier(tiny_bert), sentences, tags),
        "masked language model": (BertMaskedLM(tiny_bert), some, None),
        "new language model": (new, some, None),
        "tokenizer": (BertTokenizer(vocab_size=64), some, None),
        "target encoder": (whole, some, CLASSES),
    }


def sample(space):
    """Draw eight combinations, or return all of fewer."""
    is_finite = all(isinstance(values, list) for values in space.values())
    if is_finite and len(grid := ParameterGrid(space)) < 8:
        return grid
    return ParameterSampler(space, 8, random_state=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name",
    [
        *("vectorizer", "vectorizer of one layer", "vectorizer, truncated"),
        *("classifier", "classifier of several labels", "regressor"),
        *("token classifier", "target encoder"),
        *("masked language model", "new language model", "tokenizer"),
    ],
)
def test_every_combination_is_valid(subjects, name, size):
    estimator, X, y = subjects[name]
    space = search_space(estimator, size)
    for params in sample(space):
        # As many epochs would only take longer.
        quick = {key: 1 for key in params if key.endswith("n_epochs")}
        one = clone(estimator).set_params(**{**params, **quick})
        if hasattr(one, "transform") and y is None:
            one.fit_transform(X)
        else:
            one.fit(X, y)


def test_all_subjects_are_tested(subjects):
    import sklearn_bert

    estimators = {name for name in sklearn_bert.__all__ if name.startswith("Bert")}
    assert {type(one).__name__ for one, _, _ in subjects.values()} == estimators


def test_a_large_space_contains_the_small_one(subjects):
    for estimator, _, _ in subjects.values():
        assert {*search_space(estimator, "small")} < {*search_space(estimator, "large")}


def test_rates_are_around_that_of_the_estimator(tiny_bert):
    low, high = search_space(BertClassifier(tiny_bert))["learning_rate"].support()
    assert low == pytest.approx(5e-5)
    assert high == pytest.approx(8e-4)
    slow = BertClassifier(tiny_bert, learning_rate=1e-6)
    assert search_space(slow)["learning_rate"].support() == pytest.approx(
        (2.5e-7, 4e-6)
    )


def test_layers_are_those_of_the_model(tiny_bert, one_layer):
    def layers(model):
        return search_space(BertVectorizer(model))["layers"]

    assert layers(tiny_bert) == [-1, -2, (-3, -2, -1)]
    assert layers(one_layer) == [-1, -2, (-1,)]


def test_frozen_layers_remain_frozen(tiny_bert):
    free, embeddings, one, all_layers, encoder = (
        search_space(BertClassifier(tiny_bert, freeze=freeze), "large")
        for freeze in (None, "embeddings", 1, 3, "encoder")
    )
    assert {*free} - {*embeddings} == {*free} - {*one} == {"freeze"}
    # What only changes how the layers are trained has no effect then.
    for space in (all_layers, encoder):
        assert {*free} - {*space} == {"freeze", "layer_decay", "contrastive"}


@pytest.mark.parametrize("kind", [BertVectorizer, BertClassifier, BertRegressor])
def test_the_pooling_of_compared_pairs_is_kept(tiny_bert, kind):
    for size in SIZES:
        space = search_space(kind(tiny_bert, pooling="compare"), size)
        assert {*search_space(kind(tiny_bert), size)} - {*space} <= {"pooling"}
        assert "pooling" not in space


def test_names_are_those_of_the_whole_estimator(tiny_bert):
    columns = ColumnTransformer(
        [
            ("text", make_pipeline("passthrough", BertVectorizer(tiny_bert)), "text"),
            ("number", "passthrough", ["number"]),
        ]
    )
    union = FeatureUnion([("encoder", BertTargetEncoder(BertClassifier(tiny_bert)))])
    whole = GridSearchCV(make_pipeline(columns, union, BertClassifier(tiny_bert)), {})
    space = search_space(whole)
    starts = {name.rpartition("__")[0] for name in space}
    assert starts == {
        "estimator__columntransformer__text__bertvectorizer",
        "estimator__featureunion__encoder__estimator",
        "estimator__bertclassifier",
    }
    clone(whole).set_params(**dict.fromkeys(space))


def test_what_is_frozen_is_not_searched(tiny_bert, texts):
    fitted = BertClassifier(tiny_bert, n_epochs=1).fit(texts[:8], CLASSES)
    for model in (fitted, FrozenEstimator(fitted)):
        vectorizer = BertVectorizer(model)
        assert all("model" not in name for name in search_space(vectorizer))
    whole = make_pipeline(FrozenEstimator(vectorizer), BertClassifier(tiny_bert))
    assert all(name.startswith("bertclassifier") for name in search_space(whole))


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        make_pipeline(LogisticRegression()),
        BertTargetEncoder(),
        BertTokenizer(),
        BertClassifier,
        None,
    ],
    ids=["foreign", "pipeline", "target encoder", "tokenizer", "class", "none"],
)
def test_without_parameters_to_search_it_is_refused(estimator):
    with pytest.raises(ValueError, match="estimator must be or contain an estimator"):
        search_space(estimator)


def test_a_wrong_parameter_is_refused(tiny_bert):
    with pytest.raises(ValueError, match="The 'pooling' parameter"):
        search_space(make_pipeline(BertVectorizer(tiny_bert, pooling="sum")))
    with pytest.raises(ValueError, match="The 'size' parameter"):
        search_space(BertVectorizer(tiny_bert), "medium")


def test_a_random_search_samples_it(tiny_bert, texts):
    pipeline = make_pipeline(BertVectorizer(tiny_bert), LogisticRegression())
    y = [len(text) > 60 for text in texts]
    search = RandomizedSearchCV(
        pipeline, search_space(pipeline), n_iter=6, cv=2, random_state=0
    ).fit(texts, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
