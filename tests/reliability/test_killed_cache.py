"""A process that is killed while it writes a cache leaves a cache that is right."""

import random
import signal
import subprocess
import sys
import time

import numpy as np

from sklearn_bert import BertVectorizer, cache_info

CODE = """
import sys
from sklearn_bert import BertVectorizer
vectorizer = BertVectorizer(sys.argv[1], cache=sys.argv[2])
k = int(sys.argv[3])
print("ready", flush=True)
while True:
    vectorizer.transform([f"good film {k} {n}" for n in range(20)])
    k += 1
"""


def test_a_killed_transform_leaves_no_wrong_vector(tiny_bert, tmp_path, tally):
    moments = random.Random(0)
    expected = BertVectorizer(tiny_bert)
    for k in range(tally.count(ci=3, soak=100)):
        command = [sys.executable, "-P", "-c", CODE, tiny_bert, tmp_path, str(1000 * k)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.3))
            process.kill()
        # Otherwise it has failed on its own.
        assert process.returncode == -signal.SIGKILL
        texts = [f"good film {1000 * k + n // 20} {n % 20}" for n in range(100)]
        n_before = cache_info(tmp_path).n_vectors
        features = BertVectorizer(tiny_bert, cache=tmp_path).transform(texts)
        with tally.case("kill -9 during a cached transform"):
            np.testing.assert_allclose(
                features, expected.transform(texts), rtol=0, atol=5e-6
            )
            assert cache_info(tmp_path).n_vectors >= n_before
