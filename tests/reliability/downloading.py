"""Download a checkpoint, and print features of two texts."""

import json
import sys

from sklearn_bert import BertVectorizer


def main(model, texts):
    print(json.dumps(BertVectorizer(model).fit(texts).transform(texts).tolist()))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
