"""A map of texts: features in two dimensions, colored by label."""

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from sklearn_bert._sklearn_compat import check_matplotlib_support
from sklearn_bert.inspection._axes import prepare_axes
from sklearn_bert.inspection._class_points import draw_classes


class EmbeddingMapDisplay:
    """Map of texts in two dimensions, in which similar texts are close to each other.

    It is recommended to use :meth:`from_estimator` or :meth:`from_embeddings`.

    Parameters
    ----------
    coordinates : array-like of shape (n_samples, 2)
        Where each text is.

    y : array-like of shape (n_samples,), default=None
        Labels or, if they are floats, values.

    axis_names : tuple of str, default=("1", "2")
        Labels of the two axes.

    Attributes
    ----------
    coordinates, y : ndarray
        As given; `y` may be None.

    axis_names : tuple of str
        As given.

    ax_ : matplotlib Axes
        The axes of the last figure. Defined after :meth:`plot`.

    figure_ : matplotlib Figure
        The last figure. Defined after :meth:`plot`.

    Examples
    --------
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.inspection import EmbeddingMapDisplay
    >>> texts = ["a joy to watch", "utterly dull", "charming and funny", "a mess"]
    >>> labels = ["good", "bad", "good", "bad"]
    >>> display = EmbeddingMapDisplay.from_estimator(BertVectorizer(), texts, labels)
    >>> display.coordinates.shape
    (4, 2)
    """

    def __init__(self, coordinates, y=None, axis_names=("1", "2")):
        self.coordinates = np.asarray(coordinates)
        if self.coordinates.ndim != 2 or self.coordinates.shape[1] != 2:
            raise ValueError(
                "A map must have two coordinates for each text. Got an array of shape "
                f"{self.coordinates.shape}. Use a projection to two components."
            )
        self.y = None if y is None else np.asarray(y)
        if self.y is not None and self.y.shape != (len(self.coordinates),):
            raise ValueError(
                f"y must have one label for each of {len(self.coordinates)} texts. Got "
                f"an array of shape {self.y.shape}. Of several labels per text, pass "
                "one column."
            )
        self.axis_names = axis_names

    @classmethod
    def from_estimator(cls, estimator, X, y=None, projection=None, *, ax=None):
        """Draw a map of the features of texts.

        Parameters
        ----------
        estimator : BertVectorizer, BertClassifier, BertRegressor or Pipeline
            An estimator with `transform`, or a fitted Pipeline. A last step that has
            no `transform`, such as a linear model, is left out.

        X : array-like
            Texts, or pairs of texts, as for `transform`.

        y : array-like of shape (n_samples,), default=None
            As in :meth:`from_embeddings`, and so the following two.

        projection : transformer, default=None
            What turns features into two coordinates.

        ax : matplotlib Axes, default=None
            Where to draw. By default a new figure.

        Returns
        -------
        display : EmbeddingMapDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if isinstance(estimator, Pipeline) and not hasattr(estimator, "transform"):
            estimator = estimator[:-1]
        if not hasattr(estimator, "transform"):
            raise ValueError(
                "estimator must turn texts into features. Got a "
                f"{type(estimator).__name__}, which has no transform. Pass a "
                "BertVectorizer, or a fitted BertClassifier."
            )
        features = estimator.transform(X)
        return cls.from_embeddings(features, y, projection, ax=ax)

    @classmethod
    def from_embeddings(cls, embeddings, y=None, projection=None, *, ax=None):
        """Draw a map of features.

        Parameters
        ----------
        embeddings : array-like of shape (n_samples, n_features)
            Features of texts.

        y : array-like of shape (n_samples,), default=None
            What colors the texts: labels, of which the ten most frequent are named, or
            floats, which are shown by a color bar.

        projection : transformer, default=None
            What turns features into two coordinates, such as
            :class:`~sklearn.manifold.TSNE`; a clone of it is fitted. By default
            the first two components of :class:`~sklearn.decomposition.PCA`.

        ax : matplotlib Axes, default=None
            Where to draw. By default a new figure.

        Returns
        -------
        display : EmbeddingMapDisplay
            The display.
        """
        check_matplotlib_support(f"{cls.__name__}.from_embeddings")
        projection = PCA(2, random_state=0) if projection is None else clone(projection)
        coordinates = projection.fit_transform(embeddings)
        names = [f"{type(projection).__name__} {axis}" for axis in (1, 2)]
        if isinstance(projection, PCA):
            shares = projection.explained_variance_ratio_
            names = [
                f"{name} ({share:.0%} of the variance)"
                for name, share in zip(names, shares, strict=False)
            ]
        return cls(coordinates, y, tuple(names)).plot(ax)

    def plot(self, ax=None):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. By default a new figure.

        Returns
        -------
        display : EmbeddingMapDisplay
            The same display.
        """
        ax = prepare_axes(self, ax)
        if self.y is None:
            ax.scatter(*self.coordinates.T, s=20, alpha=0.8)
        elif self.y.dtype.kind == "f":
            # Missing values are gray.
            from matplotlib import colormaps

            colors = colormaps["viridis"].with_extremes(bad="0.8")
            style = {"s": 20, "cmap": colors, "plotnonfinite": True}
            points = ax.scatter(*self.coordinates.T, c=self.y, **style)
            ax.figure.colorbar(points, ax=ax, label="y")
        else:
            draw_classes(ax, self.coordinates, self.y)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        return self
