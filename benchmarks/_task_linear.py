"""Linear models of frozen features, on the tasks of accuracy.py."""

from typing import Any

from _learners import Recipe
from _tasks import Task
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

MAX_ITER = 1000


def linear_model(task: Task, recipe: Recipe, seed: int) -> Any:
    """Return a pipeline of features as they come and scikit-learn's own defaults.

    Parameters
    ----------
    task : Task
        Of any kind but tags.
    recipe : Recipe
        Only its checkpoint, device and length matter.
    seed : int
        Not used: nothing is drawn.
    """
    from sklearn_bert import BertVectorizer

    options = {"max_length": recipe.setup.max_length, **task.options}
    vectorizer = BertVectorizer(
        recipe.setup.checkpoint, device=recipe.setup.device, **options
    )
    classifier = LogisticRegression(max_iter=MAX_ITER)
    models = {
        "classes": classifier,
        "labels": OneVsRestClassifier(classifier),
        "numbers": Ridge(),
    }
    return make_pipeline(vectorizer, models[task.kind])
