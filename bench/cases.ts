/**
 * The workloads, their sizes (written here and nowhere else) and their data. The data of a mixture are seeded draws
 * from it. Its means are N(0, ¼), its covariances 1 + AAᵀ/d with A normal: the components overlap, so that no exp is
 * negligible, and log p < -0.9 d stays clear of 0, so that relative errors mean something. Raw rows of densities are
 * N(0, ¼), their x is normal.
 */
import type { Mapping } from 'seqlik';
import { Random } from '../src/random.ts';
import type { DynamicsParameters } from './contenders/dynamics.ts';

export type DType = 'f64' | 'f32';
export type Real = Float64Array | Float32Array;
export interface Workload {
  readonly workload: string;
  readonly variant: string;
  readonly dtype: DType;
  /** Points of a call. In P1, P1d, P2 and P2n (steps) they are its items; a call of P7 has one, a call of P8 none. */
  readonly points: number;
  readonly items: number;
  /** Nominal flops per item: multiply and add count separately; exp, log, comparisons and padding count 0. */
  readonly flops: number;
  /** Some contenders need fewer flops than are counted: a percentage of the limit would say nothing. */
  readonly nominal?: boolean;
  /** The numbers of threads that seqlik runs with. */
  readonly threads: readonly number[];
}
/** The log-densities of a mixture. */
export interface MixtureCase extends Workload {
  readonly covarianceType: 'full' | 'diagonal';
  readonly d: number;
  readonly M: number;
}
/** The loss and gradient of a mixture density. */
export interface DensityCase extends Workload {
  readonly mapping: Mapping;
  readonly k: number;
  readonly M: number;
  /** Values of a raw row. */
  readonly outputs: number;
}
/** The loss and all gradients of a mixture-density network: tanh layers that all see the input, chol-exp. */
export interface NetworkCase extends Workload {
  readonly k: number;
  readonly hidden: readonly number[];
  readonly M: number;
  readonly sequences: number;
  /** Steps of each sequence, which has one more observation. */
  readonly steps: number;
}
/** A linear dynamical system with as many observed coordinates as hidden ones: filter; and smoother; or an EM iteration. */
export interface DynamicsCase extends Workload {
  readonly latent: number;
  readonly sequences: number;
  readonly steps: number;
  readonly pass: 'filter' | 'smooth' | 'em';
}
/** A convolution in mode `valid`, or its gradients by both signals. */
export interface ConvolutionCase extends Workload {
  readonly taps: number;
  readonly pass: 'forward' | 'gradient';
}
/** A recurrent classifier with targets for the last step: logits, or the loss and its gradients by the parameters. */
export interface RecurrentCase extends Workload {
  readonly inputs: number;
  readonly units: number;
  readonly outputs: number;
  readonly sequences: number;
  readonly steps: number;
  readonly pass: 'forward' | 'gradient';
}
/** The norms of a chain of Jacobians of relu, half of whose units are active. */
export interface ChainCase extends Workload {
  readonly units: number;
  readonly steps: number;
}
export type Case = MixtureCase | DensityCase | NetworkCase | DynamicsCase | RecurrentCase | ChainCase | ConvolutionCase;
export const isRecurrent = (given: Case): given is RecurrentCase => 'inputs' in given;
export const isChain = (given: Case): given is ChainCase => 'units' in given && !isRecurrent(given);
export const isConvolution = (given: Case): given is ConvolutionCase => 'taps' in given;
export const isDynamics = (given: Case): given is DynamicsCase => 'latent' in given;
export const isNetwork = (given: Case): given is NetworkCase => 'hidden' in given;
export const isDensity = (given: Case): given is DensityCase => 'mapping' in given;

