"""Pre-training by masked language modeling."""

from sklearn_bert._params.pretraining import PRE_TRAINING
from sklearn_bert._params.shared import constraints, document
from sklearn_bert._pretraining.fit import BasePretrainer


@document(PRE_TRAINING)
class BertMaskedLM(BasePretrainer):
    """Pre-train an encoder by masked language modeling.

    Some tokens of each text are masked, and the encoder learns to predict them from the
    others. No labels are needed. Training starts from random weights with a vocabulary
    learned from the texts (`model=None`), or continues from a checkpoint, to adapt it
    to the texts of a domain.

    A fitted `BertMaskedLM` is a valid `model` of every other estimator, and so is the
    folder that :meth:`save_pretrained` writes.

    Parameters
    ----------
    %(model)s

    %(revision)s

    %(n_layers)s

    %(hidden_size)s

    %(n_heads)s

    %(vocab_size)s

    %(lowercase)s

    %(max_length)s

    %(mask_probability)s

    %(whole_word_masking)s

    %(n_epochs)s

    %(max_steps)s

    %(max_time)s

    %(batch_tokens)s

    %(learning_rate)s

    %(schedule)s

    %(warmup)s

    %(weight_decay)s

    %(dropout)s

    %(checkpoint_dir)s

    %(checkpoint_interval)s

    %(device)s

    %(dtype)s

    %(random_state)s

    %(verbose)s

    Attributes
    ----------
    encoder_ : object
        The pre-trained encoder.

    vocabulary_ : dict of str to int
        The id of each token.

    loss_curve_ : list of float
        Mean training loss per masked token of each epoch, in nats. The last epoch may
        be incomplete.

    n_steps_ : int
        Number of optimizer steps.

    n_tokens_ : int
        Number of tokens read in training, including special tokens.

    max_length_ : int
        Maximum number of tokens per sequence, as resolved by `fit`.

    device_ : str
        Device used by `fit`.

    checkpoint_ : CheckpointRecord or None
        The checkpoint that training started from; `None` for a new model.

    n_features_in_ : int
        Always 1, the column of texts.

    feature_names_in_ : ndarray of shape (1,)
        Name of the column seen by `fit`. Defined only if X is a frame whose column
        names are all strings.

    See Also
    --------
    BertClassifier : Fine-tunes an encoder to predict labels.
    BertVectorizer : Features of texts from a frozen encoder.
    BertTokenizer : Token ids and word pieces.

    Notes
    -----
    A pickle contains the weights and needs no checkpoint.

    The language modeling head is that of the checkpoint. Checkpoints without one, such
    as those of sentence-transformers, get a new one, which shares the embeddings.

    References
    ----------
    Devlin, Chang, Lee and Toutanova, `BERT: Pre-training of Deep Bidirectional
    Transformers for Language Understanding <https://aclanthology.org/N19-1423>`_,
    NAACL 2019.

    Gururangan et al., `Don't Stop Pretraining
    <https://aclanthology.org/2020.acl-main.740>`_, ACL 2020, on continued pre-training
    on the texts of a domain.

    Examples
    --------
    >>> from sklearn_bert import BertMaskedLM, BertVectorizer
    >>> texts = ["the cat sat on the mat", "the dog sat on the rug"] * 20
    >>> masked_lm = BertMaskedLM(
    ...     n_layers=1, hidden_size=16, n_heads=2, vocab_size=64, random_state=0
    ... )
    >>> BertVectorizer(masked_lm.fit(texts)).transform(["the cat"]).shape
    (1, 16)
    """

    _parameter_constraints = constraints(PRE_TRAINING)

    def __init__(
        self,
        model=None,
        *,
        revision=None,
        n_layers=4,
        hidden_size=256,
        n_heads=4,
        vocab_size=8192,
        lowercase=True,
        max_length=None,
        mask_probability=0.15,
        whole_word_masking=False,
        n_epochs=1,
        max_steps=None,
        max_time=None,
        batch_tokens=4096,
        learning_rate="auto",
        schedule="linear",
        warmup=0.1,
        weight_decay=0.01,
        dropout=0.1,
        checkpoint_dir=None,
        checkpoint_interval=300.0,
        device="auto",
        dtype="auto",
        random_state=None,
        verbose=0,
    ):
        self.model = model
        self.revision = revision
        self.n_layers = n_layers
        self.hidden_size = hidden_size
        self.n_heads = n_heads
        self.vocab_size = vocab_size
        self.lowercase = lowercase
        self.max_length = max_length
        self.mask_probability = mask_probability
        self.whole_word_masking = whole_word_masking
        self.n_epochs = n_epochs
        self.max_steps = max_steps
        self.max_time = max_time
        self.batch_tokens = batch_tokens
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.warmup = warmup
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_interval = checkpoint_interval
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Pre-train on texts.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1), path or iterable
            Texts; the `pathlib.Path` of a UTF-8 file with one text per line; or an
            iterable of texts, such as a generator, which need not fit into memory.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        InputError
            If X contains values that are not texts, or no words.
        CheckpointError
            If the checkpoint is not found or is damaged, or has no mask token.
        ResumeError
            If `checkpoint_dir` contains a training run with other parameters or texts.
        DivergenceError
            If a loss or a gradient becomes NaN or infinite. The estimator can still be
            used, with the last weights that gave finite values.
        """
        return self._fit(X)
