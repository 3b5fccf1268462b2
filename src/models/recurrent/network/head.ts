/** The mixture density on top of a network: from raw outputs and targets to log densities, in units of the data. */

import type { Backend } from '../../../bind.ts';
import { dtypeOf, type Real } from '../../../check.ts';
import { toUserError } from '../../density/failure.ts';
import type { Shape } from '../../density/mapping.ts';
import { forwardMarking } from '../../density/marking.ts';
import type { Standardization } from '../../standardization.ts';
import { type Pass, work } from '../../work.ts';
import type { Workspace } from '../../workspace.ts';
import { logScale, type TermBatch } from './batch.ts';

/** The public names of raw outputs and targets. */
const names = { raw: 'parameters', x: 'seqs' };

export class Head {
  private readonly shift: number;
  /** `floor`: the raw value of the smallest standard deviation. */
  constructor(
    private readonly backend: Backend,
    private readonly shape: Shape,
    private readonly floor: number,
    units: Standardization | undefined,
  ) {
    this.shift = units ? logScale(units) : 0;
  }

  *forward(room: Workspace, batch: TermBatch, raw: Real): Pass<Real> {
    const { args, dims, kernels } = this.call(room, batch, raw);
    yield work(kernels.forward, dims, args);
    return this.shiftToDataUnits(args.logDensity);
  }
  /** The same, where a term that has no density gets -Infinity. `termOf` as of `toUserError`. */
  *forwardMarking(
    room: Workspace,
    batch: TermBatch,
    raw: Real,
    where: string,
    termOf: (row: number) => number,
  ): Pass<Real> {
    const { args, dims, kernels } = this.call(room, batch, raw);
    const how = { names, rowOf: termOf, all: true };
    yield* forwardMarking(where, kernels.forward, dims, args, this.shape, how);
    return this.shiftToDataUnits(args.logDensity);
  }
  /** Log densities, and dLoss/draw. */
  *lossGradient(room: Workspace, batch: TermBatch, raw: Real): Pass<{ logDensity: Real; dRaw: Real }> {
    const { args, dims, kernels } = this.call(room, batch, raw);
    const dRaw = room.array(raw.length);
    yield work(kernels.lossGradient, dims, { ...args, dRaw, dx: room.array(batch.targets.length) });
    return { logDensity: this.shiftToDataUnits(args.logDensity), dRaw };
  }
  /** Translates a kernel failure into the public error; `termOf` turns a row of the batch into a term of the data. */
  toUserError(where: string, error: unknown, { targets }: TermBatch, raw: Real, termOf: (row: number) => number) {
    return toUserError(where, error, this.shape, raw, targets, names, termOf);
  }

  private call(room: Workspace, { steps: n, targets: x }: TermBatch, raw: Real) {
    const { components: k, gaussian: d, binary: q, mapping } = this.shape;
    const kernels = this.backend.kernels(dtypeOf(raw)).density;
    const floor = room.array(1).fill(this.floor);
    return {
      kernels,
      dims: { n, d, k, q, mapping },
      args: { raw, x, floor, logDensity: room.array(n), r: room.array(n * k) },
    };
  }
  private shiftToDataUnits(logDensity: Real): Real {
    if (this.shift !== 0) for (let i = 0; i < logDensity.length; i++) logDensity[i]! -= this.shift;
    return logDensity;
  }
}
/** Adds in order, in f64. */
export function total(values: Real): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
