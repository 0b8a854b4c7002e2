"""Estimators, clusters that start once for all tests, and counts of their loads."""

import sys
import warnings

import cluster_steps
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer


@pytest.fixture
def vectorizer(tiny_bert):
    return BertVectorizer(tiny_bert)


@pytest.fixture
def classifier(vectorizer, texts):
    labels = [("good", "bad", "mixed")[k % 3] for k in range(40)]
    return make_pipeline(vectorizer, LogisticRegression(max_iter=1000)).fit(
        texts, labels
    )


@pytest.fixture(scope="session")
def dask_client():
    """A client of two worker processes with one thread each."""
    dask_distributed = pytest.importorskip("dask.distributed")
    # Workers cannot import tests.
    cloudpickle = pytest.importorskip("cloudpickle")
    for module in (cluster_steps, sys.modules[__name__]):
        cloudpickle.register_pickle_by_value(module)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        dask_distributed.LocalCluster(**options) as cluster,
        dask_distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def ray_cluster():
    """The module ray, with a cluster on this machine."""
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        cluster_steps.remove_thread_limits(patch)
        # By default, whatever else the machine does comes before its workers.
        patch.setenv("RAY_worker_niceness", "0")
        ray.init(
            # More than there are: actors of a call that failed may still hold some.
            num_cpus=4,
            object_store_memory=200 * 2**20,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="critical",
        )
    with warnings.catch_warnings():
        # Ray warns about its own defaults.
        warnings.simplefilter("ignore", DeprecationWarning)
        pytest.importorskip("ray.data").DataContext.get_current()
    yield ray
    ray.shutdown()


def count_loads():
    """Let this process count the encoders that it builds, from 0."""
    from sklearn_bert._engine.encoding.encoder import build_encoder
    from sklearn_bert._engine.encoding.encoder_cache import ENCODERS

    ENCODERS.n_loads = 0

    def build(*args):
        ENCODERS.n_loads += 1
        return build_encoder(*args)

    ENCODERS._build = build


def n_loads():
    """Return how many encoders this process has built since it counts them."""
    from sklearn_bert._engine.encoding.encoder_cache import ENCODERS

    return ENCODERS.n_loads


@pytest.fixture
def dask_loads(dask_client):
    """Return a function that returns the loads of each worker process in this test."""
    # Another test may have killed one, which starts again.
    dask_client.wait_for_workers(2)
    dask_client.run(count_loads)
    return lambda: list(dask_client.run(n_loads).values())
