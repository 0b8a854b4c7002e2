"""ONNX files of estimators."""

import json
from typing import Any

import torch

from sklearn_bert._engine.export.base_model import last_component
from sklearn_bert._engine.export.contents import EncoderExport
from sklearn_bert._engine.export.folder import replace_folder
from sklearn_bert._engine.export.onnx.libraries import import_onnx
from sklearn_bert._engine.export.onnx.write import MODEL, write_onnx
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard
from sklearn_bert._engine.runtime.versions import version_of
from sklearn_bert._sharing.free_folder import check_free_folder
from sklearn_bert._sharing.origin import record_of_export


class OnnxMixin:
    """Lets an estimator export what it computes of token ids."""

    def export_onnx(self: Any, folder):
        """Export the model to ONNX, for programs without PyTorch.

        The folder contains "model.onnx" and "tokenizer.json", which the packages
        onnxruntime and tokenizers read. If the weights have more than 2 GB, they are in
        "model.onnx.data".

        The inputs of the graph are `input_ids`, `attention_mask` and, if the encoder
        has segments, `token_type_ids`: int64 arrays of shape (n_samples, n_tokens) of
        any size, padded on the right. `BertVectorizer` has the output `features`, a
        classifier `logits` and `probabilities`, a regressor `predictions`, in the units
        of y. The outputs of `BertTokenClassifier` are those of each token: a word has
        those of its first token.

        "tokenizer.json" truncates to `max_length` tokens and pads. The prompt is not in
        it: put the metadata entry `prompt` in front of each text. The metadata of the
        graph also contain `classes` as JSON, and where the weights are from.

        Parameters
        ----------
        folder : str or path
            Must not exist, be empty, or contain only what an earlier call has written,
            which is then replaced, as in :meth:`save_pretrained`.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted and needs to be.
        ImportError
            If onnx or onnxruntime is not installed.
        ValueError
            If the folder contains other files; if `long_text` is not "truncate", so
            that a text can have several sequences or lack its middle; or if
            `pooling="compare"` reads pairs with an encoder without segments.
        CheckpointError
            If the encoder cannot be exported, or the outputs of the graph differ from
            those of the estimator by more than 1e-4 of the largest.

        Notes
        -----
        The graph computes in float32, whatever `dtype` is. It is run before this method
        returns, and its outputs are compared with those of the estimator.

        Special tokens such as "[SEP]" in a text are read as plain text, except by
        tokenizers with a unigram model, such as that of XLM-RoBERTa, and by those that
        split texts only at spaces.
        """
        fitted = self._snapshot()
        import_onnx()
        name = type(self).__name__
        path = check_free_folder(folder, "export_onnx", name, MODEL)
        export: EncoderExport = fitted._export()
        metadata = _describe(fitted, export)
        cpu, remedy = torch.device("cpu"), "Export on a machine with more memory"
        with OutOfMemoryGuard("The export", cpu, remedy):
            replace_folder(path, lambda new: write_onnx(export, metadata, new))


def _describe(estimator: Any, export: EncoderExport) -> dict[str, str]:
    """Return the metadata of an estimator, without a path of this machine."""
    metadata = {"estimator": type(estimator).__name__}
    if version := version_of("sklearn-bert"):
        metadata["sklearn_bert_version"] = version
    record = record_of_export(estimator, export)
    assert record is not None
    is_folder = record.source == "directory"
    metadata["model"] = last_component(record.model) if is_folder else record.model
    if record.commit is not None:
        metadata["commit"] = record.commit
    if hasattr(estimator, "classes_"):
        classes = estimator.classes_.tolist()
        metadata["classes"] = json.dumps(classes, ensure_ascii=False, default=str)
    return metadata
