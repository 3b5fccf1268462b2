"""Filter and smoother of statsmodels, without its shortcut for steady states."""

import numpy as np
from statsmodels.tsa.statespace import kalman_smoother as ks


def prepare(case, arrays):
    m, steps = case["latent"], case["steps"]
    square = {name: arrays[name].reshape(m, m) for name in ("A", "B", "Q", "R", "V0")}
    models = []
    for x in arrays["x"].reshape(-1, steps, m):
        model = ks.KalmanSmoother(
            k_endog=m,
            k_states=m,
            smoother_output=ks.SMOOTHER_STATE | ks.SMOOTHER_STATE_COV | ks.SMOOTHER_STATE_AUTOCOV,
            tolerance=0,
        )
        model.bind(np.asfortranarray(x.T))
        model["transition"], model["design"] = square["A"], square["B"]
        model["selection"] = np.eye(m)
        model["state_cov"], model["obs_cov"] = square["Q"], square["R"]
        model.initialize_known(np.zeros(m), square["V0"])
        models.append(model)

    def filtered():
        return np.concatenate([model.filter().filtered_state.T.ravel() for model in models])

    def smoothed():
        results = [model.smooth() for model in models]
        total = sum(result.llf_obs.sum() for result in results)
        return np.concatenate([[total], *(result.smoothed_state.T.ravel() for result in results)])

    return filtered if case["pass"] == "filter" else smoothed
