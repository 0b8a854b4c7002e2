"""What runs an encoder."""

from typing import Protocol

from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch


class Backend(Protocol):
    """One way to run an encoder."""

    def hidden_states(
        self, batch: Batch, layers: tuple[int, ...], *, only_first: bool
    ) -> list[Tensor]:
        """Return the layers' states of all tokens, or of the first ones."""


class UnsuitableModelError(Exception):
    """A backend cannot run the model; another one may."""
