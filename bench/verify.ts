/** Verify, then time: what a contender computes is compared with plain JavaScript in f64 before it is timed, and after. */
import { contract } from '../src/contract.ts';
import type { Case, Draw, DType, Real } from './cases.ts';
import { PlainDiagonalMixture, PlainMixture } from './contenders/plain.ts';

/** The largest relative error allowed: that of the kernel's row. */
export const bounds: Readonly<Record<DType, number>> = contract.mixture.logDensity.rtol;

/** The log-densities of a draw, on the data as rounded to its dtype. */
export function reference(given: Case, { parameters, x }: Draw): Float64Array {
  const Plain = given.covarianceType === 'full' ? PlainMixture : PlainDiagonalMixture;
  const out = new Float64Array(given.points);
  new Plain(parameters).logDensity(Float64Array.from(x), out);
  return out;
}

/** max |got - want| / |want|; NaN if there is one. */
export function maxRelativeError(got: Real, want: Float64Array): number {
  let most = 0;
  for (let i = 0; i < want.length; i++) {
    const error = got[i] === want[i] ? 0 : Math.abs((got[i]! - want[i]!) / want[i]!);
    if (!(error <= most)) most = error;
    if (Number.isNaN(error)) break;
  }
  return most;
}

export class WrongResult extends Error {}
/** The error of a result, null of an empty one. Throws WrongResult when it is not within `bound`. */
export function verify(title: string, got: Real, want: Float64Array, bound: number): number | null {
  if (got.length !== want.length) throw new WrongResult(`${title}: ${got.length} results, not ${want.length}`);
  if (want.length === 0) return null;
  const error = maxRelativeError(got, want);
  if (!(error <= bound)) throw new WrongResult(`${title}: wrong by ${error}, allowed ${bound}`);
  return error;
}
