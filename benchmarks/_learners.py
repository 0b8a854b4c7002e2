"""One class per library: texts and labels in, a classifier out.

Each imports its library when it is made, so that a missing one stops nobody else
and no library's memory counts for another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from _encoders import SentenceTransformers, Setting, Setup
from _labelled import Labelled
from _measure import Clock


@dataclass(frozen=True)
class Recipe:
    """How all arms train.

    Attributes
    ----------
    setup : Setup
    classes : list of str
    n_epochs, batch_size : int
    learning_rate : float
    """

    setup: Setup
    classes: list[str]
    n_epochs: int
    batch_size: int
    learning_rate: float


@dataclass
class Goal:
    """An accuracy to reach on texts that are not trained on.

    Attributes
    ----------
    dev : Labelled
    accuracy : float
    scores : list of float
        What was reached at the end of each epoch.
    seconds : float or None
        Of training, until a score was as high as ``accuracy``.
    """

    dev: Labelled
    accuracy: float
    scores: list[float] = field(default_factory=list)
    seconds: float | None = None

    def check(self, learner: Any, clock: Clock) -> bool:
        """Score what predicts, outside the clock; tell whether that is enough."""
        with clock.paused():
            self.scores.append(self.dev.accuracy(learner.predict(self.dev.texts)))
        if self.seconds is None and self.scores[-1] >= self.accuracy:
            self.seconds = clock.seconds
        return self.seconds is not None


class Learner(Protocol):
    """What is timed: ``fit``, from the strings to the trained classifier.

    Attributes
    ----------
    loop_s : float or None
        Of ``fit``, the seconds of the training loop alone; None if there is none.
    """

    loop_s: float | None

    def __init__(self, recipe: Recipe, seed: int, **options: Any) -> None:
        """Load the checkpoint, outside the clock."""
        ...

    def fit(self, data: Labelled, clock: Clock, goal: Goal | None = None) -> None:
        """Train; with a goal, check it after each epoch and stop when it is reached."""
        ...

    def predict(self, texts: list[str]) -> Sequence[str] | np.ndarray:
        """Return the label of each text."""
        ...


class SklearnBert:
    """This package."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        from sklearn_bert import BertClassifier

        self._class: Any = BertClassifier
        self._recipe = recipe
        self._seed = seed
        self.loop_s: float | None = None

    def fit(self, data: Labelled, clock: Clock, goal: Goal | None = None) -> None:
        """Train; the linear model that training starts from is inside the clock."""

        class TimedClassifier(self._class):
            """Loads the checkpoint as the other arms do: outside the clock."""

            def _find_checkpoint(self, *arguments):
                with clock.paused():
                    return super()._find_checkpoint(*arguments)

        recipe = self._recipe
        self._classifier = TimedClassifier(
            recipe.setup.checkpoint,
            max_length=recipe.setup.max_length,
            n_epochs=recipe.n_epochs,
            batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            device=recipe.setup.device,
            random_state=self._seed,
            callbacks=[self._note],
        )
        if goal is not None:
            self._aim(data, clock, goal)
        self._classifier.fit(data.texts, data.labels)

    def predict(self, texts: list[str]) -> np.ndarray:
        """Return the label of each text."""
        return self._classifier.predict(texts)

    def _note(self, state: Any) -> None:
        self.loop_s = state.seconds

    def _aim(self, data: Labelled, clock: Clock, goal: Goal) -> None:
        """Let early stopping check the goal in place of the texts it holds out."""

        is_tried = False

        def score(judge: Any, X: Any, y: Any) -> float:
            nonlocal is_tried
            if not is_tried:
                # The estimator tries its scorer once before the training.
                is_tried = True
                return 0.0
            goal.check(judge, clock)
            return goal.scores[-1]

        self._classifier.set_params(
            early_stopping=True,
            # As few as a stratified split can hold out.
            validation_fraction=len(data.classes) / len(data),
            n_iter_no_change=self._recipe.n_epochs,
            scoring=score,
            callbacks=[lambda state: goal.seconds is not None],
        )


class SetFitHead:
    """SetFit's logistic regression on its encoder, which is not trained."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        from setfit import SetFitModel, logging

        # It would say that the head is new each time.
        logging.set_verbosity_error()
        setup = recipe.setup
        self._model = SetFitModel.from_pretrained(setup.checkpoint, device=setup.device)
        self._model.model_body.max_seq_length = setup.max_length
        self.loop_s: float | None = None

    def fit(self, data: Labelled, clock: Clock, goal: Goal | None = None) -> None:
        """Fit the head on all texts; SetFit ignores the epochs, there are none."""
        self._model.fit(data.texts, data.labels, num_epochs=1, show_progress_bar=False)
        if goal is not None:
            goal.check(self, clock)

    def predict(self, texts: list[str]) -> Any:
        """Return the label of each text."""
        return self._model.predict(texts, as_numpy=True, show_progress_bar=False)


class LinearOnSentenceTransformers:
    """scikit-learn's logistic regression on the vectors of sentence-transformers."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        from sklearn.linear_model import LogisticRegression

        self._encoder = SentenceTransformers(recipe.setup, "float32")
        self._regression = LogisticRegression(max_iter=1000)
        self._setting = Setting(recipe.batch_size)
        self.loop_s: float | None = None

    def fit(self, data: Labelled, clock: Clock, goal: Goal | None = None) -> None:
        """Encode all texts and fit the linear model."""
        self._regression.fit(self._encoder(data.texts, self._setting), data.labels)
        if goal is not None:
            goal.check(self, clock)

    def predict(self, texts: list[str]) -> np.ndarray:
        """Return the label of each text."""
        return self._regression.predict(self._encoder(texts, self._setting))
