/** NumPy: the steps in Python, the products and solutions of all sequences at a step in one call each. */
import type { Guest } from './contender.ts';
import { inPython, requirePython } from './python.ts';

export const numpy: Guest = {
  name: 'numpy',
  workloads: ['P3'],
  open() {
    requirePython('numpy');
    return {
      ...({ contender: 'numpy', backend: 'python', isa: 'python', threads: 1 } as const),
      readyDynamics({ latent, sequences, steps, pass }, { parameters, x }, out) {
        const { A, B, Q, R, V0 } = parameters;
        return inPython('numpy_dynamics', { latent, sequences, steps, pass }, { A, B, Q, R, V0, x }, out);
      },
    };
  },
};
