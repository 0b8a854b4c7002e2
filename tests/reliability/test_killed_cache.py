"""A process that is killed while it writes a cache leaves all that it has written."""

import random
import signal
import subprocess
import sys
import time

import numpy as np

from sklearn_bert import BertVectorizer

CODE = """
import sys
from sklearn_bert import BertVectorizer
vectorizer = BertVectorizer(sys.argv[1], cache=sys.argv[2])
k = int(sys.argv[3])
while True:
    vectorizer.transform([f"good film {k} {n}" for n in range(20)])
    print("written", flush=True)
    k += 1
"""


def test_a_killed_transform_loses_and_damages_nothing(
    tiny_bert, tmp_path, tally, encoded_texts
):
    moments = random.Random(0)
    expected, cached = BertVectorizer(tiny_bert), BertVectorizer(tiny_bert)
    cached.set_params(cache=tmp_path)
    for k in range(tally.count(ci=3, soak=100)):
        command = [sys.executable, "-P", "-c", CODE, tiny_bert, tmp_path, str(1000 * k)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.3))
            process.kill()
            n_written = 1 + len(process.stdout.readlines())
        # Otherwise it has failed on its own.
        assert process.returncode == -signal.SIGKILL
        # The last of these texts may have been written in part when it was killed.
        n_texts = 20 * (n_written + 1)
        texts = [f"good film {1000 * k + n // 20} {n % 20}" for n in range(n_texts)]
        with tally.case("kill -9 during a cached transform"):
            encoded_texts.clear()
            features = cached.transform(texts)
            assert sum(encoded_texts) <= 20
            np.testing.assert_allclose(
                features, expected.transform(texts), rtol=0, atol=5e-6
            )
