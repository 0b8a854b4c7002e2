"""The coefficients of two classes, which have one row, as in scikit-learn.

Training gives two rows, and so did earlier versions to fitted estimators.
"""

from typing import Any

from sklearn_bert._engine.training.heads import LinearHead


def merge_rows_of_two_classes(attributes: dict[str, Any]) -> None:
    """Replace the coefficients of two classes, a row for each, by their difference.

    Parameters
    ----------
    attributes : dict of str to object
        Of an estimator, which may be not fitted. It is changed in place.
    """
    is_one_of_two = (
        attributes.get("is_multilabel_") is False
        and "coef_" in attributes
        and len(attributes["classes_"]) == len(attributes["coef_"]) == 2
    )
    if is_one_of_two:
        head = LinearHead(attributes["coef_"], attributes["intercept_"]).of_log_odds()
        attributes["coef_"], attributes["intercept_"] = head.coef, head.intercept
