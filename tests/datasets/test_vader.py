"""fetch_vader_sentiment: what it returns, and what it keeps in the data home."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_bert.datasets import fetch_vader_sentiment

SUBSETS = ["movies", "tweets", "amazon", "nyt"]


@pytest.fixture
def fetch(tmp_path, downloads):
    def fetch(**options):
        return fetch_vader_sentiment(data_home=tmp_path, **options)

    return fetch


@pytest.fixture(
    params=["cut", "altered", "empty", "not gzip", "not a table", "not UTF-8"]
)
def damaged(request, fetch, tmp_path, downloads):
    """The path of a cached file that was damaged after it was written."""
    fetch()
    downloads.clear()
    path = tmp_path / "vader_sentiment_movies.tsv.gz"
    path.write_bytes(
        {
            "cut": path.read_bytes()[:-9],
            "altered": path.read_bytes()[:10] + b"\xff" * 20,
            "empty": b"",
            "not gzip": b"1\t2.5\ttext",
            "not a table": gzip.compress(b"<html>\n</html>"),
            "not UTF-8": gzip.compress(b"1\t2.5\t\xff"),
        }[request.param]
    )
    return path


def test_data_is_an_object_array_of_the_texts(fetch):
    data = fetch().data
    assert data.dtype == object
    assert data.tolist() == ["A fine café &amp; film.", "tab\there", " last"]


def test_target_is_a_float64_array_of_the_ratings(fetch):
    target = fetch().target
    assert target.dtype == np.float64
    assert target.tolist() == [2.5, -1.25, 0.0]


def test_ids_are_str(fetch):
    assert fetch(subset="amazon").ids.tolist() == ["1_1", "1_2"]


def test_line_ends_are_newlines_alone(fetch):
    assert fetch(subset="tweets").data.tolist() == ["one\u2028line"]


@pytest.mark.parametrize(
    ("subset", "first"),
    [("movies", 2.5), ("tweets", 0.5), ("amazon", -0.9), ("nyt", 0.4)],
)
def test_each_subset_reads_its_own_file(fetch, subset, first):
    assert fetch(subset=subset).target[0] == first


def test_bunch_has_scikit_learns_names(fetch):
    names = {"data", "target", "frame", "feature_names", "target_names", "DESCR"}
    assert set(fetch()) == names | {"ids"}


def test_columns_are_named(fetch):
    dataset = fetch()
    assert (dataset.feature_names, dataset.target_names) == (["text"], ["rating"])


def test_frame_is_none_unless_asked_for(fetch):
    assert fetch().frame is None


def test_description_names_paper_and_licence(fetch):
    descr = fetch().DESCR
    assert descr.startswith(".. _vader_sentiment_dataset:")
    assert "Hutto and Eric Gilbert" in descr
    assert "MIT" in descr


def test_return_X_y_gives_the_arrays(fetch):
    X, y = fetch(return_X_y=True)
    assert X.tolist() == fetch().data.tolist()
    assert y.tolist() == fetch().target.tolist()


def test_as_frame_gives_named_series(fetch):
    dataset = fetch(as_frame=True)
    pd.testing.assert_series_equal(
        dataset.data, pd.Series(fetch().data, name="text"), check_dtype=False
    )
    pd.testing.assert_series_equal(
        dataset.target, pd.Series([2.5, -1.25, 0.0], name="rating")
    )


def test_as_frame_gives_a_frame_of_texts_and_ratings(fetch):
    frame = fetch(as_frame=True).frame
    assert frame.columns.tolist() == ["text", "rating"]
    assert frame["rating"].tolist() == [2.5, -1.25, 0.0]


def test_as_frame_with_return_X_y_gives_series(fetch):
    X, y = fetch(as_frame=True, return_X_y=True)
    assert (X.name, y.name) == ("text", "rating")


def test_one_download_fills_all_subsets(fetch, downloads):
    for subset in SUBSETS:
        fetch(subset=subset)
    assert len(downloads) == 1


def test_cached_data_equals_downloaded_data(fetch):
    downloaded, cached = fetch(), fetch(download_if_missing=False)
    assert cached.data.tolist() == downloaded.data.tolist()
    assert cached.target.tolist() == downloaded.target.tolist()


def test_only_the_cache_is_left_in_the_data_home(fetch, tmp_path):
    fetch()
    cache = {f"vader_sentiment_{subset}.tsv.gz" for subset in SUBSETS}
    assert {path.name for path in tmp_path.iterdir()} == cache


def test_cache_has_the_mode_of_any_new_file(fetch, tmp_path):
    fetch()
    new = tmp_path / "new"
    new.touch()
    cached = tmp_path / "vader_sentiment_nyt.tsv.gz"
    assert cached.stat().st_mode == new.stat().st_mode


def test_default_data_home_is_scikit_learns(tmp_path, downloads, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    fetch_vader_sentiment()
    assert (tmp_path / "home" / "vader_sentiment_movies.tsv.gz").exists()


def test_interrupted_write_leaves_nothing(fetch, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert list(tmp_path.iterdir()) == []


def test_cache_is_whole_before_it_gets_its_name(fetch, monkeypatch):
    moved = []
    monkeypatch.setattr(os, "replace", lambda part, path: moved.append((part, path)))
    fetch()
    part, path = moved[0]
    assert gzip.decompress(part.read_bytes()).endswith(b"last")
    assert not path.exists()


def test_sdist_placed_in_the_data_home_is_read(fetch, tmp_path, sdist, downloads):
    (tmp_path / "vaderSentiment-3.3.2.tar.gz").write_bytes(sdist)
    assert len(fetch(download_if_missing=False).data) == 3
    assert downloads == []


def test_missing_data_without_download_is_refused(fetch):
    with pytest.raises(
        OSError, match=r"^Data not found and `download_if_missing` is F"
    ):
        fetch(download_if_missing=False)


def test_damaged_cache_is_fetched_again_with_a_warning(fetch, damaged):
    with pytest.warns(UserWarning, match="is damaged .*fetching the data") as caught:
        assert len(fetch().data) == 3
    assert str(damaged) in str(caught[0].message)


def test_warning_of_damage_points_at_the_caller(fetch, damaged):
    with pytest.warns(UserWarning, match="is damaged") as caught:
        fetch()
    assert Path(caught[0].filename).name == "test_vader.py"


@pytest.mark.filterwarnings("ignore:The cached file")
def test_damaged_cache_is_replaced(fetch, damaged, downloads):
    fetch()
    fetch()
    assert len(downloads) == 1


def test_damaged_cache_without_download_is_refused(fetch, damaged):
    with pytest.raises(OSError, match="Fetch the data again with download_if") as error:
        fetch(download_if_missing=False)
    assert str(error.value).startswith(f"The cached file {damaged} is damaged (")


@pytest.mark.parametrize(
    "wrong",
    [
        {"subset": "books"},
        {"download_if_missing": "no"},
        {"return_X_y": 2},
        {"as_frame": "yes"},
    ],
)
def test_wrong_parameter_is_refused_by_name(fetch, wrong):
    with pytest.raises(InvalidParameterError, match=f"The '{next(iter(wrong))}' param"):
        fetch(**wrong)


@pytest.mark.network
@pytest.mark.parametrize(
    ("subset", "rows", "positive", "negative"),
    [
        ("movies", 10_605, 5_242, 5_326),
        ("tweets", 4_200, 2_897, 1_299),
        ("amazon", 3_708, 2_128, 1_482),
        ("nyt", 5_190, 2_204, 2_742),
    ],
)
def test_published_data_has_the_described_counts(
    tmp_path_factory, subset, rows, positive, negative
):
    folder = tmp_path_factory.getbasetemp() / "vader"
    X, y = fetch_vader_sentiment(subset=subset, data_home=folder, return_X_y=True)
    assert (len(X), sum(y > 0), sum(y < 0)) == (rows, positive, negative)
