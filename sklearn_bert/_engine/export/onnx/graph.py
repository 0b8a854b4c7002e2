"""The module whose trace becomes an ONNX graph."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.backends import set_attention, states_of
from sklearn_bert._engine.encoding.pooling import average_layers
from sklearn_bert._engine.encoding.readout import PooledReadout
from sklearn_bert._engine.export.contents import EncoderExport, LabeledHead
from sklearn_bert._engine.export.onnx.pooling import pool_padded


class OnnxGraph(nn.Module):
    """An encoder with its pooling, its modules and its output layer, in float32.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its modules are taken over.
    export : EncoderExport
    n_prompt : int
        Number of tokens of the prompt at the beginning of each sequence.

    Attributes
    ----------
    input_names, output_names : list of str
    reads_tokens : bool
        Whether each token has a row of outputs, and not each text.
    model_type : str
    vocab_size : int
    """

    encoder: Any

    def __init__(
        self, checkpoint: Checkpoint, export: EncoderExport, n_prompt: int
    ) -> None:
        super().__init__()
        resolved = export.encoder
        readout = resolved.readout
        self.encoder = checkpoint.model.float()
        # The attention that every model has, made of plain operations.
        set_attention(self.encoder, "eager")
        self.after_pooling = checkpoint.modules.float()
        self.output = None if export.head is None else _Output(export.head)
        self._layers = _layers_read(resolved.layers, readout.layer_weights)
        self._n_layers = checkpoint.architecture.n_layers
        self._readout = readout
        pools_prompt = not isinstance(readout, PooledReadout) or readout.include_prompt
        self._n_prompt = 0 if pools_prompt else n_prompt
        self._normalize = export.normalize
        self.reads_tokens = not isinstance(readout, PooledReadout)
        self.model_type = str(self.encoder.config.model_type)
        self.vocab_size = self.encoder.get_input_embeddings().weight.shape[0]
        self.input_names = ["input_ids", "attention_mask"]
        if checkpoint.architecture.has_segments:
            self.input_names.append("token_type_ids")
        self.output_names = ["features"] if self.output is None else self.output.names
        # The exporter restores the mode of this module in all modules inside it.
        self.eval()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of a padded batch.

        Parameters
        ----------
        *inputs : Tensor of shape (n, length), int64
            In the order of ``input_names``.

        Returns
        -------
        tuple of Tensor
            In the order of ``output_names``.
        """
        named = dict(zip(self.input_names, inputs, strict=True))
        states = self._states(named)
        readout = self._readout
        if readout.layer_weights is not None:
            states = [average_layers(states, readout.layer_weights)]
        if isinstance(readout, PooledReadout):
            mask, segments = named["attention_mask"], named.get("token_type_ids")
            states = [
                pool_padded(one, mask, segments, readout.pooling, self._n_prompt)
                for one in states
            ]
        rows = torch.cat(states, dim=-1)
        if readout.n_modules:
            rows = self.after_pooling(rows, readout.n_modules)
        if readout.n_kept is not None:
            rows = rows[:, : readout.n_kept]
        if self._normalize:
            size = torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
            rows = rows / torch.where(size == 0, torch.ones_like(size), size)
        return (rows,) if self.output is None else self.output(rows)

    def _states(self, inputs: dict[str, Tensor]) -> list[Tensor]:
        """Return the states of the layers that are read."""
        if self._layers == (self._n_layers,):
            return [self.encoder(**inputs).last_hidden_state]
        states = states_of(self.encoder(**inputs, output_hidden_states=True))
        return [states[layer] for layer in self._layers]


def _layers_read(
    layers: tuple[int, ...], weights: tuple[float, ...] | None
) -> tuple[int, ...]:
    """Return the layers that are read: as many as there are weights, if there are."""
    if weights is None:
        return layers
    stop = layers[-1] + 1
    return tuple(range(stop - len(weights), stop))


class _Output(nn.Module):
    """The output layer, and the probabilities that its logits give."""

    coef: Tensor
    intercept: Tensor

    def __init__(self, head: LabeledHead) -> None:
        super().__init__()
        for name, array in (("coef", head.coef), ("intercept", head.intercept)):
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32))
        self._kind = head.problem_type
        is_number = self._kind == "regression"
        self.names = ["predictions"] if is_number else ["logits", "probabilities"]

    def forward(self, rows: Tensor) -> tuple[Tensor, ...]:
        outputs = nn.functional.linear(rows, self.coef, self.intercept)
        if self._kind == "regression":
            return (outputs,)
        if self._kind == "multi_label_classification":
            return outputs, outputs.sigmoid()
        return outputs, outputs.softmax(-1)
