/** Reads a sequence one observation at a time, and draws one. */

import type { Backend } from '../../../bind.ts';
import * as check from '../../../check.ts';
import { argumentError, callError, SeqlikError } from '../../../errors.ts';
import { Random } from '../../../random.ts';
import {
  addDeviation,
  covariancesOf,
  drawBinary,
  drawComponent,
  type RowDistribution,
  sharpen,
} from '../../density/draw.ts';
import { checkBinaryTargets, toUserError } from '../../density/failure.ts';
import type { Distribution } from '../../density.ts';
import { type Standardization, standardise } from '../../standardization.ts';
import type { StackWeights } from '../stack/pass.ts';
import type { NetworkArchitecture } from './architecture.ts';
import { logScale } from './batch.ts';
import { Online } from './online.ts';

/** Plain typed arrays: copy it, store it, send it. */
export interface State {
  /** Per layer [H]; lstm: h then c [2H]. */
  readonly hidden: readonly Float64Array[];
  /** Raw outputs after the last observation, which predict the next one; absent before the first. */
  readonly raw?: Float64Array;
}
export class Stepper {
  private readonly online: Online;
  private readonly shift: number;
  constructor(
    backend: Backend,
    private readonly architecture: NetworkArchitecture,
    weights: StackWeights<'f64'>,
    floor: number,
    private readonly units: Standardization | undefined,
  ) {
    this.online = new Online(backend, weights, architecture.density, floor);
    this.shift = units ? logScale(units) : 0;
  }

  start(): State {
    return { hidden: this.architecture.stack.sizes.map(({ carried }) => new Float64Array(carried)) };
  }

  /** `x` is the stepper's to change. */
  step(
    where: string,
    state: State,
    x: Float64Array,
    mark = false,
  ): { state: State; logDensity?: number; distribution: Distribution<Float64Array> } {
    const z = this.toNetworkUnits(where, 'x', x, mark);
    const logDensity = state.raw && this.score(where, state.raw, z, mark);
    const { states, raw } = this.online.step(z, state.hidden);
    return {
      state: { hidden: states, raw },
      ...(logDensity !== undefined && { logDensity }),
      distribution: this.distribution(where, raw, z),
    };
  }

  sample(where: string, steps: number, seed: number, bias: number, prefix: Float64Array): Float64Array {
    const { dimension: d } = this.architecture.density;
    const random = new Random(seed);
    const seen = this.toNetworkUnits(where, 'prefix', prefix);
    const given = seen.length > 0 ? seen : new Float64Array(d);
    let hidden = this.start().hidden;
    let raw: Float64Array | undefined;
    const take = (z: Float64Array): void => {
      const next = this.online.step(z, hidden);
      hidden = next.states;
      raw = next.raw;
    };
    for (let at = 0; at < given.length; at += d) take(given.slice(at, at + d));
    const x = check.room(where, steps * d);
    for (let t = 0; t < steps; t++) {
      const z = x.subarray(t * d, (t + 1) * d);
      this.draw(where, random, raw!, bias, z);
      if (t + 1 < steps) take(z.slice());
    }
    const { units } = this;
    if (units) for (let i = 0; i < x.length; i++) x[i] = units.mean[i % d]! + units.standardDeviation[i % d]! * x[i]!;
    this.requireFinite(where, 'a draw', x);
    return x;
  }
  dispose(): void {
    this.online.dispose();
  }

  private draw(where: string, random: Random, raw: Float64Array, bias: number, to: Float64Array): void {
    const { density } = this.architecture;
    const { components, gaussian: d } = density;
    const sharp = raw.slice();
    sharpen(sharp.subarray(0, components), bias);
    const { weights, L, probabilities } = this.rowDistribution(where, sharp, to);
    const { component, z } = drawComponent(random, weights, d);
    const mean = components + component * d;
    const shrink = Math.exp(-bias);
    addDeviation(L, component, density, z, to.fill(0, 0, d));
    for (let i = 0; i < d; i++) to[i] = raw[mean + i]! + shrink * to[i]!;
    drawBinary(random, probabilities, to.subarray(d));
    this.requireFinite(where, 'a draw', to); // the next step would read it
  }

