"""The setting that hides values, by process, by block of code and by environment."""

import ast
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from joblib.externals import loky

import sklearn_bert
from sklearn_bert import _config, config_context, get_config, set_config
from sklearn_bert.exceptions import InputError

SHOWN, HIDDEN = {"show_values": True}, {"show_values": False}


@pytest.fixture(autouse=True)
def restored():
    before = get_config()
    yield
    set_config(**before)


def config_in_a_thread():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(get_config).result()


def test_values_are_shown_unless_that_is_set():
    assert get_config() == SHOWN
    set_config(show_values=False)
    assert get_config() == HIDDEN
    set_config()
    assert get_config() == HIDDEN


def test_set_config_holds_in_all_threads():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(get_config).result() == SHOWN
        set_config(show_values=False)
        assert pool.submit(get_config).result() == HIDDEN
        pool.submit(set_config, show_values=True).result()
    assert get_config() == SHOWN


def test_a_context_holds_in_its_thread_only():
    with config_context(show_values=False):
        assert get_config() == HIDDEN
        assert config_in_a_thread() == SHOWN
        with config_context(show_values=True):
            assert get_config() == SHOWN
        with config_context():
            assert get_config() == HIDDEN
    assert get_config() == SHOWN


def test_a_context_ends_with_an_error():
    with pytest.raises(KeyError), config_context(show_values=False):
        raise KeyError
    assert get_config() == SHOWN


def test_set_config_in_a_context_holds_at_once_and_after_it():
    with config_context(show_values=True):
        set_config(show_values=False)
        assert get_config() == HIDDEN
    assert get_config() == HIDDEN


@pytest.mark.parametrize("function", [set_config, config_context])
def test_values_other_than_bool_are_refused(function):
    with pytest.raises(ValueError, match=r"'show_values' parameter .* must be"):
        function(show_values="no")


@pytest.mark.parametrize(
    ("value", "config"),
    [
        (None, SHOWN),
        ("", SHOWN),
        ("1", SHOWN),
        ("True", SHOWN),
        ("0", HIDDEN),
        ("false", HIDDEN),
        ("yes", HIDDEN),
    ],
)
def test_an_environment_variable_is_the_initial_setting(monkeypatch, value, config):
    monkeypatch.delenv("SKLEARN_BERT_SHOW_VALUES", raising=False)
    if value is not None:
        monkeypatch.setenv("SKLEARN_BERT_SHOW_VALUES", value)
    assert runpy.run_path(_config.__file__)["get_config"]() == config


def quoted_directly():
    """Return the expressions that messages about X and y quote without `quote`."""
    package = Path(sklearn_bert.__file__).parent
    paths = [*package.glob("_inputs/*.py"), *package.glob("_targets/*.py")]
    return {
        ast.unparse(node.value)
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
    }


def test_only_paths_and_dtypes_of_x_and_y_are_always_shown():
    expected = {"str(X)", "str(path)", "str(self._path)", "y.dtype.name"}
    assert quoted_directly() == expected


def test_workers_read_the_environment_variable():
    variable = {"SKLEARN_BERT_SHOW_VALUES": "0"}
    pool = loky.get_reusable_executor(1, env=variable, kill_workers=True)
    assert pool.submit(get_config).result(timeout=300) == HIDDEN
    pool.shutdown(kill_workers=True)


def test_a_hidden_message_keeps_the_rule_the_row_the_type_and_the_remedy(tiny_bert):
    vectorizer = sklearn_bert.BertVectorizer(tiny_bert)
    set_config(show_values=False)
    with pytest.raises(InputError) as caught:
        vectorizer.transform(["fine", 731, "fine", None])
    assert str(caught.value) == (
        "X must contain only texts (str). Got <hidden> (int) in row 1, <hidden> "
        "(NoneType) in row 3: 2 of 4 rows contain other values. Select the text "
        "column, or convert numbers to texts if that is intended: X.astype(str), or "
        "[str(x) for x in X]. Replace missing values by '' before that."
    )
