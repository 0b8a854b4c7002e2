"""How deep in an encoder a weight is, which decides about freezing and layer decay."""

import re
from dataclasses import dataclass

from torch import Tensor, nn

# What the lowest layers read counts as embeddings: tables of relative positions, the
# norm and the projection after the embeddings, and the convolution of DeBERTa-v2.
_EMBEDDINGS = re.compile(r"embed|norm_emb|relative_attention_bias|^encoder\.conv\.")
# In DeBERTa-v2, a norm of such a table has the name of XLM-RoBERTa-XL's last norm.
_TABLE, _NORM_OF_TABLE = "encoder.rel_embeddings", "encoder.LayerNorm."
_IN_A_LIST = re.compile(r"\.\d+\.")


@dataclass(frozen=True)
class TrainedTensor:
    """A tensor that is trained, and where in the model it is.

    Attributes
    ----------
    name : str
    tensor : Tensor
    depth : int
        0 in the embeddings, k in the k-th layer, one more than the number of layers in
        the head.
    """

    name: str
    tensor: Tensor
    depth: int


class LayerDepths:
    """The depths of a model's weights and modules, by their names.

    A layer is an item of a list of modules as long as the model has layers. Most models
    have one such list; XLM has one for each kind of block.

    Parameters
    ----------
    model : nn.Module
    n_layers : int

    Attributes
    ----------
    has_layers : bool
        Whether each layer has weights of its own. ALBERT's have not.
    layers : nn.ModuleList or None
        The layers, if there is one list of them.
    """

    def __init__(self, model: nn.Module, n_layers: int) -> None:
        self._n_layers = n_layers
        lists = {
            name: module
            for name, module in model.named_modules()
            if isinstance(module, nn.ModuleList) and len(module) == n_layers
        }
        self.layers = next(iter(lists.values())) if len(lists) == 1 else None
        self.has_layers = bool(lists)
        self._has_table = any(name == _TABLE for name, _ in model.named_modules())
        names = "|".join(map(re.escape, lists))
        # Lists inside a layer have longer names, so the layer's own comes first.
        self._layer = re.compile(rf"^(?:{names})\.(\d+)\." if lists else r"(?!)")

    def of_weight(self, name: str) -> int:
        """Return 0 for the embeddings, k for the k-th layer, else the last layer's."""
        return self._find(name, self._n_layers)

    def of_module(self, name: str) -> int:
        """Return 0 for a module outside the layers, k for one in the k-th layer.

        Layers that share their weights count as the last one.
        """
        name = f"{name}."
        return self._find(name, self._n_layers if _IN_A_LIST.search(name) else 0)

    def _find(self, name: str, other: int) -> int:
        if match := self._layer.search(name):
            return int(match[1]) + 1
        if self._has_table and name.startswith(_NORM_OF_TABLE):
            return 0
        return 0 if _EMBEDDINGS.search(name) else other