  /** The mixture that one row of raw outputs stands for, in units of the data. */
  private distribution(where: string, raw: Float64Array, x: Float64Array): Distribution<Float64Array> {
    const { density } = this.architecture;
    const { components, gaussian: d, binary } = density;
    const { weights, L, probabilities } = this.rowDistribution(where, raw, x);
    const mean = (i: number): number => this.units?.mean[i] ?? 0;
    const unit = (i: number): number => this.units?.standardDeviation[i] ?? 1;
    const covariances = new Float64Array(components * d * d);
    covariancesOf(L, density, covariances);
    for (let i = 0; i < covariances.length; i++) covariances[i]! *= unit(Math.floor(i / d) % d) * unit(i % d);
    const means = Float64Array.from(
      { length: components * d },
      (_, i) => mean(i % d) + unit(i % d) * raw[components + i]!,
    );
    this.requireFinite(where, 'a mean', means);
    this.requireFinite(where, 'a covariance', covariances);
    return {
      weights: weights.slice(),
      means,
      covariances,
      ...(binary > 0 && { probabilities: probabilities.slice() }),
    };
  }
  /** The mixture in units of the network, valid until the next call; `x` is an observation, or room for one. */
  private rowDistribution(where: string, raw: Float64Array, x: Float64Array): RowDistribution {
    return this.withUserErrors(where, raw, x, () => this.online.distribution(raw));
  }

  private score(where: string, raw: Float64Array, z: Float64Array, mark: boolean): number {
    try {
      return this.withUserErrors(where, raw, z, () => this.online.logDensity(raw, z) - this.shift);
    } catch (error) {
      if (mark && error instanceof SeqlikError) return Number.NEGATIVE_INFINITY;
      throw error;
    }
  }
  /** Changes observations to units of the network, in place; if they `may` overflow, they do. */
  private toNetworkUnits(where: string, argument: string, values: Float64Array, may = false): Float64Array {
    if (this.units) standardise(where, argument, values, this.units, may);
    return values;
  }
  private requireFinite(where: string, what: string, values: Float64Array): void {
    if (!values.every(Number.isFinite))
      throw callError('NON_FINITE', where, `${what} overflows`, { argument: 'parameters' });
  }
  /** Runs a kernel at this one row; its failure becomes the public error. */
  private withUserErrors<R>(where: string, raw: Float64Array, x: Float64Array, call: () => R): R {
    try {
      return call();
    } catch (error) {
      throw toUserError(where, error, this.architecture.density, raw, x, { raw: 'parameters', x: 'x' });
    }
  }
}

/** Copies the caller's state and observation. Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE. */
export function readStep(
  where: string,
  { stack, density }: NetworkArchitecture,
  state: unknown,
  observation: unknown,
): { state: State; x: Float64Array } {
  const read = (argument: string, value: unknown, length: number): Float64Array => {
    const values = check.tensor(where, argument, value, [length]);
    check.finite(where, argument, values);
    return values;
  };
  const given = check.fields(where, 'state', state, ['hidden', 'raw']);
  const list = check.list(where, 'state.hidden', given['hidden']);
  const layers = stack.sizes.length;
  if (list.length !== layers)
    throw argumentError('DIMENSION_MISMATCH', where, 'state', {
      expected: `${layers} layers`,
      received: `${list.length} layers`,
      sentence: `state.hidden has ${list.length} layers, not ${layers}`,
    });
  const states = stack.sizes.map(({ carried }, n) => read(`state.hidden[${n}]`, list[n], carried));
  const { raw } = given;
  const x = read('x', observation, density.dimension);
  checkBinaryTargets(where, 'x', x, density.dimension, density.gaussian);
  return { state: { hidden: states, ...(raw !== undefined && { raw: read('state.raw', raw, stack.outputs) }) }, x };
}
