/** The npm package @tensorflow/tfjs on its WebAssembly backend: the inputs of all steps in one product, then step by step. */
import type { Guest } from './contender.ts';
import { installed } from './installed.ts';

interface Tensor {
  dataSync(): Float32Array;
  dispose(): void;
}
interface Package {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor2d(values: Float32Array, shape: readonly [number, number]): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
  split(x: Tensor, parts: number): Tensor[];
  add(a: Tensor, b: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  tidy(compute: () => Tensor): Tensor;
}
interface WasmBackend {
  setThreadsCount(threads: number): void;
}

export const tfjs: Guest = {
  name: '@tensorflow/tfjs',
  workloads: ['P4'],
  async open() {
    const tf = (await installed('@tensorflow/tfjs')) as Package;
    const wasm = (await installed('@tensorflow/tfjs-backend-wasm')) as WasmBackend;
    wasm.setThreadsCount(1);
    if (!(await tf.setBackend('wasm'))) throw new Error('its WebAssembly backend does not start');
    await tf.ready();
    return {
      ...({ contender: 'tfjs', backend: 'wasm', isa: 'simd128', threads: 1 } as const),
      readyRecurrent({ pass, dtype, sequences: S, steps: T, inputs: I, units: H, outputs: O }, draw, out) {
        if (pass !== 'forward' || dtype !== 'f32') return undefined;
        const matrix = (values: ArrayLike<number>, rows: number): Tensor =>
          tf.tensor2d(Float32Array.from(values), [rows, values.length / rows]);
        const byStep = Float32Array.from(draw.x, (_, at) => {
          const [t, s] = [Math.floor(at / (S * I)), Math.floor(at / I) % S];
          return draw.x[(s * T + t) * I + (at % I)]!;
        });
        const [U, V, W, x] = [matrix(draw.U, H), matrix(draw.V, H), matrix(draw.W, O), matrix(byStep, T * S)];
        const run = (): void => {
          const logits = tf.tidy(() => {
            const [first, ...rest] = tf.split(tf.matMul(x, V, false, true), T);
            let h = tf.relu(first!);
            for (const a of rest) h = tf.relu(tf.add(tf.matMul(h, U, false, true), a));
            return tf.matMul(h, W, false, true);
          });
          out.set(logits.dataSync());
          logits.dispose();
        };
        return {
          run,
          dispose: () => {
            for (const tensor of [U, V, W, x]) tensor.dispose();
          },
        };
      },
    };
  },
};
