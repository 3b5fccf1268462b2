"""Convolution in mode `valid`, and its gradients; by transforms where SciPy is there and finds them faster."""

import numpy as np

try:
    from scipy.signal import convolve, correlate
except ImportError:

    def convolve(a, b, mode):
        return np.convolve(a, b, mode)

    def correlate(a, b, mode):
        return np.correlate(a, b, mode)


def prepare(case, arrays):
    x, w, dy = arrays["x"], arrays["w"], arrays["dy"]
    if case["pass"] == "forward":
        return lambda: convolve(x, w, "valid")

    def gradient():
        dx = correlate(dy, w, "full")
        dw = correlate(x, dy, "valid")[::-1]
        return np.concatenate([dx, dw])

    return gradient
