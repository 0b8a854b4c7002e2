"""The VADER sentiment snippets, each with the mean of its human ratings.

The data is part of the source distribution of the package vaderSentiment,
https://pypi.org/project/vaderSentiment/3.3.2/, as an archive inside the archive.
"""

import gzip
import os
import uuid
import warnings
import zlib
from importlib import resources
from pathlib import Path

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

from sklearn_bert._sklearn_compat import StrOptions, validate_params
from sklearn_bert.datasets._sdist import Sdist, get_sdist, read_members

SDIST = Sdist(
    project="vaderSentiment",
    version="3.3.2",
    sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
)
INNER_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
MEMBERS = {
    "movies": "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
    "tweets": "hutto_ICWSM_2014/tweets_GroundTruth.txt",
    "amazon": "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt",
    "nyt": "hutto_ICWSM_2014/nytEditorialSnippets_GroundTruth.txt",
}

# Raised by gunzipping and parsing a damaged file.
DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error, ValueError)


@validate_params(
    {
        "subset": [StrOptions(set(MEMBERS))],
        "data_home": [str, os.PathLike, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_vader_sentiment(
    *,
    subset="movies",
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
):
    """Load the VADER sentiment snippets (regression).

    Sentence-level English snippets from four sources, each with the mean of 15 or
    more human ratings from -4 (extremely negative) to 4 (extremely positive).

    ==========   ======   ======================================
    subset         rows   source
    ==========   ======   ======================================
    movies       10,605   film reviews
    tweets        4,200   tweet-like texts
    amazon        3,708   customer reviews of products
    nyt           5,190   opinion articles of The New York Times
    ==========   ======   ======================================

    For a binary target take the sign of the rating, and leave out the few rows that
    are rated exactly 0 (see Examples).

    Parameters
    ----------
    subset : {"movies", "tweets", "amazon", "nyt"}, default="movies"
        The source to load. The first call downloads all four.

    data_home : str or path-like, default=None
        Specify another download and cache folder for the datasets. By default
        all scikit-learn data is stored in '~/scikit_learn_data' subfolders.

    download_if_missing : bool, default=True
        If False, raise an OSError if the data is not locally available instead of
        trying to download the data from the source site. The download is done by
        pip, with its configured package index. Without access to one, place the
        file vaderSentiment-3.3.2.tar.gz from PyPI in the folder `data_home`.

    return_X_y : bool, default=False
        If True, returns ``(data.data, data.target)`` instead of a Bunch object.

    as_frame : bool, default=False
        If True, the data and the target are pandas Series.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray of shape (n_samples,), dtype=object
            The texts, as str, exactly as published: HTML entities such as
            ``&amp;`` are not decoded.
            If ``as_frame`` is True, a pandas Series named "text".
        target : ndarray of shape (n_samples,), dtype=float64
            The mean human rating of each text, from -4 to 4.
            If ``as_frame`` is True, a pandas Series named "rating".
        ids : ndarray of shape (n_samples,), dtype=object
            The identifiers of the rows, as str. In the subsets "amazon" and "nyt"
            their format is ``"<review or article>_<sentence>"``.
        frame : pandas DataFrame
            The columns "text" and "rating". None unless ``as_frame`` is True.
        feature_names : list of length 1
            The name of the text column.
        target_names : list of length 1
            The name of the target column.
        DESCR : str
            Description of the dataset.

    (data, target) : tuple if ``return_X_y`` is True
        The texts and their ratings, as described above.

    Raises
    ------
    OSError
        If the data is not locally available and ``download_if_missing`` is False, if
        the download fails, or if a local file is damaged.

    References
    ----------
    .. [1] C.J. Hutto and Eric Gilbert, `"VADER: A Parsimonious Rule-based Model for
       Sentiment Analysis of Social Media Text"
       <https://doi.org/10.1609/icwsm.v8i1.14550>`_, Proceedings of the Eighth
       International AAAI Conference on Weblogs and Social Media, 2014.

    Examples
    --------
    >>> from sklearn_bert.datasets import fetch_vader_sentiment
    >>> movies = fetch_vader_sentiment()  # doctest: +SKIP
    >>> movies.data.shape, movies.target.shape  # doctest: +SKIP
    ((10605,), (10605,))

    Binary classification of positive and negative texts:

    >>> rated = movies.target != 0  # doctest: +SKIP
    >>> X = movies.data[rated]  # doctest: +SKIP
    >>> y = movies.target[rated] > 0  # doctest: +SKIP
    >>> X.shape, int(y.sum())  # doctest: +SKIP
    ((10568,), 5242)
    """
    folder = Path(get_data_home(data_home=data_home))
    ids, target, data = _load_rows(subset, folder, download_if_missing)

    frame = None
    if as_frame:
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "fetch_vader_sentiment with as_frame=True requires pandas."
            ) from error
        frame = pd.DataFrame({"text": data, "rating": target})
        data, target = frame["text"], frame["rating"]

    if return_X_y:
        return data, target

    return Bunch(
        data=data,
        target=target,
        ids=ids,
        frame=frame,
        feature_names=["text"],
        target_names=["rating"],
        DESCR=_load_descr(),
    )


def _load_descr():
    package = resources.files("sklearn_bert.datasets")
    return package.joinpath("descr", "vader_sentiment.rst").read_text(encoding="utf-8")


def _load_rows(subset, folder, download_if_missing):
    """Return ids, ratings and texts, from the cache if it is readable."""
    path = _cache_path(folder, subset)
    if path.exists():
        try:
            return _parse(gzip.decompress(path.read_bytes()))
        except DAMAGE as error:
            _report_damage(path, error, download_if_missing)

    files = _read_files(get_sdist(SDIST, folder, download_if_missing))
    for name, content in files.items():
        _write_atomically(_cache_path(folder, name), gzip.compress(content, mtime=0))
    return _parse(files[subset])


def _cache_path(folder, subset):
    return folder / f"vader_sentiment_{subset}.tsv.gz"


def _report_damage(path, error, download_if_missing):
    problem = f"The cached file {path} is damaged ({error})"
    if not download_if_missing:
        raise OSError(
            f"{problem} and `download_if_missing` is False. Fetch the data again with "
            "download_if_missing=True."
        ) from error
    warnings.warn(f"{problem}: fetching the data again.", stacklevel=5)


def _parse(content):
    """Return the ids, ratings and texts of the lines as arrays."""
    # str.splitlines would also split at other separators, and only the first two tabs
    # delimit columns.
    lines = (line.removesuffix("\r") for line in content.decode("utf-8").split("\n"))
    rows = [line.split("\t", 2) for line in lines if line]
    if not rows:
        raise ValueError("it has no rows")
    ids, ratings, texts = zip(*rows, strict=True)
    return (
        np.array(ids, dtype=object),
        np.array(ratings, dtype=np.float64),
        np.array(texts, dtype=object),
    )


def _read_files(sdist):
    """Return the content of the file of each subset."""
    inner = read_members(sdist, [INNER_ARCHIVE])[INNER_ARCHIVE]
    contents = read_members(inner, MEMBERS.values())
    return {subset: contents[member] for subset, member in MEMBERS.items()}


def _write_atomically(path, content):
    """Write a file that other processes see complete or not at all."""
    # The mode 0600 of a tempfile would exclude other users of a shared data home.
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
