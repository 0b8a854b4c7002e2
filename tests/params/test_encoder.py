"""What the parameters of the encoder may be."""

import pytest

from sklearn_bert import BertVectorizer
from sklearn_bert._params.encoder import ENCODER


def test_every_parameter_of_the_vectorizer_is_constrained():
    assert set(ENCODER) <= set(BertVectorizer().get_params())


@pytest.mark.parametrize("model", [b"folder", 3, None, object()])
def test_a_model_is_a_name_a_path_or_an_estimator(model):
    words = (
        "must be an instance of 'str', an instance of 'os.PathLike' or a fitted Bert"
    )
    with pytest.raises(ValueError, match=words):
        BertVectorizer(model).fit(["a text"])
