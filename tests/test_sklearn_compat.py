"""What is done with a scikit-learn that lacks a private name."""

import sklearn

from sklearn_bert import BertVectorizer
from sklearn_bert._sklearn_compat import output_container


def test_the_container_is_that_of_the_estimator():
    vectorizer = BertVectorizer().set_output(transform="pandas")
    assert output_container(vectorizer) == "pandas"
    assert output_container(BertVectorizer()) == "default"


def test_without_the_attribute_it_is_that_of_the_configuration():
    vectorizer = BertVectorizer().set_output(transform="pandas")
    del vectorizer._sklearn_output_config
    with sklearn.config_context(transform_output="polars"):
        assert output_container(vectorizer) == "polars"
