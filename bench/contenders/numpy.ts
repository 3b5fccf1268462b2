/**
 * NumPy: the steps in Python, the products and solutions of all sequences at a step in one call each; convolution with
 * SciPy, if it is there.
 */
import type { Guest } from './contender.ts';
import { inPython, requirePython } from './python.ts';

export const numpy: Guest = {
  name: 'numpy',
  workloads: ['P3', 'P5', 'P6'],
  open() {
    requirePython('numpy');
    return {
      ...({ contender: 'numpy', backend: 'python', isa: 'python', threads: 1 } as const),
      readyDynamics({ latent, sequences, steps, pass }, { parameters, x }, out) {
        const { A, B, Q, R, V0 } = parameters;
        return inPython('numpy_dynamics', { latent, sequences, steps, pass }, { A, B, Q, R, V0, x }, out);
      },
      readyChain({ units, dtype }, { W, slopes }, out) {
        if (dtype !== 'f64') return undefined;
        return inPython('numpy_chain', { units }, { W, slopes: slopes as Float64Array }, out);
      },
      readyConvolution({ pass, dtype }, { x, w, dy }, out) {
        if (dtype !== 'f64') return undefined;
        const [a, b, c, all] = [x, w, dy, out] as Float64Array[];
        return inPython('numpy_convolution', { pass }, { x: a!, w: b!, dy: c! }, all!);
      },
    };
  },
};