const shapes = [
  { d: 2, M: 20, points: 100_000 },
  { d: 8, M: 16, points: 100_000 },
  { d: 16, M: 16, points: 100_000 },
  { d: 32, M: 32, points: 100_000 },
  { d: 64, M: 64, points: 20_000 },
];
const densities = [
  { k: 2, M: 20, mapping: 'chol-exp', flops: 4 * 2 * 2 * 20 },
  { k: 8, M: 10, mapping: 'chol-exp', flops: 4 * 8 * 8 * 10 },
  { k: 8, M: 10, mapping: 'diag-exp', flops: 14 * 8 * 10 },
] as const;
const rows = [512, 100_000]; // in cache; streaming
const network = { k: 12, hidden: [200, 200], M: 10, sequences: 32, steps: 20 };
const systems = [
  { latent: 4, sequences: 1, steps: 10_000 },
  { latent: 4, sequences: 64, steps: 128 }, // one cut
  { latent: 16, sequences: 1, steps: 10_000 },
  { latent: 32, sequences: 1, steps: 10_000 },
];
const classifier = { inputs: 24, units: 200, outputs: 3, steps: 24 };
const QUICK = 50; // a quick run has 50 times fewer points, and 8 times fewer sequences
const one = { d: 8, M: 16, points: 1 };
const none = { d: 1, M: 1, points: 0 };
const dtypes = ['f64', 'f32'] as const;

export const flopsFull = (d: number, M: number): number => M * (d * (d + 1) + 2 * d);
export const flopsDiagonal = (d: number, M: number): number => 4 * d * M;
const variantOf = ({ d, M }: { d: number; M: number }): string => `d=${d} M=${M}`;

