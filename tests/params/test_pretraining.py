"""The parameters of pre-training."""

import inspect

from sklearn_bert import BertMaskedLM
from sklearn_bert._params.pretraining import PRE_TRAINING


def test_they_are_those_of_the_estimator():
    assert list(PRE_TRAINING) == list(inspect.signature(BertMaskedLM).parameters)


def test_each_documented_default_is_the_one_of_the_signature():
    for name, parameter in inspect.signature(BertMaskedLM).parameters.items():
        shown = PRE_TRAINING[name].doc.splitlines()[0]
        default = parameter.default
        shown_default = f'"{default}"' if isinstance(default, str) else str(default)
        assert shown.endswith(f"default={shown_default}"), shown
