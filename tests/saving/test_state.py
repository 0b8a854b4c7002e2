"""What cannot be saved is refused by name, and forged content is refused."""

import copy

import numpy as np
import pytest
from sklearn.model_selection import KFold

from saving.cases import QUICK, TEXTS
from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertTargetEncoder,
    BertVectorizer,
    metrics,
)
from sklearn_bert._saving.state import InvalidContentError, read_state, write_state
from sklearn_bert.exceptions import SavedFileError

CLASSES = {
    x.__name__: x
    for x in (BertClassifier, BertMaskedLM, BertTargetEncoder, BertVectorizer)
}


class Subclass(BertVectorizer):
    """An estimator of a user."""


def write(estimator):
    return write_state(estimator, in_bfloat16=False)


@pytest.mark.parametrize(
    "params",
    [
        {"callbacks": [print]},
        {"scoring": lambda estimator, X, y: 1.0},
        {"callbacks": {print}},
    ],
)
def test_functions_are_refused_with_the_remedy(case, params):
    estimator = copy.copy(case("classes of texts").estimator).set_params(**params)
    (name,) = params
    with pytest.raises(SavedFileError, match=rf"Got {name}=.*set_params\({name}=None"):
        write(estimator)
    write(estimator.set_params(**{name: None}))


def test_functions_that_split_words_are_refused(case):
    tagger = copy.copy(case("tags").estimator).set_params(word_tokenizer=str.split)
    with pytest.raises(SavedFileError, match=r"Got word_tokenizer=.*set_params"):
        write(tagger)


def test_scorers_are_refused(case):
    scoring = pytest.importorskip("seqeval") and metrics.entity_f1_scorer
    tagger = copy.copy(case("tags").estimator).set_params(scoring=scoring)
    with pytest.raises(SavedFileError, match=r"Got scoring=.*set_params\(scoring=None"):
        write(tagger)


def test_subclasses_are_refused():
    with pytest.raises(SavedFileError, match="Only the estimators of sklearn_bert"):
        write(Subclass("nowhere"))
    fake = type("BertVectorizer", (BertVectorizer,), {"__module__": "__main__"})
    with pytest.raises(SavedFileError, match="Only the estimators of sklearn_bert"):
        write(fake("nowhere"))


def test_attributes_of_the_user_are_refused():
    vectorizer = BertVectorizer("nowhere")
    vectorizer.note = "mine"
    with pytest.raises(SavedFileError, match=r"an attribute 'note'.*Delete"):
        write(vectorizer)


def test_a_model_that_is_not_fitted_is_saved_with_its_owner(tiny_bert):
    model = BertClassifier(tiny_bert, random_state=0)
    content, tensors = write(BertVectorizer(model))
    loaded = read_state(content, tensors, CLASSES)
    assert str(loaded.get_params()) == str(BertVectorizer(model).get_params())


@pytest.fixture
def written(case):
    content, tensors = write(case("classes of texts").estimator)
    return copy.deepcopy(content), tensors


def set_at(content, path, value):
    *names, last = path.split("/")
    for name in names:
        content = content[name]
    content[last] = value


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        ("more", 1, "other keys"),
        ("estimator/class", "Pipeline", "an unknown class"),
        ("estimator/class", "BertRegressor", "cannot be read"),
        ("estimator/class", "BertVectorizer", "cannot be read"),
        ("estimator/more", 1, "other keys"),
        ("estimator/parameters/more", 1, "unexpected keyword"),
        ("estimator/parameters/n_epochs", 0, "'n_epochs' parameter"),
        ("estimator/parameters/device", 1, "'device' parameter"),
        ("estimator/attributes/predict", "x", "'predict' that a BertClassifier cannot"),
        ("estimator/attributes/__class__", "x", "cannot have"),
        ("estimator/attributes/_holds_encoder", False, "cannot have"),
        ("estimator/attributes/n_iter_", "1", "'n_iter_' of the wrong type"),
        ("estimator/attributes/loss_curve_", ["1"], "of the wrong type"),
        ("estimator/attributes/encoder_", {"path": "x"}, "of the wrong type"),
        ("estimator/attributes/classes_", None, "of the wrong type"),
        ("estimator/requests", {"__init__": {}}, "requests of metadata"),
        ("estimator/requests", {"fit": {"a": "not valid"}}, "cannot be read"),
        ("estimator", [], "other keys"),
        ("estimator/parameters", [], "cannot be read"),
    ],
)
def test_forged_content_is_refused(written, path, value, match):
    content, tensors = written
    set_at(content, path, value)
    with pytest.raises(InvalidContentError, match=match):
        read_state(content, tensors, CLASSES)


@pytest.mark.parametrize("value", [2, 0, "1", True, None])
def test_other_formats_are_refused(written, value):
    content, tensors = written
    content["format"] = value
    with pytest.raises(SavedFileError, match=f"Got format {value!r}. Upgrade"):
        read_state(content, tensors, CLASSES)


@pytest.mark.parametrize("name", ["coef_", "_readout", "checkpoint_", "n_features_in_"])
def test_missing_attributes_are_refused(written, name):
    content, tensors = written
    del content["estimator"]["attributes"][name]
    with pytest.raises(InvalidContentError):
        read_state(content, tensors, CLASSES)


def test_tensors_without_a_use_are_refused(written):
    content, tensors = written
    tensors = {**tensors, "more": tensors["coef_"]}
    with pytest.raises(InvalidContentError, match="without a use"):
        read_state(content, tensors, CLASSES)


def test_deep_content_is_refused(written):
    content, tensors = written
    deep = []
    for _ in range(100_000):
        deep = [deep]
    content["estimator"]["parameters"]["model"] = deep
    with pytest.raises(InvalidContentError, match="RecursionError"):
        read_state(content, tensors, CLASSES)


def test_no_texts_of_the_training_are_saved(tiny_bert):
    secret = "zyxwv the film"
    classifier = BertClassifier(tiny_bert, **QUICK)
    classifier.fit([*TEXTS, secret], [*["a", "b"] * 6, "a"])
    content, tensors = write(classifier)
    assert "zyxwv" not in str(content)
    assert all(b"zyxwv" not in x.array.tobytes() for x in tensors.values())


def test_rounded_weights_have_a_digest_of_their_own(case):
    vectorizer = case("features of a classifier").estimator
    content, tensors = write_state(vectorizer, in_bfloat16=True)
    loaded = read_state(content, tensors, CLASSES)
    digest = loaded.model.estimator.encoder_.digest
    assert digest != vectorizer.model.estimator.encoder_.digest
    assert loaded.checkpoint_.digests == {"weights": digest}
    assert np.isfinite(loaded.transform(TEXTS)).all()


@pytest.mark.parametrize(
    ("kind", "name"), [(BertVectorizer, "cache"), (BertMaskedLM, "checkpoint_dir")]
)
def test_a_folder_to_write_to_is_neither_saved_nor_loaded(tmp_path, kind, name):
    content, tensors = write(kind("nowhere", **{name: tmp_path}))
    assert str(tmp_path) not in str(content)
    assert read_state(content, tensors, CLASSES).get_params()[name] is None
    # As in a file of an earlier version, or of somebody else.
    content["estimator"]["parameters"][name] = str(tmp_path)
    assert read_state(content, tensors, CLASSES).get_params()[name] is None


def test_a_splitter_is_not_saved_and_a_number_of_folds_is():
    for cv, expected in ((KFold(3), 5), (3, 3)):
        content, tensors = write(BertTargetEncoder(cv=cv))
        assert read_state(content, tensors, CLASSES).cv == expected
