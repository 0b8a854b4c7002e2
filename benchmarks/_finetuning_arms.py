"""Which ways of training a classifier are compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from _arms import Candidate
from _encoders import Setup
from _labelled import Labelled
from _learners import (
    Learner,
    LinearOnSentenceTransformers,
    Recipe,
    SetFitHead,
    SklearnBert,
)
from _trainer import HuggingFaceTrainer

BASELINE = "trainer-default"
# Of these, the faster one is Trainer at its best.
TUNED = ("trainer-float32-grouped", "trainer-bf16-grouped")


@dataclass(frozen=True)
class TrainingArm(Candidate):
    """One way of training."""

    @property
    def is_head(self) -> bool:
        """Whether only a linear model is fitted, so that texts are read once."""
        return self.library in (SetFitHead, LinearOnSentenceTransformers)

    def reason_not_to_run(self, device: str) -> str | None:
        """Say why this arm cannot run here, in the words of the tables."""
        reason = super().reason_not_to_run(device)
        if reason is None and self.library is HuggingFaceTrainer and device != "cpu":
            import torch

            # Trainer has no parameter for the device.
            if torch.cuda.device_count() > 1:
                return "not run: would take all GPUs: set CUDA_VISIBLE_DEVICES to one"
        return reason

    def build(self, recipe: Recipe, seed: int) -> Learner:
        """Load the library and the model."""
        return self.library(recipe, seed, **dict(self.options))


def all_arms() -> Iterator[TrainingArm]:
    """Yield every arm, ours first."""
    yield TrainingArm(
        "sklearn_bert", SklearnBert, "sklearn_bert", "sklearn-bert", dtype="auto"
    )
    peer: Any = (HuggingFaceTrainer, "accelerate", "accelerate")
    grouped = ("train_sampling_strategy", "group_by_length")
    yield TrainingArm(BASELINE, *peer)
    yield TrainingArm(TUNED[0], *peer, options=(grouped,))
    yield TrainingArm(TUNED[1], *peer, "bfloat16", options=(grouped, ("bf16", True)))
    yield TrainingArm("setfit-head", SetFitHead, "setfit", "setfit")
    yield TrainingArm(
        "sentence-transformers+LogisticRegression",
        LinearOnSentenceTransformers,
        "sentence_transformers",
        "sentence-transformers",
    )


def work(task: dict[str, Any]) -> None:
    """Train one arm once: of this the peak memory is measured."""
    from _finetuning_rounds import train
    from _threads import set_threads

    recipe = Recipe(**{**task["recipe"], "setup": Setup(**task["recipe"]["setup"])})
    set_threads(recipe.setup.n_threads)
    arm = next(arm for arm in all_arms() if arm.name == task["arm"])
    train(arm, recipe, Labelled(**task["data"]), seed=0)
