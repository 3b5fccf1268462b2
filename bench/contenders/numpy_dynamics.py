"""Filter, smoother and EM iteration in NumPy; arrays [s, ...] hold a step of all sequences."""

import numpy as np


def transpose(a):
    return np.swapaxes(a, -1, -2)


def symmetric(a):
    return (a + transpose(a)) / 2


def prepare(case, arrays):
    m, s, steps = case["latent"], case["sequences"], case["steps"]
    A, B, Q, R, V0 = (arrays[name].reshape(m, m) for name in ("A", "B", "Q", "R", "V0"))
    x = np.ascontiguousarray(arrays["x"].reshape(s, steps, m, 1).swapaxes(0, 1))
    eye = np.eye(m)

    def kalman():
        means, covariances = np.empty((steps, s, m, 1)), np.empty((steps, s, m, m))
        total = -0.5 * s * steps * m * np.log(2 * np.pi)
        for t in range(steps):
            if t == 0:
                z, P = np.zeros((s, m, 1)), np.broadcast_to(V0, (s, m, m))
            else:
                z, P = A @ z, A @ P @ A.T + Q
            BP = B @ P
            S = BP @ B.T + R
            e = x[t] - B @ z
            K = transpose(np.linalg.solve(S, BP))
            total -= 0.5 * (np.linalg.slogdet(S)[1].sum() + (e * np.linalg.solve(S, e)).sum())
            E = eye - K @ B
            z, P = z + K @ e, symmetric(E @ P @ transpose(E) + K @ R @ transpose(K))
            means[t], covariances[t] = z, P
        return total, means, covariances

    def smoother():
        total, means, covariances = kalman()
        lag = np.zeros((steps - 1, s, m, m))
        for t in range(steps - 2, -1, -1):
            z, P = means[t], covariances[t]
            AP = A @ P
            Jt = np.linalg.solve(AP @ A.T + Q, AP)
            J = transpose(Jt)
            E = eye - J @ A
            lag[t] = covariances[t + 1] @ Jt
            means[t] = z + J @ (means[t + 1] - A @ z)
            covariances[t] = symmetric(E @ P @ transpose(E) + J @ Q @ Jt + J @ lag[t])
        return total, means, covariances, lag

    def filtered():
        return kalman()[1].swapaxes(0, 1).ravel()

    def smoothed():
        total, means, *_ = smoother()
        return np.concatenate([[total], means.swapaxes(0, 1).ravel()])

    def em():
        total, means, covariances, lag = smoother()
        z, y = means.reshape(-1, m), x.reshape(-1, m)
        Szz, Sxz = covariances.sum((0, 1)) + z.T @ z, y.T @ z
        before, after = means[:-1].reshape(-1, m), means[1:].reshape(-1, m)
        S00 = covariances[:-1].sum((0, 1)) + before.T @ before
        S11 = covariances[1:].sum((0, 1)) + after.T @ after
        S10 = lag.sum((0, 1)) + after.T @ before
        newA, newB = np.linalg.solve(S00, S10.T).T, np.linalg.solve(Szz, Sxz.T).T
        newQ = (S11 - newA @ S10.T) / len(after)
        newR = (y.T @ y - newB @ Sxz.T) / len(y)
        first = means[0, :, :, 0]
        mean = first.mean(0)
        V = (covariances[0].sum(0) + (first - mean).T @ (first - mean)) / s
        return np.concatenate([[total], *(a.ravel() for a in (newA, newB, newQ, newR, mean, V))])

    return {"filter": filtered, "smooth": smoothed, "em": em}[case["pass"]]
