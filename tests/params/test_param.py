"""Shared parameters: written once, documented and constrained in every class."""

import re

from sklearn_bert._params.param import Param, constraints, document

GROUP = {
    "size": Param([int], "size : int\n    How many."),
    "name": Param([str], "name : str\n    Which one."),
}


def test_constraints_are_scikit_learns():
    assert constraints(GROUP) == {"size": [int], "name": [str]}


def test_document_replaces_whole_lines_at_their_indent():
    @document(GROUP)
    class Estimator:
        """Do something.

        %(size)s

        other : dict of {str: int}, 100%(size)s
        """

    assert "        size : int\n            How many.\n" in Estimator.__doc__
    assert "{str: int}, 100%(size)s" in Estimator.__doc__


def test_document_lists_all_parameters_in_the_order_of_the_signature():
    @document(GROUP)
    class Estimator:
        """Do something.

        %(parameters)s

        %(size, n_iter_)s
        """

        def __init__(self, name, size):
            pass

    assert re.findall(r"(\w+) : ", Estimator.__doc__) == [
        *("name", "size"),
        *("size", "n_iter_"),
    ]
