/** Verify, then time: a contender's result is compared with plain JavaScript in f64 before it is timed, and after. */
import { contract } from '../src/contract.ts';
import type {
  ChainCase,
  ChainDraw,
  ConvolutionCase,
  ConvolutionDraw,
  DensityCase,
  DensityDraw,
  Draw,
  DType,
  DynamicsCase,
  DynamicsDraw,
  MixtureCase,
  NetworkCase,
  NetworkDraw,
  Real,
  RecurrentCase,
  RecurrentDraw,
} from './cases.ts';
import { plainChain } from './contenders/chains.ts';
import { plainConvolve, plainConvolveGradient } from './contenders/convolution.ts';
import { PlainDynamics } from './contenders/dynamics.ts';
import { PlainNetwork } from './contenders/network.ts';
import { PlainDensity, PlainDiagonalMixture, PlainMixture } from './contenders/plain.ts';
import { PlainRecurrent } from './contenders/recurrent.ts';

/** The largest relative errors allowed: the tolerances of the kernels. */
export const bounds: Readonly<Record<DType, number>> = contract.mixture.logDensity.rtol;
export const densityBounds: Readonly<Record<DType, number>> = contract.density.lossGradient.rtol;

/** Computes the log-densities of a draw, on the data as rounded to its dtype. */
export function reference(given: MixtureCase, { parameters, x }: Draw): Float64Array {
  const Plain = given.covarianceType === 'full' ? PlainMixture : PlainDiagonalMixture;
  const out = new Float64Array(given.points);
  new Plain(parameters).logDensity(Float64Array.from(x), out);
  return out;
}

/** Computes the log-densities of a density's draw, followed by the gradient dRaw. */
export function referenceDensity({ k, M, mapping, points, outputs }: DensityCase, draw: DensityDraw): Float64Array {
  const out = new Float64Array(points * (1 + outputs));
  const [raw, x] = [Float64Array.from(draw.raw), Float64Array.from(draw.x)];
  const model = new PlainDensity(k, M, mapping === 'chol-exp');
  const [r, dx] = [new Float64Array(points * M), new Float64Array(points * k)];
  model.lossGradient(raw, x, out.subarray(0, points), r, out.subarray(points), dx);
  return out;
}

/** Computes the loss of a network's draw, followed by its gradient by every parameter. */
export function referenceNetwork({ k, hidden, M, steps }: NetworkCase, { parameters, x }: NetworkDraw): Float64Array {
  const names = Object.keys(parameters);
  const gradient = Object.fromEntries(names.map((name) => [name, new Float64Array(parameters[name]!.length)]));
  const loss = new PlainNetwork(k, hidden, M, parameters).lossGradient(Float64Array.from(x), steps, gradient);
  return Float64Array.from([loss, ...names.flatMap((name) => [...gradient[name]!])]);
}
/** Computes the convolution of a draw; or dx, followed by dw. */
export function referenceConvolution({ points, taps, pass }: ConvolutionCase, draw: ConvolutionDraw): Float64Array {
  const [x, w, dy] = [draw.x, draw.w, draw.dy].map((values) => Float64Array.from(values)) as Three;
  const out = new Float64Array(pass === 'forward' ? dy.length : points + taps);
  if (pass === 'forward') plainConvolve(x, w, out);
  else plainConvolveGradient(x, w, dy, out.subarray(0, points), out.subarray(points));
  return out;
}
type Three = [Float64Array, Float64Array, Float64Array];
/** Computes what `plainChain` writes. */
export function referenceChain({ units, steps }: ChainCase, { W, slopes }: ChainDraw): Float64Array {
  const out = new Float64Array(steps);
  plainChain(W, Float64Array.from(slopes), units, out);
  return out;
}
/** Errors of a step add up over the steps. */
export const chainBounds: Readonly<Record<DType, number>> = { f64: 1e-9, f32: 2e-2 };
/** Relative to the size of a sum of normal products, which is the root of their number. */
export const convolutionBounds: Readonly<Record<DType, number>> = { f64: 1e-11, f32: 2e-3 };
/** Computes what `PlainDynamics` writes. */
export function referenceDynamics({ pass, points, steps }: DynamicsCase, draw: DynamicsDraw): Float64Array {
  const { m } = draw.parameters;
  const length = { filter: points * m, smooth: 1 + points * m, em: 1 + m + 5 * m * m };
  const out = new Float64Array(length[pass]);
  new PlainDynamics(draw.parameters)[pass](draw.x, steps, out);
  return out;
}
/** The reference takes differences of sums over all rows. */
export const dynamicsBounds: Readonly<Record<DType, number>> = { f64: 1e-8, f32: 1e-3 };
/** Computes the logits of a recurrent classifier's draw; or its loss, followed by the gradients by U, V and W. */
export function referenceRecurrent(given: RecurrentCase, draw: RecurrentDraw): Float64Array {
  const { units: H, inputs: I, outputs: O, sequences, steps, pass } = given;
  const [x, y] = [Float64Array.from(draw.x), Float64Array.from(draw.y)];
  const out = new Float64Array(pass === 'forward' ? sequences * O : 1 + H * (H + I + O));
  const model = new PlainRecurrent(draw.U, draw.V, draw.W, H, steps);
  if (pass === 'forward') model.forward(x, out);
  else model.lossGradient(x, y, out);
  return out;
}
/** Loss and gradient are sums over steps, in which errors add up. */
export const networkBounds: Readonly<Record<DType, number>> = { f64: 1e-10, f32: 2e-2 };

/** Returns the largest |got - want| / max(|want|, least), or NaN if a result is NaN. */
export function maxRelativeError(got: Real, want: Float64Array, least = 0): number {
  let most = 0;
  for (let i = 0; i < want.length; i++) {
    const error = got[i] === want[i] ? 0 : Math.abs(got[i]! - want[i]!) / Math.max(Math.abs(want[i]!), least);
    if (!(error <= most)) most = error;
    if (Number.isNaN(error)) break;
  }
  return most;
}

export class WrongResult extends Error {}
/** Returns the error of a result, or null if it is empty. Throws WrongResult if the error is not within `bound`. */
export function verify(title: string, got: Real, want: Float64Array, bound: number, least = 0): number | null {
  if (got.length !== want.length) throw new WrongResult(`${title}: ${got.length} results, not ${want.length}`);
  if (want.length === 0) return null;
  const error = maxRelativeError(got, want, least);
  if (!(error <= bound)) throw new WrongResult(`${title}: wrong by ${error}, allowed ${bound}`);
  return error;
}
