"""The functions that show and empty a cache of features."""

import pytest

from sklearn_bert import BertVectorizer, cache_info, clear_cache
from sklearn_bert.exceptions import CacheError


def test_a_cleared_cache_is_empty(tiny_bert, tmp_path):
    BertVectorizer(tiny_bert, cache=tmp_path).transform(["good film", "bad plot"])
    info = cache_info(tmp_path)
    # [CLS], mean and maximum.
    assert info.n_vectors == 2 * 3
    assert 0 < info.n_bytes < info.max_bytes
    clear_cache(tmp_path)
    assert cache_info(tmp_path).n_vectors == 0


def test_a_cleared_cache_can_be_used_again(tiny_bert, tmp_path):
    vectorizer = BertVectorizer(tiny_bert, cache=tmp_path)
    expected = vectorizer.transform(["good film"])
    clear_cache(tmp_path)
    assert vectorizer.transform(["good film"]).tobytes() == expected.tobytes()


def test_an_unusable_folder_is_an_error_of_the_functions(tmp_path):
    (tmp_path / "file").write_text("a")
    for function in (cache_info, clear_cache):
        with pytest.raises(CacheError, match=r"Got '.*file'.*Choose another folder"):
            function(str(tmp_path / "file"))