/** Lists all cases; quick: the same variants on fewer points. */
export const casesOf = (quick: boolean): Case[] => [
  ...mixtureCases(quick),
  ...densityCases(quick),
  ...networkCases(quick),
  ...chainCases(quick),
  ...convolutionCases(quick),
  ...dynamicsCases(quick),
  ...recurrentCases(quick),
];
/** Counts, in m³ of a step: filter, smoother and lag-one covariances; an EM iteration, whose M step is once for all. */
const flopsDynamics = { smooth: 31 + 1 / 3, em: 47 + 1 / 3 };
function dynamicsCases(quick: boolean): DynamicsCase[] {
  return systems.flatMap((system) =>
    (['filter', 'smooth', 'em'] as const).map((pass) => {
      const { latent, sequences } = system;
      const steps = quick ? Math.ceil(system.steps / QUICK) : system.steps;
      const variant = `latent=${latent} sequences=${sequences} ${pass}`;
      const flops = pass === 'filter' ? 0 : flopsDynamics[pass] * latent ** 3;
      const rows = sequences * steps;
      const size = { steps, points: rows, items: rows };
      return { workload: 'P3', variant, dtype: 'f64', ...system, ...size, pass, flops, threads: [1, 2] } as const;
    }),
  );
}
/** Counts three times the products of a forward pass, and the head. */
export function flopsNetwork({ k, hidden, M }: Pick<NetworkCase, 'k' | 'hidden' | 'M'>): number {
  const outputs = M * (1 + k + (k * (k + 1)) / 2);
  const each = hidden.map((H, n) => H * (H + (n > 0 ? hidden[n - 1]! : 0) + k + outputs));
  return 6 * each.reduce((a, b) => a + b) + 4 * k * k * M;
}
const chains = [
  { units: 200, steps: 100 },
  { units: 32, steps: 10_000 },
];
/** Counts what is executed where half the units are active: 2n (n/2)². */
function chainCases(quick: boolean): ChainCase[] {
  return chains.flatMap(({ units, steps: all }) =>
    dtypes.map((dtype) => {
      const steps = quick ? all / 10 : all;
      const size = { units, steps, points: steps, items: steps };
      const variant = `n=${units} T=${all}`;
      return { workload: 'P5', variant, dtype, ...size, flops: units ** 3 / 2, nominal: true, threads: [1] };
    }),
  );
}
export interface ChainDraw {
  /** [units, units], and [steps, units] of 0 and 1 in the dtype of the case. */
  readonly W: Float64Array;
  readonly slopes: Real;
}
/** Draws weights that keep the norm of a gradient, and slopes. */
export function drawChain({ units: n, steps, dtype }: ChainCase): ChainDraw {
  const random = new Random(1);
  const W = Float64Array.from({ length: n * n }, () => random.normal() * Math.sqrt(2 / n));
  const slopes = Float64Array.from({ length: steps * n }, () => Number(random.uniform() < 0.5));
  return { W, slopes: dtype === 'f32' ? Float32Array.from(slopes) : slopes };
}
function convolutionCases(quick: boolean): ConvolutionCase[] {
  return [31, 1025].flatMap((taps) =>
    (['forward', 'gradient'] as const).flatMap((pass) =>
      dtypes.map((dtype) => {
        const points = quick ? 100_000 / 10 : 100_000;
        const variant = `n=100000 K=${taps} ${pass === 'forward' ? 'forward' : 'dx+dw'}`;
        const flops = pass === 'forward' ? 2 * taps : 4 * taps;
        return {
          workload: 'P6',
          variant,
          dtype,
          taps,
          pass,
          points,
          items: points,
          flops,
          nominal: taps > 31,
          threads: [1],
        };
      }),
    ),
  );
}
/** Counts 2[H²(T-1)/T + HI + OH/T] for a step forward, as h0 is 0; 2[3H²(T-1)/T + 2HI + 3OH/T] with BPTT. */
export function flopsRecurrent(
  { inputs: I, units: H, outputs: O, steps: T }: typeof classifier,
  pass: RecurrentCase['pass'],
): number {
  const [recurrent, input, output] = pass === 'forward' ? [1, 1, 1] : [3, 2, 3];
  return 2 * ((recurrent * H * H * (T - 1)) / T + input * H * I + (output * O * H) / T);
}
/** An item is a step of a sequence; of the batch of one sequence, for its latency, it is the sequence. */
function recurrentCases(quick: boolean): RecurrentCase[] {
  const { inputs, units, outputs, steps } = classifier;
  const shape = `${inputs}-${units}-${outputs} T=${steps}`;
  const batches = [
    { batch: 128, pass: 'forward' },
    { batch: 128, pass: 'gradient' },
    { batch: 1, pass: 'forward' },
  ] as const;
  return batches.flatMap(({ batch, pass }) =>
    dtypes.map((dtype) => {
      const sequences = quick ? Math.ceil(batch / 8) : batch;
      const points = sequences * steps;
      const variant = `${shape} batch=${batch} ${pass === 'forward' ? 'forward' : 'forward+BPTT'}`;
      const flops = flopsRecurrent(classifier, pass) * (batch === 1 ? steps : 1);
      const items = batch === 1 ? 1 : points;
      const size = { sequences, points, items, flops, threads: batch === 1 ? [1] : [1, 2] };
      return { workload: 'P4', variant, dtype, ...classifier, ...size, pass };
    }),
  );
}
export interface RecurrentDraw {
  readonly U: Float64Array;
  readonly V: Float64Array;
  readonly W: Float64Array;
  /** [sequences, steps, inputs] and [sequences, outputs], in the dtype of the case. */
  readonly x: Real;
  readonly y: Real;
}
/** Draws weights that keep about half of the units active, normal inputs, and targets in [0,1]. */
export function drawRecurrent({ inputs: I, units: H, outputs: O, sequences, points, dtype }: RecurrentCase) {
  const random = new Random(1);
  const weights = (length: number, scale: number): Float64Array =>
    Float64Array.from({ length }, () => scale * random.normal());
  const data = (length: number, draw: () => number): Real => {
    const values = dtype === 'f32' ? new Float32Array(length) : new Float64Array(length);
    for (let i = 0; i < length; i++) values[i] = draw();
    return values;
  };
  const [U, V, W] = [weights(H * H, 1.2 / Math.sqrt(H)), weights(H * I, 0.2), weights(O * H, 1 / Math.sqrt(H))];
  const x = data(points * I, () => random.normal());
  return { U, V, W, x, y: data(sequences * O, () => random.uniform()) } satisfies RecurrentDraw;
}
export interface ConvolutionDraw {
  /** [points], [taps] and [points - taps + 1], in the dtype of the case. */
  readonly x: Real;
  readonly w: Real;
  readonly dy: Real;
}
/** Draws normal signals. */
export function drawConvolution({ points, taps, dtype }: ConvolutionCase): ConvolutionDraw {
  const random = new Random(1);
  const normals = (n: number): Real => {
    const values = dtype === 'f32' ? new Float32Array(n) : new Float64Array(n);
    for (let i = 0; i < n; i++) values[i] = random.normal();
    return values;
  };
  return { x: normals(points), w: normals(taps), dy: normals(points - taps + 1) };
}
function networkCases(quick: boolean): NetworkCase[] {
  const sequences = quick ? network.sequences / 8 : network.sequences;
  const { k, hidden, M, steps } = network;
  const variant = `k=${k} H=${hidden.join()} M=${M} chol-exp batch=${network.sequences} T=${steps}`;
  const shape = { ...network, sequences, points: sequences * steps, items: sequences * steps };
  return dtypes.map((dtype) => ({
    ...shape,
    workload: 'P2n',
    variant,
    dtype,
    flops: flopsNetwork(network),
    threads: [1],
  }));
}
function densityCases(quick: boolean): DensityCase[] {
  return densities.flatMap((shape) =>
    rows.flatMap((count) =>
      dtypes.map((dtype) => {
        const { k, M, mapping } = shape;
        const points = quick && count > 512 ? count / QUICK : count;
        const outputs = M * (1 + k + (mapping === 'chol-exp' ? (k * (k + 1)) / 2 : k));
        const variant = `k=${k} M=${M} ${mapping} rows=${count}`;
        return { workload: 'P2', variant, dtype, ...shape, outputs, points, items: points, threads: [1] };
      }),
    ),
  );
}
export function mixtureCases(quick: boolean): MixtureCase[] {
  const batches = shapes.map((shape) => ({ ...shape, points: quick ? shape.points / QUICK : shape.points }));
  const full = { covarianceType: 'full', threads: [1] } as const;
  const P1 = batches.flatMap((shape) =>
    dtypes.map((dtype) => {
      const flops = flopsFull(shape.d, shape.M);
      const items = shape.points;
      return { ...full, workload: 'P1', variant: variantOf(shape), dtype, ...shape, items, flops, threads: [1, 2] };
    }),
  );
  const P1d = P1.map((P) => {
    const flops = flopsDiagonal(P.d, P.M);
    return { ...P, workload: 'P1d', covarianceType: 'diagonal', flops, threads: [1] } as const;
  });
  const P7 = dtypes.map((dtype) => {
    const flops = flopsFull(one.d, one.M);
    return { ...full, workload: 'P7', variant: variantOf(one), dtype, ...one, items: 1, flops };
  });
  const P8 = { ...full, workload: 'P8', variant: 'empty batch', dtype: 'f64', ...none, items: 1, flops: 0 } as const;
  return [...P1, ...P1d, ...P7, P8];
}

