/**
 * The two sums of convolution and its gradients over signals of any lengths. Each becomes one of the kernels' forms,
 * with the shortest of the three arrays in the inner loop: so both orders of arguments cost the same.
 */
import type { Backend } from '../../bind.ts';
import type { Real } from '../../check.ts';
import { dtypeOf } from '../../check.ts';
import { CROSSOVER } from '../../contract.ts';
import { PART } from '../../grammar.ts';
import { tablesOn } from './tables.ts';

export interface Machine {
  readonly backend: Backend;
  /** Which kernels to take; undefined: the faster ones (CROSSOVER). */
  readonly path?: 'direct' | 'transforms' | undefined;
}

/** out[i] = Σ_j u[j] v[i + shift - j]. All throw a KernelFailure for results that are not finite. */
export function convolved(machine: Machine, out: Real, u: Real, v: Real, shift: number): void {
  if (out.length === 0) return;
  const [short, long] = u.length < v.length ? [u, v] : [v, u];
  if (out.length < short.length) correlate(machine, out, long, reversed(short), short.length - 1 - shift);
  else convolve(machine, out, long, short, shift);
}
/** out[i] = Σ_t u[t] v[t - i + shift] */
export function correlated(machine: Machine, out: Real, u: Real, v: Real, shift: number): void {
  const [m, n] = [u.length, v.length];
  if (out.length === 0) return;
  if (out.length < Math.min(m, n)) {
    if (n <= m) correlate(machine, out, u, v, shift);
    else {
      correlate(machine, out, v, u, out.length - 1 - shift);
      out.reverse();
    }
  } else if (n <= m) convolve(machine, out, u, reversed(v), n - 1 - shift);
  else {
    convolve(machine, out, v, reversed(u), shift - out.length + m);
    out.reverse();
  }
}
/** dx[i] = Σ_j w[j] dy[i + j - shift] and dw[j] = Σ_i x[i] dy[i + j - shift], where x and w can be exchanged. */
export function gradients(machine: Machine, dx: Real, dw: Real, x: Real, w: Real, dy: Real, shift: number): void {
  const { backend, path } = machine;
  const [long, short] = x.length < w.length ? [w, x] : [x, w];
  if (short.length <= Math.min(PART, dy.length) && (path ? path === 'transforms' : pays(x, w, dy))) {
    const out = long === x ? { dx, dw } : { dx: dw, dw: dx };
    const dims = { n: long.length, taps: short.length, results: dy.length, start: shift };
    const args = { x: long, w: reversed(short), dy, ...out, ...tablesOn(backend, dtypeOf(x)) };
    checked(backend, [x, w, dy], [dx, dw], ({ gradientFft }) => gradientFft(dims, args));
  } else {
    correlated(machine, dx, dy, w, shift);
    correlated(machine, dw, dy, x, shift);
  }
}
const reversed = (values: Real): Real => values.slice().reverse();

/** out[i] = Σ_j w[j] x[i + start - j] for any start. */
function convolve({ backend, path }: Machine, out: Real, x: Real, w: Real, start: number): void {
  const first = Math.min(out.length, Math.max(0, -start));
  const last = Math.max(first, Math.min(out.length, x.length + w.length - 1 - start));
  if (last === first || w.length === 0) {
    out.fill(0);
    return;
  }
  out.fill(0, 0, first);
  out.fill(0, last);
  const args = { x, w, out: out.subarray(first, last) };
  const dims = { n: x.length, taps: w.length, results: last - first, start: start + first };
  if (path ? path === 'direct' : !pays(x, w, args.out)) backend.kernels(dtypeOf(x)).convolution.convolve(dims, args);
  else {
    const parts = Math.ceil(w.length / PART);
    const more = { ...args, ...tablesOn(backend, dtypeOf(x)) };
    checked(backend, [x, w], [args.out], ({ convolveFft }) => convolveFft({ ...dims, parts }, more));
  }
}
/** out[j] = Σ_i w[i] x[i + j - start] for any start. */
function correlate({ backend, path }: Machine, out: Real, x: Real, w: Real, start: number): void {
  const ahead = x.subarray(Math.min(x.length, Math.max(0, -start)));
  const behind = Math.max(0, start);
  const first = Math.max(0, behind - (out.length - 1)); // the values of w that meet x
  const last = Math.min(w.length, ahead.length + behind);
  if (last <= first) {
    out.fill(0);
    return;
  }
  const args = { x: ahead, w: w.subarray(first, last), out };
  const dims = { n: ahead.length, taps: last - first, results: out.length, start: behind - first };
  const pair = [args.x, args.w] as const;
  if (path ? path === 'direct' : !pays(...pair, out)) backend.kernels(dtypeOf(x)).convolution.correlate(dims, args);
  else {
    const more = { ...args, ...tablesOn(backend, dtypeOf(x)) };
    checked(backend, pair, [out], ({ correlateFft }) => correlateFft(dims, more));
  }
}
/** Calls a kernel of transforms, which would spread a value that is not finite. Throws a KernelFailure for one. */
function checked(
  backend: Backend,
  read: readonly Real[],
  written: readonly Real[],
  call: (kernels: ReturnType<Backend['kernels']>['convolution']) => void,
): void {
  const { convolution } = backend.kernels(dtypeOf(read[0]!));
  for (const x of read) convolution.finite({ n: x.length }, { x });
  call(convolution);
  for (const x of written) convolution.finite({ n: x.length }, { x });
}
/** Whether transforms are faster. */
function pays(...arrays: readonly Real[]): boolean {
  const [shortest, middle] = arrays.map(({ length }) => length).toSorted((a, b) => a - b) as [number, number];
  return shortest >= CROSSOVER.shortest && shortest * middle >= CROSSOVER.products;
}
