/** The npm package ml-matrix: a product and a norm for each step. */
import type { Guest } from './contender.ts';
import { installed } from './installed.ts';

interface Matrix {
  clone(): Matrix;
  mmul(other: Matrix): Matrix;
  mulColumnVector(vector: readonly number[]): Matrix;
  div(by: number): Matrix;
  norm(kind: 'frobenius'): number;
}
interface Package {
  readonly Matrix: (new (rows: readonly (readonly number[])[]) => Matrix) & { eye(n: number): Matrix };
}

export const mlMatrix: Guest = {
  name: 'ml-matrix',
  workloads: ['P5'],
  async open() {
    const { Matrix } = (await installed('ml-matrix')) as Package;
    return {
      ...({ contender: 'ml-matrix', backend: 'js', isa: 'js', threads: 1 } as const),
      readyChain({ units: n, dtype }, { W, slopes }, out) {
        if (dtype !== 'f64') return undefined;
        const rows = (values: ArrayLike<number>): number[][] =>
          Array.from({ length: values.length / n }, (_, i) => Array.from({ length: n }, (_, j) => values[i * n + j]!));
        const [weights, steps] = [new Matrix(rows(W)), rows(slopes)];
        const run = () => {
          let product = Matrix.eye(n);
          let log = 0;
          for (const [t, slope] of steps.entries()) {
            product = weights.clone().mulColumnVector(slope).mmul(product);
            const norm = product.norm('frobenius');
            product = product.div(norm);
            log += Math.log(norm);
            out[t] = log;
          }
        };
        return { run, dispose() {} };
      },
    };
  },
};
