/** Densities in which a row that has none gets -Infinity. */
import type { Real } from '../../check.ts';
import type { Table } from '../../contract.ts';
import { SeqlikError } from '../../errors.ts';
import type { Args, Dims, DType, Kernel } from '../../grammar.ts';
import { attempt, scoreEach } from '../marking.ts';
import { type Pass, work } from '../work.ts';
import { toUserError } from './failure.ts';
import type { Shape } from './mapping.ts';

type Forward = Table['density']['forward'];

/**
 * The kernel `forward`; a row whose density overflows gets -Infinity, and shares of 0. `names` and `rowOf` as of
 * `toUserError`; `all`: so does a row whose raw values are not finite or give no covariance, which otherwise throws
 * NON_FINITE (row, column), NOT_POSITIVE_DEFINITE.
 */
export function* forwardMarking(
  where: string,
  forward: Kernel<Forward, DType>,
  dims: Dims<Forward>,
  args: Args<Forward, DType>,
  shape: Shape,
  { names = { raw: 'raw', x: 'x' }, rowOf = (row: number) => row, all = false } = {},
): Pass<void> {
  if ((yield* attempt(work(forward, dims, args))) === undefined) return;
  const { raw, x, floor, logDensity, r } = args as Readonly<Record<'raw' | 'x' | 'floor' | 'logDensity' | 'r', Real>>;
  const { outputs, dimension, components: k } = shape;
  const part = (values: Real, width: number, from: number, end: number): Real =>
    values.subarray(from * width, end * width);
  yield* scoreEach(
    dims.n,
    (from, end) =>
      work(forward, { ...dims, n: end - from }, {
        raw: part(raw, outputs, from, end),
        x: part(x, dimension, from, end),
        floor,
        logDensity: part(logDensity, 1, from, end),
        r: part(r, k, from, end),
      } as Args<Forward, DType>),
    (row, error) => {
      const [own, point] = [part(raw, outputs, row, row + 1), part(x, dimension, row, row + 1)];
      const failure = toUserError(where, error, shape, own, point, names, () => rowOf(row));
      const isFar = failure instanceof SeqlikError && failure.code === 'NON_FINITE' && failure.column === undefined;
      if (!isFar && !all) throw failure;
      logDensity[row] = Number.NEGATIVE_INFINITY;
      r.fill(0, row * k, (row + 1) * k);
    },
  );
}