/** The model and the point that a cold start scores. */
export const coldCase: MixtureCase = {
  ...{ workload: 'cold', variant: variantOf(one), dtype: 'f64', covarianceType: 'full', threads: [1] },
  ...one,
  items: 1,
  flops: 0,
};

export interface DensityDraw {
  /** [points,outputs] and [points,k], in the dtype of the case. */
  readonly raw: Real;
  readonly x: Real;
}
/** Draws the data of a case: the same at every call and, but for rounding, in both dtypes. */
export function drawDensity({ points, outputs, k, dtype }: DensityCase): DensityDraw {
  const random = new Random(1);
  const normals = (n: number, scale: number): Real => {
    const values = dtype === 'f32' ? new Float32Array(n) : new Float64Array(n);
    for (let i = 0; i < n; i++) values[i] = scale * random.normal();
    return values;
  };
  return { raw: normals(points * outputs, 0.5), x: normals(points * k, 1) };
}

export interface DynamicsDraw {
  readonly parameters: DynamicsParameters;
  /** [sequences, steps, latent] */
  readonly x: Float64Array;
}
/** Draws a stable system with correlated noise, and rows of normal numbers. */
export function drawDynamics({ latent: m, points }: DynamicsCase): DynamicsDraw {
  const random = new Random(1);
  const scaled = (scale: number, diagonal: number): Float64Array =>
    Float64Array.from({ length: m * m }, (_, at) => scale * random.normal() + (at % (m + 1) === 0 ? diagonal : 0));
  const covariance = (): Float64Array => {
    const G = scaled(1 / Math.sqrt(m), 0);
    return Float64Array.from({ length: m * m }, (_, at) => {
      const [i, j] = [Math.floor(at / m), at % m];
      let s = i === j ? 0.3 : 0;
      for (let p = 0; p < m; p++) s += G[i * m + p]! * G[j * m + p]!;
      return s;
    });
  };
  const [A, B] = [scaled(0.3 / Math.sqrt(m), 0.4), scaled(1 / Math.sqrt(m), 1)];
  const parameters = { m, A, B, Q: covariance(), R: covariance(), V0: covariance() };
  return { parameters, x: Float64Array.from({ length: points * m }, () => random.normal()) };
}

