"""The supervised contrastive loss, which makes texts of one class similar."""

import torch
import torch.nn.functional as F
from torch import Tensor

# Lower temperatures, which are usual with many texts, learn less from few.
_TEMPERATURE = 0.3


def contrastive_losses(vectors: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Return the loss of each text of a batch.

    It is the cross-entropy between the texts of the same class and the most similar
    ones, by the cosine of their vectors, so that n texts give n² pairs.

    Unlike in [1]_, each text is also compared with itself. A text of weight 2 then
    counts as two texts, and one that is alone in its class is told from the others.

    Parameters
    ----------
    vectors : Tensor of shape (n, width)
    classes : Tensor of shape (n,), int64
    weights : Tensor of shape (n,)
        Positive, or rounded to 0.

    Returns
    -------
    Tensor of shape (n,)

    References
    ----------
    .. [1] Khosla et al., `Supervised Contrastive Learning
       <https://arxiv.org/abs/2004.11362>`_, NeurIPS 2020.
    """
    # Few numbers, which should not be rounded to bfloat16.
    units = F.normalize(vectors.to(torch.promote_types(vectors.dtype, torch.float32)))
    similarities = units @ units.T / _TEMPERATURE
    # A weight may be rounded to 0, and its text be alone in its class.
    weights = weights.clamp_min(torch.finfo(weights.dtype).tiny)
    total = (similarities + weights.log()).logsumexp(1, keepdim=True)
    is_same = (classes[:, None] == classes) * weights
    share = is_same / is_same.sum(1, keepdim=True)
    return (share * (total - similarities)).sum(1)
