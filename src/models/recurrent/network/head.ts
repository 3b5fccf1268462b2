/** The mixture density on top of a network: from raw outputs and targets to log densities, in units of the data. */

import type { Backend } from '../../../bind.ts';
import { dtypeOf, type Real } from '../../../check.ts';
import { densityFailure } from '../../density/failure.ts';
import { type Pass, work } from '../../work.ts';
import type { Architecture } from '../stack/architecture.ts';
import type { Batch } from '../stack/pass.ts';
import type { Workspace } from '../stack/workspace.ts';
import { logScale, type Standardization } from './batch.ts';

export class Head {
  private readonly shift: number;
  /** `floor`: the raw value of the smallest standard deviation. */
  constructor(
    private readonly backend: Backend,
    private readonly architecture: Architecture,
    private readonly floor: number,
    units: Standardization | undefined,
  ) {
    this.shift = units ? logScale(units) : 0;
  }

  *forward(room: Workspace, batch: Batch, raw: Real): Pass<Real> {
    const { args, dims, kernels } = this.call(room, batch, raw);
    yield work(kernels.forward, dims, args);
    return this.scaled(args.logDensity);
  }
  /** Log densities, and dLoss/draw. */
  *lossGradient(room: Workspace, batch: Batch, raw: Real): Pass<{ logDensity: Real; dRaw: Real }> {
    const { args, dims, kernels } = this.call(room, batch, raw);
    const dRaw = room.array(raw.length);
    yield work(kernels.lossGradient, dims, { ...args, dRaw, dx: room.array(batch.targets.length) });
    return { logDensity: this.scaled(args.logDensity), dRaw };
  }
  /** What a user is told of a kernel that failed; `place` says which term a row of the batch is. */
  told(where: string, error: unknown, { targets }: Batch, raw: Real, place: (row: number) => number): unknown {
    const names = { raw: 'parameters', x: 'seqs' };
    return densityFailure(where, error, this.architecture.density, raw, targets, names, place);
  }

  private call(room: Workspace, { steps: n, targets: x }: Batch, raw: Real) {
    const { components: k, head: d, binary: q, mapping } = this.architecture;
    const kernels = this.backend.kernels(dtypeOf(raw)).density;
    const floor = room.array(1).fill(this.floor);
    return {
      kernels,
      dims: { n, d, k, q, mapping },
      args: { raw, x, floor, logDensity: room.array(n), r: room.array(n * k) },
    };
  }
  private scaled(logDensity: Real): Real {
    if (this.shift !== 0) for (let i = 0; i < logDensity.length; i++) logDensity[i]! -= this.shift;
    return logDensity;
  }
}
/** In order, in f64. */
export function total(values: Real): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
