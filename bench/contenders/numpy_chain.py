"""Norms of a product of Jacobians diag(slopes[t]) W: a product and a norm for each step."""

import numpy as np


def prepare(case, arrays):
    n = case["units"]
    W, slopes = arrays["W"].reshape(n, n), arrays["slopes"].reshape(-1, n)

    def compute():
        product, log, logs = np.eye(n), 0.0, []
        for slope in slopes:
            product = (slope[:, None] * W) @ product
            norm = np.linalg.norm(product)
            product /= norm
            log += np.log(norm)
            logs.append(log)
        return np.array(logs)

    return compute
