"""An upgrade of scikit-learn brings no check that nobody has thought about."""

import ast
import inspect
from itertools import chain

from sklearn.utils import estimator_checks

from contract.dispositions import AS_IS, HELPERS, NEWER, REWRITTEN, TABLES
from contract.registry import SUBJECTS
from contract.suite import CHECKS


def functions():
    tree = ast.parse(inspect.getsource(estimator_checks))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def defined_checks():
    """Return the names of all checks of the installed scikit-learn."""
    return {x.name for x in functions() if x.name.startswith("check_")}


def yielded_checks():
    """Return the names of those that it may yield for some estimator."""
    generators = [x for x in functions() if x.name.startswith("_yield")]
    generators += [x for x in functions() if x.name == "estimator_checks_generator"]
    names = {
        node.id
        for generator in generators
        for node in ast.walk(generator)
        if isinstance(node, ast.Name)
    }
    return names & defined_checks()


def test_every_check_has_one_disposition():
    disposed = list(chain(*TABLES))
    assert len(disposed) == len(set(disposed))
    assert defined_checks() - set(disposed) == set()
    assert set(disposed) - defined_checks() <= set(NEWER)


def test_what_scikit_learn_yields_is_found():
    # 86 in version 1.6, 89 in version 1.9: fewer, and they are looked for wrongly.
    assert len(yielded_checks()) >= 86
    assert yielded_checks() & set(HELPERS) == set()


def test_what_is_to_be_rewritten_is():
    assert set(chain(*(check.stands_for for check in CHECKS))) == set(REWRITTEN)


def test_every_check_as_it_is_has_someone_to_check():
    kinds = set(chain(*(subject.kinds for subject in SUBJECTS)))
    assert set(AS_IS.values()) <= kinds
