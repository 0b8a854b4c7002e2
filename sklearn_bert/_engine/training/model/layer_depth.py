"""How deep in an encoder a weight stands, which freezing and layer decay go by."""

import re

from torch import nn

# What all layers read beside the embeddings belongs to them: tables of relative
# positions, and the norm and the projection behind the embeddings.
_EMBEDDINGS = re.compile(r"embed|norm_emb|relative_attention_bias")
_IN_A_LIST = re.compile(r"\.\d+\.")


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
    """

    def __init__(self, model: nn.Module, n_layers: int) -> None:
        self._n_layers = n_layers
        lists = [
            name
            for name, module in model.named_modules()
            if isinstance(module, nn.ModuleList) and len(module) == n_layers
        ]
        self.has_layers = bool(lists)
        names = "|".join(map(re.escape, lists))
        # Lists inside a layer have longer names, so the layer's own comes first.
        self._layer = re.compile(rf"^(?:{names})\.(\d+)\." if lists else r"(?!)")

    def of_weight(self, name: str) -> int:
        """Return 0 for the embeddings, k for the k-th layer, else the last layer's."""
        return self._find(name, self._n_layers)

    def of_module(self, name: str) -> int:
        """Return a module's depth; 0 for one beside the layers, the last layer's else.

        Layers that share their weights count as the last one.
        """
        name = f"{name}."
        return self._find(name, self._n_layers if _IN_A_LIST.search(name) else 0)

    def _find(self, name: str, other: int) -> int:
        if match := self._layer.search(name):
            return int(match[1]) + 1
        return 0 if _EMBEDDINGS.search(name) else other