export interface NetworkDraw {
  readonly parameters: Readonly<Record<string, Float64Array>>;
  /** [sequences, steps + 1, k], in the dtype of the case. */
  readonly x: Real;
}
/** Draws weights from N(0, 1/columns) and sequences of normal numbers; biases are 0. */
export function drawNetwork({ k, hidden, M, sequences, steps, dtype }: NetworkCase): NetworkDraw {
  const random = new Random(1);
  const weights = (rows: number, columns: number): Float64Array =>
    Float64Array.from({ length: rows * columns }, () => random.normal() / Math.sqrt(columns));
  const outputs = M * (1 + k + (k * (k + 1)) / 2);
  const parameters: Record<string, Float64Array> = {};
  for (const [n, H] of hidden.entries()) {
    parameters[`Wx${n}`] = weights(H, k);
    parameters[`Wh${n}`] = weights(H, H);
    if (n > 0) parameters[`Wd${n}`] = weights(H, hidden[n - 1]!);
    parameters[`b${n}`] = new Float64Array(H);
    parameters[`Wy${n}`] = weights(outputs, H).map((w) => w / 4);
  }
  parameters['by'] = new Float64Array(outputs);
  const count = sequences * (steps + 1) * k;
  const x = dtype === 'f32' ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) x[i] = random.normal();
  return { parameters, x };
}
export interface Draw {
  readonly parameters: {
    readonly weights: Float64Array;
    readonly means: Float64Array;
    readonly covariances: Float64Array;
    readonly covarianceType: 'full' | 'diagonal';
  };
  /** [points,d], in the dtype of the case. */
  readonly x: Real;
}
/** Draws the parameters and data of a case: the same at every call and, but for rounding, in both dtypes. */
export function drawMixture({ covarianceType, d, M, points, dtype }: MixtureCase): Draw {
  const random = new Random(1);
  const normals = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
  const raw = Array.from({ length: M }, (_, c) => 1 + (c % 3));
  const sum = raw.reduce((a, b) => a + b);
  const weights = Float64Array.from(raw, (w) => w / sum);
  const means = normals(M * d).map((z) => z / 2);
  const full = covarianceType === 'full';
  const width = full ? d : 1; // of a row of A, which has one number per coordinate if diagonal
  const A = normals(M * d * width).map((z) => z / Math.sqrt(width));
  const covariances = full
    ? Float64Array.from({ length: M * d * d }, (_, at) => {
        const [c, i, j] = [Math.floor(at / (d * d)), Math.floor(at / d) % d, at % d];
        let s = i === j ? 1 : 0;
        for (let p = 0; p < d; p++) s += A[(c * d + i) * d + p]! * A[(c * d + j) * d + p]!;
        return s;
      })
    : A.map((a) => 1 + a * a);

  const x = dtype === 'f32' ? new Float32Array(points * d) : new Float64Array(points * d);
  const z = new Float64Array(width);
  for (let row = 0; row < points; row++) {
    const c = random.categorical(weights);
    if (full) for (let p = 0; p < d; p++) z[p] = random.normal();
    for (let i = 0; i < d; i++) {
      let value = means[c * d + i]! + random.normal();
      if (!full) z[0] = random.normal();
      for (let p = 0; p < width; p++) value += A[(c * d + i) * width + p]! * z[p]!;
      x[row * d + i] = value;
    }
  }
  return { parameters: { weights, means, covariances, covarianceType }, x };
}
