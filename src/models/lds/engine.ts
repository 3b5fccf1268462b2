/** The kernels of a system: its parameters prepared once and resident, and the call for one row. */
import type { Backend } from '../../bind.ts';
import { contract, type Table } from '../../contract.ts';
import { callError, KernelFailure, type SeqlikError } from '../../errors.ts';
import { type Args, derivedSizes, type Prepared, type Resident } from '../../grammar.ts';
import { factorise, notPositiveDefinite } from '../triangles.ts';
import type { Observations } from './observations.ts';
import type { System } from './parameters.ts';
import type { SystemState } from './state.ts';

const sizesOf = derivedSizes(contract.lds.filter);

/** A mean and a covariance for each of some sequences, one after the other. */
export interface Carries {
  readonly values: Float64Array;
}
type Step = Args<Table['lds']['filter'], 'f64'> & { readonly x: Float64Array; readonly started: Int32Array };

export class Engine {
  /** Values of the state of a sequence: a mean, then a covariance. */
  readonly carried: number;
  private model: Resident<Float64Array> | undefined;
  private stepping: Prepared<Step> | undefined;
  constructor(
    readonly backend: Backend,
    readonly system: System,
  ) {
    this.carried = system.m + system.m * system.m;
  }
  get kernels() {
    return this.backend.f64.lds;
  }
  /** The parameters as `prepare` leaves them. */
  get resident(): Resident<Float64Array> {
    if (!this.model) {
      const { d, m: latent, transition: A, observation: B, transitionCovariance: Q } = this.system;
      const { observationCovariance: R } = this.system;
      const model = new Float64Array(sizesOf({ d, latent, keep: 'none' }).prepared);
      const args = { A, B, Q, R, LQ: this.factor('transitionCovariance', Q, latent) };
      this.kernels.prepare({ d, latent }, { ...args, LR: this.factor('observationCovariance', R, d), model });
      this.model = this.backend.hold(model);
    }
    return this.model;
  }
  private factor(name: string, S: Float64Array, n: number): Float64Array {
    return factorise(this.backend, S, 1, n, ({ pivot, value }) =>
      notPositiveDefinite('LinearDynamicalSystem', name, pivot, value),
    ).L;
  }
  /** The priors of `count` sequences. */
  priors(count: number): Float64Array {
    const { initialMean, initialCovariance, m } = this.system;
    const values = new Float64Array(count * this.carried);
    for (let at = 0; at < values.length; at += this.carried) {
      values.set(initialMean, at);
      values.set(initialCovariance, at + m);
    }
    return values;
  }

  /** The kernel call of a batch with one row, prepared once, hence the same bits. */
  step(where: string, state: SystemState, { values }: Observations): { logDensity: number; state: SystemState } {
    const { d, m } = this.system;
    const f64 = (n: number): Float64Array => new Float64Array(n);
    this.stepping ??= this.kernels.filter.prepare({ d, latent: m, keep: 'none' }, {
      ...{ lengths: Int32Array.of(1), model: this.resident, started: Int32Array.of(0), x: f64(d) },
      ...{ state: f64(this.carried), predictedMean: f64(0), predictedCovariance: f64(0), mean: f64(0) },
      ...{ covariance: f64(0), logDensity: f64(1) },
    } as Step);
    const { args } = this.stepping;
    args.started[0] = state.time > 0 ? 1 : 0;
    args.x.set(values);
    args.state.set(state.mean);
    args.state.set(state.covariance, m);
    try {
      this.stepping.run();
    } catch (error) {
      throw toUserError(where, error, 0);
    }
    return { logDensity: args.logDensity[0]!, state: stateAt(args.state, 0, m, state.time + 1) };
  }
  dispose(): void {
    this.stepping?.dispose();
    this.model?.dispose();
    this.stepping = this.model = undefined;
  }
}

/** The state of sequence s among `carries`. */
export function stateAt(carries: Float64Array, s: number, m: number, time: number): SystemState {
  const at = s * (m + m * m);
  return { time, mean: carries.slice(at, at + m), covariance: carries.slice(at + m, at + m + m * m) };
}

/** The failure of a kernel whose first row is row `from` of the data, in public words. */
export function toUserError(where: string, error: unknown, from: number): SeqlikError {
  if (!(error instanceof KernelFailure)) throw error;
  const row = from + error.at['n']!;
  if (error.kernel.endsWith('filter'))
    return callError('NON_FINITE', where, `the filter overflows at row ${row} of y: the system explodes`, {
      argument: 'y',
      row,
    });
  const what = `the covariance of the state after row ${row} of y, predicted from it`;
  return callError(
    'NOT_POSITIVE_DEFINITE',
    where,
    `${what}, is not positive definite in doubles: the transitionCovariance is too small beside the states`,
    { which: 'transitionCovariance', row },
  );
}
