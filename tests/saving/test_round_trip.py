"""A loaded estimator is the estimator that was saved."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone

from saving.cases import CASES, QUICK, TEXTS
from sklearn_bert import BertClassifier, BertVectorizer, load

every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_it_answers_the_same(name, case, reload):
    one = case(name)
    assert one.answers(reload(one.estimator)) == one.answers()


@every_case
def test_it_has_the_same_attributes(name, case, reload):
    estimator = case(name).estimator
    loaded = reload(estimator)
    assert type(loaded) is type(estimator)
    assert {*vars(loaded)} == {*vars(estimator)}
    for key, value in vars(estimator).items():
        assert type(getattr(loaded, key)) is type(value), key


@every_case
def test_it_is_saved_as_the_same_bytes(name, case, reload, tmp_path):
    estimator = case(name).estimator
    first = estimator.save(tmp_path / "first")
    assert reload(estimator).save(tmp_path / "second") == first
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@every_case
def test_saving_changes_nothing(name, case, tmp_path):
    estimator = case(name).estimator
    before = pickle.dumps(estimator)
    estimator.save(tmp_path / "file")
    assert pickle.dumps(estimator) == before


@every_case
def test_it_can_be_pickled_and_cloned(name, case, reload):
    one = case(name)
    loaded = reload(one.estimator)
    assert one.answers(pickle.loads(pickle.dumps(loaded))) == one.answers()
    assert clone(loaded).get_params().keys() == loaded.get_params().keys()


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("classes")])
def test_classes_keep_their_type(name, case, reload):
    classes = case(name).estimator.classes_
    loaded = reload(case(name).estimator).classes_
    assert loaded.dtype.str == classes.dtype.str
    assert loaded.tolist() == classes.tolist()
    assert list(map(type, loaded.tolist())) == list(map(type, classes.tolist()))


@pytest.mark.parametrize(
    "params",
    [
        {"layers": [0, -1]},
        {"layers": (0, -1)},
        {"max_length": np.int32(12)},
        {"batch_size": 7, "verbose": False},
        {"prompt": "é\ud800 \0 [SEP]"},
        {"prompt": "long " * 2000},
    ],
    ids=lambda params: str(params)[:20],
)
def test_parameters_keep_their_types(params, reload):
    loaded = reload(BertVectorizer("nowhere", **params)).get_params()
    for name, value in params.items():
        assert loaded[name] == value
        assert type(loaded[name]) is type(value)


def test_a_random_state_continues_where_it_was(case, reload):
    estimator = case("classes of texts").new()
    random = np.random.RandomState(3)
    random.randn(7)
    estimator.set_params(random_state=random)
    estimator.fit(TEXTS, ["a", "b"] * 6)
    loaded = reload(estimator).random_state
    assert loaded.randint(1000, size=9).tolist() == (
        random.randint(1000, size=9).tolist()
    )


@pytest.mark.parametrize("name", ["classes, in parts", "numbers, in parts"])
def test_partial_fit_continues_with_the_state_of_the_optimizer(name, case, reload):
    one = case(name)
    y = list("ab") * 6 if "classes_" in vars(one.estimator) else np.arange(12.0)
    loaded = reload(one.estimator)
    original = pickle.loads(pickle.dumps(one.estimator))
    assert one.answers(loaded.partial_fit(TEXTS, y)) == one.answers(
        original.partial_fit(TEXTS, y)
    )


def test_a_warm_start_continues_from_the_weights(case, reload):
    y = ["good", "bad", "slow", "fun"] * 3
    one = case("classes of texts")
    loaded = reload(one.estimator).set_params(warm_start=True)
    original = pickle.loads(pickle.dumps(one.estimator)).set_params(warm_start=True)
    assert one.answers(loaded.fit(TEXTS, y)) == one.answers(original.fit(TEXTS, y))


@pytest.mark.parametrize("name", ["classes of texts", "tags", "a new model"])
def test_it_can_be_the_model_of_another(name, case, reload):
    loaded = reload(case(name).estimator)
    found = BertVectorizer(loaded, pooling="mean").fit_transform(TEXTS)
    expected = BertVectorizer(case(name).estimator, pooling="mean").fit_transform(TEXTS)
    assert np.array_equal(found, expected)


def test_names_of_columns_and_set_output_are_kept(tiny_bert, reload):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"text": TEXTS})
    estimator = BertVectorizer(tiny_bert).set_output(transform="pandas").fit(frame)
    loaded = reload(estimator)
    pd.testing.assert_frame_equal(loaded.transform(frame), estimator.transform(frame))
    assert loaded.feature_names_in_.tolist() == ["text"]


def test_requests_of_metadata_are_kept(case, reload):
    estimator = pickle.loads(pickle.dumps(case("classes of texts").estimator))
    with config_context(enable_metadata_routing=True):
        estimator.set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight="other")
    found = str(reload(estimator).get_metadata_routing())
    assert found == str(estimator.get_metadata_routing())
    assert "'fit': {'sample_weight': True, 'groups': None, " in found


def test_the_folder_of_the_checkpoint_is_not_needed(own_bert, tmp_path):
    classifier = BertClassifier(own_bert, **QUICK).fit(TEXTS, ["a", "b"] * 6)
    expected = classifier.predict_proba(TEXTS)
    classifier.save(tmp_path / "file")
    for file in own_bert.iterdir():
        file.unlink()
    assert np.array_equal(load(tmp_path / "file").predict_proba(TEXTS), expected)


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_an_estimator_in_a_read_only_memory_map_is_saved(case, tmp_path, dtype):
    one = case("classes of texts")
    joblib.dump(one.estimator, tmp_path / "pickle")
    mapped = joblib.load(tmp_path / "pickle", mmap_mode="r")
    found = mapped.save(tmp_path / "first", dtype=dtype)
    assert found == one.estimator.save(tmp_path / "second", dtype=dtype)


def test_threads_save_and_load_one_estimator_at_once(case, tmp_path):
    one = case("features of a classifier")

    def answer(k):
        one.estimator.save(tmp_path / str(k))
        return one.answers(load(tmp_path / str(k)))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, range(8))) == [one.answers()] * 8
