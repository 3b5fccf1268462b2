/** The Kalman smoother of statsmodels, which is compiled; it has no EM. */
import type { Guest } from './contender.ts';
import { inPython, requirePython } from './python.ts';

export const statsmodels: Guest = {
  name: 'statsmodels',
  workloads: ['P3'],
  open() {
    requirePython('numpy', 'statsmodels');
    return {
      ...({ contender: 'statsmodels', backend: 'python', isa: 'python', threads: 1 } as const),
      readyDynamics({ latent, sequences, steps, pass }, { parameters, x }, out) {
        if (pass === 'em') return undefined;
        const { A, B, Q, R, V0 } = parameters;
        return inPython('statsmodels_dynamics', { latent, sequences, steps, pass }, { A, B, Q, R, V0, x }, out);
      },
    };
  },
};
