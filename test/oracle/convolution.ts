/** Convolution, one product at a time; the tables of transforms are not needed. */
import { KernelFailure } from '../../src/errors.ts';
import { TRANSFORM } from '../../src/grammar.ts';
import type { Oracle } from '../oracle.ts';
import type { Draw, Draws } from './draws.ts';
import { range } from './matrices.ts';

type Call = Parameters<Oracle['convolution']['convolve']>;
function convolve({ taps, results, start }: Call[0], { x, w, out }: Pick<Call[1], 'x' | 'w' | 'out'>): void {
  for (const i of range(results)) {
    out[i] = 0;
    for (const j of range(taps)) out[i]! += w[j]! * (x[i + start - j] ?? 0);
  }
  requireFinite('convolve', out);
}
function correlate({ taps, results, start }: Call[0], { x, w, out }: Pick<Call[1], 'x' | 'w' | 'out'>): void {
  for (const j of range(results)) {
    out[j] = 0;
    for (const i of range(taps)) out[j]! += w[i]! * (x[i + j - start] ?? 0);
  }
  requireFinite('correlate', out);
}
function requireFinite(kernel: string, out: Float64Array): void {
  const results = out.findIndex((value) => !Number.isFinite(value));
  if (results >= 0) throw new KernelFailure(`convolution.${kernel}`, { results });
}
export const convolution: Oracle['convolution'] = {
  finite(_, { x }) {
    const i = x.findIndex((value) => !Number.isFinite(value));
    if (i >= 0) throw new KernelFailure('convolution.finite', { n: i });
  },
  convolve,
  correlate,
  convolveFft: convolve,
  correlateFft: correlate,
  gradientFft({ n, taps, start }, { x, w, dy, dx, dw }) {
    dx.fill(0);
    dw.fill(0);
    for (const i of range(n))
      for (const j of range(taps)) {
        const g = dy[i + j - start] ?? 0;
        dx[i]! += w[taps - 1 - j]! * g;
        dw[j]! += x[i]! * g;
      }
  },
};

/** Row r of column c is turned by (frequency of row r) c of 4096 parts; row a of roots, value j, by a j of 64. */
const twiddles: Draw = (values) => {
  for (const at of range(TRANSFORM)) {
    const [r, c] = [Math.floor(at / 64), at % 64];
    const angle = (-2 * Math.PI * c * (Math.floor(r / 8) + 8 * (r % 8))) / TRANSFORM;
    values[at] = Math.cos(angle);
    values[TRANSFORM + at] = Math.sin(angle);
  }
};
const roots: Draw = (values) => {
  for (const at of range(64)) {
    const angle = (-2 * Math.PI * Math.floor(at / 8) * (at % 8)) / 64;
    values[at] = Math.cos(angle);
    values[64 + at] = Math.sin(angle);
  }
};
const args = { twiddles, roots };
export const draws: Draws<'convolution'> = {
  sizes(sizes) {
    const { n } = sizes as { n: number };
    sizes['taps'] = Math.floor(n * 0.6) + 1;
    sizes['results'] = n + 3;
    sizes['start'] = Math.floor(n / 4);
    sizes['parts'] = Math.min(sizes['taps'], 1 + (n % 3));
  },
  kernels: { finite: { extremes: ['x'] }, convolveFft: { args }, correlateFft: { args }, gradientFft: { args } },
};
