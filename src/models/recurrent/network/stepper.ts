/** Reading a sequence one observation at a time, and drawing one. */

import type { Backend } from '../../../bind.ts';
import * as check from '../../../check.ts';
import { callError, SeqlikError } from '../../../errors.ts';
import { Random } from '../../../random.ts';
import { sharpen } from '../../density/draw.ts';
import { binaryTargets, densityFailure } from '../../density/failure.ts';
import { isFull } from '../../density/mapping.ts';
import type { Distribution } from '../../density.ts';
import { reconstruct } from '../../triangles.ts';
import { type Architecture, statesOf } from '../stack/architecture.ts';
import type { Weights } from '../stack/weights.ts';
import { logScale, type Standardization, standardise } from './batch.ts';
import { Online } from './online.ts';

/** Plain typed arrays: copy it, store it, send it. */
export interface State {
  /** Per layer [H], of lstm h then c. */
  readonly hidden: readonly Float64Array[];
  /** Raw outputs after the last observation: what foretells the next one; none before the first. */
  readonly raw?: Float64Array;
}
export class Stepper {
  private readonly online: Online;
  private readonly shift: number;
  constructor(
    backend: Backend,
    private readonly weights: Weights,
    floor: number,
    private readonly units: Standardization | undefined,
  ) {
    this.online = new Online(backend, weights, floor);
    this.shift = units ? logScale(units) : 0;
  }

  start(): State {
    const { architecture } = this.weights;
    return { hidden: architecture.hidden.map((_, n) => new Float64Array(architecture.states(n))) };
  }

  /** `x` is the stepper's to change. */
  step(
    where: string,
    state: State,
    x: Float64Array,
  ): { state: State; logDensity?: number; distribution: Distribution<Float64Array> } {
    const z = this.standard(where, 'x', x);
    const logDensity =
      state.raw && this.told(where, state.raw, z, () => this.online.logDensity(state.raw!, z) - this.shift);
    const { states, raw } = this.online.step(z, state.hidden);
    return {
      state: { hidden: states, raw },
      ...(logDensity !== undefined && { logDensity }),
      distribution: this.distribution(where, raw, z),
    };
  }

  sample(where: string, steps: number, seed: number, bias: number, prefix: Float64Array): Float64Array {
    const { dimension: d } = this.weights.architecture;
    const random = new Random(seed);
    const seen = this.standard(where, 'prefix', prefix);
    const given = seen.length > 0 ? seen : new Float64Array(d); // in units of the network
    let hidden = this.start().hidden;
    let raw: Float64Array | undefined;
    const take = (z: Float64Array): void => {
      const next = this.online.step(z, hidden);
      hidden = next.states;
      raw = next.raw;
    };
    for (let at = 0; at < given.length; at += d) take(given.slice(at, at + d));
    const x = check.room(where, steps * d) as Float64Array;
    for (let t = 0; t < steps; t++) {
      const z = x.subarray(t * d, (t + 1) * d);
      this.draw(where, random, raw!, bias, z);
      if (t + 1 < steps) take(z.slice());
    }
    const { units } = this;
    if (units) for (let i = 0; i < x.length; i++) x[i] = units.mean[i % d]! + units.standardDeviation[i % d]! * x[i]!;
    this.finite(where, 'a draw', x);
    return x;
  }
  dispose(): void {
    this.online.dispose();
  }

  private draw(where: string, random: Random, raw: Float64Array, bias: number, to: Float64Array): void {
    const { components: M, head: k, covariance: p } = this.weights.architecture;
    const sharp = raw.slice();
    sharpen(sharp.subarray(0, M), bias);
    const { weights, L, probabilities } = this.told(where, raw, to, () => this.online.distribution(sharp));
    const j = random.categorical(weights as Float64Array);
    const narrow = Math.exp(-bias);
    const z = Float64Array.from({ length: k }, () => random.normal());
    for (let i = 0; i < k; i++) {
      let value = 0;
      if (p === k) value = L[j * p + i]! * z[i]!;
      else for (let h = 0; h <= i; h++) value += L[j * p + (i * (i + 1)) / 2 + h]! * z[h]!;
      to[i] = raw[M + j * k + i]! + narrow * value;
    }
    for (const [b, probability] of probabilities.entries()) to[k + b] = Number(random.uniform() < probability);
    this.finite(where, 'a draw', to); // the next step would make something of it
  }

  /** Of one row, in units of the data. */
  private distribution(where: string, raw: Float64Array, x: Float64Array): Distribution<Float64Array> {
    const { components: M, head: k, covariance: p, mapping, binary } = this.weights.architecture;
    const { weights, L, probabilities } = this.told(where, raw, x, () => this.online.distribution(raw));
    const mean = (i: number): number => this.units?.mean[i] ?? 0;
    const unit = (i: number): number => this.units?.standardDeviation[i] ?? 1;
    const covariances = new Float64Array(M * k * k);
    for (let j = 0; j < M; j++)
      reconstruct(L.subarray(j * p, (j + 1) * p), k, isFull(mapping), covariances.subarray(j * k * k, (j + 1) * k * k));
    for (let i = 0; i < covariances.length; i++) covariances[i]! *= unit(Math.floor(i / k) % k) * unit(i % k);
    const means = Float64Array.from({ length: M * k }, (_, i) => mean(i % k) + unit(i % k) * raw[M + i]!);
    this.finite(where, 'a mean', means);
    this.finite(where, 'a covariance', covariances);
    return {
      weights: Float64Array.from(weights),
      means,
      covariances,
      ...(binary > 0 && { probabilities: Float64Array.from(probabilities) }),
    };
  }

  /** Observations, changed to units of the network. */
  private standard(where: string, argument: string, values: Float64Array): Float64Array {
    if (this.units) standardise(where, argument, values, this.units);
    return values;
  }
  private finite(where: string, what: string, values: Float64Array): void {
    if (!values.every(Number.isFinite))
      throw callError('NON_FINITE', where, `${what} overflows`, { argument: 'parameters' });
  }
  /** The error a user sees of a kernel that failed at this one row. */
  private told<R>(where: string, raw: Float64Array, x: Float64Array, call: () => R): R {
    try {
      return call();
    } catch (error) {
      const names = { raw: 'parameters', x: 'x' };
      throw densityFailure(where, error, this.weights.architecture.density, raw, x, names);
    }
  }
}

/** A state and an observation of the caller's, copied. Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE. */
export function readStep(
  where: string,
  { dimension, head, hidden, outputs, ...architecture }: Architecture,
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
  if (list.length !== hidden.length)
    throw new SeqlikError(
      'DIMENSION_MISMATCH',
      `${where}: state.hidden has ${list.length} layers, not ${hidden.length}`,
      { argument: 'state' },
    );
  const states = hidden.map((H, n) => read(`state.hidden[${n}]`, list[n], statesOf[architecture.cell] * H));
  const { raw } = given;
  const x = read('x', observation, dimension);
  binaryTargets(where, 'x', x, dimension, head);
  return { state: { hidden: states, ...(raw !== undefined && { raw: read('state.raw', raw, outputs) }) }, x };
}
