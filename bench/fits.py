"""Fits of scikit-learn with its defaults, for bench/fits.ts: the data sets, and what its fits reach in what time."""
import json
import os
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is loaded
from sklearn import datasets, decomposition, mixture  # noqa: E402

warnings.simplefilter("ignore")
SEEDS, REPEATS = range(5), int(sys.argv[1])


def blobs(rows, columns, centers, spread):
    return datasets.make_blobs(rows, columns, centers=centers, cluster_std=spread, random_state=1)[0]


sets = {
    "iris": datasets.load_iris().data,
    "wine": datasets.load_wine().data,
    "breast cancer": datasets.load_breast_cancer().data,
    "diabetes": datasets.load_diabetes().data,
    "digits, 8 parts": decomposition.PCA(8, random_state=0).fit_transform(datasets.load_digits().data),
    "blobs 300 x 2, 3": blobs(300, 2, 3, 1.0),
    "blobs 1000 x 5, 5": blobs(1000, 5, 5, 2.0),
    "blobs 2000 x 8, 8": blobs(2000, 8, 8, 3.0),
}
cases = []
for name, x in sets.items():
    for k in (2, 3, 5, 8):
        fits = []
        for seed in SEEDS:
            seconds = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                model = mixture.GaussianMixture(k, random_state=seed).fit(x)
                seconds.append(time.perf_counter() - start)
            fits.append({"score": model.score(x), "seconds": min(seconds)})
        cases.append({"set": name, "components": k, "fits": fits})
json.dump({"sets": {name: x.tolist() for name, x in sets.items()}, "cases": cases}, sys.stdout)
