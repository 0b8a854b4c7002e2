"""Names of scorers that do not exist."""

import pytest

from sklearn_bert._params.scoring import check_scorer_name


@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_log_loss", print])
def test_names_and_callables_are_accepted(scoring):
    check_scorer_name(scoring)


@pytest.mark.parametrize(
    ("scoring", "hint"),
    [
        ("accurate", r"Got 'accurate'\. The closest names are 'accuracy'"),
        ("F1", "The closest names are 'f1'"),
        ("F1_Macro", "The closest names are 'f1_macro'"),
        ("auc", "The closest names are 'roc_auc'"),
        ("zzz", r"Got 'zzz'\. sklearn\.metrics\.get_scorer_names\(\) lists all"),
        ("", r"Got ''\. sklearn\.metrics"),
    ],
)
def test_the_closest_names_are_given(scoring, hint):
    with pytest.raises(ValueError, match=hint) as caught:
        check_scorer_name(scoring)
    assert len(str(caught.value)) < 300
