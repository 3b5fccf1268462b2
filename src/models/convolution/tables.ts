/** The factors of a transform of 4096 values. Computed by + - * / alone, so that every engine has the same bits. */
import type { Backend } from '../../bind.ts';
import { type Arrays, type DType, type Resident, realArrays, TRANSFORM } from '../../grammar.ts';

const SIDE = 64;
/** Σ_k (-1)^k x^(2k + first) / (2k + first)!: sin if `first` is 1, cos if it is 0; to the last bit but one up to π/4. */
function series(x: number, first: 0 | 1): number {
  let sum = 1;
  for (let k = 16 + first; k > first; k -= 2) sum = 1 - ((x * x) / (k * (k - 1))) * sum;
  return first ? x * sum : sum;
}
/** cos and -sin of `turns` parts of 4096 of a full turn. */
function factorOf(turns: number): [re: number, im: number] {
  const quarter = TRANSFORM / 4;
  const rest = turns % quarter;
  const upper = rest > quarter / 2;
  const angle = (2 * Math.PI * (upper ? quarter - rest : rest)) / TRANSFORM;
  const [c, s] = upper ? [series(angle, 1), series(angle, 0)] : [series(angle, 0), series(angle, 1)];
  const quadrants: [number, number][] = [
    [c, -s],
    [-s, -c],
    [-c, s],
    [s, c],
  ];
  return quadrants[Math.floor(turns / quarter) % 4]!;
}
function table<D extends DType>(dtype: D, count: number, turnsOf: (at: number) => number): Arrays[D] {
  const values = new realArrays[dtype](2 * count);
  for (let at = 0; at < count; at++) [values[at], values[count + at]] = factorOf(turnsOf(at) % TRANSFORM);
  return values;
}
/** Row r of the transform's first side holds frequency r/8 + 8 (r mod 8). */
export const twiddlesOf = <D extends DType>(dtype: D): Arrays[D] =>
  table(dtype, TRANSFORM, (at) => (at % SIDE) * (Math.floor(at / SIDE / 8) + 8 * (Math.floor(at / SIDE) % 8)));
export const rootsOf = <D extends DType>(dtype: D): Arrays[D] =>
  table(dtype, SIDE, (at) => Math.floor(at / 8) * (at % 8) * SIDE);

interface Tables<D extends DType> {
  readonly twiddles: Resident<Arrays[D]>;
  readonly roots: Resident<Arrays[D]>;
}
const held = new WeakMap<Backend, { [D in DType]?: Tables<D> }>();
/** The tables where the kernels of a backend live; they stay as long as it does. */
export function tablesOn<D extends DType>(backend: Backend, dtype: D): Tables<D> {
  const own = held.get(backend) ?? {};
  held.set(backend, own);
  const tables = own as { [P in D]?: Tables<D> };
  tables[dtype] ??= { twiddles: backend.hold(twiddlesOf(dtype)), roots: backend.hold(rootsOf(dtype)) };
  return tables[dtype];
}
