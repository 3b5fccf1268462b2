/** What a network is made of, checked. */

import type { Vector } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError, callError, SeqlikError } from '../../../errors.ts';
import { type Mapping, mappings } from '../../density/mapping.ts';
import { Architecture, type Cell, cells } from '../stack/architecture.ts';
import type { Standardization } from './batch.ts';

export interface NetworkOptions {
  /** Coordinates of an observation, binary ones included. */
  readonly dimension: number;
  /** Units of each hidden layer, the first sees the input; 1 to 1000 layers, 2^26 parameters in all. */
  readonly hidden: readonly number[];
  /** Components of the mixture. */
  readonly components: number;
  /** What raw outputs mean as covariances; default 'chol-exp'. */
  readonly mapping?: Mapping;
  /** Default 'tanh'. */
  readonly cell?: Cell;
  /** Whether every layer sees the input, and not the first alone; default false. */
  readonly inputSkip?: boolean;
  /** Of the coordinates the last `binary` are 0 or 1; default 0. */
  readonly binary?: number;
  /** Of the initial parameters, if none are given; default 0. */
  readonly seed?: number;
  /** Wx0 [gates, dimension], Wh0 [gates, H0], b0 [gates], Wy0 [outputs, H0], Wd1 [gates, H0], ... by [outputs]; gru has
   * a second bias bh0 [H0]. Gates: H of tanh and relu, 4 H of lstm (i f g o), 3 H of gru (r z n). */
  readonly parameters?: Readonly<Record<string, check.Tensor>>;
  /** Units of the network: observations less `mean`, divided by `standardDeviation` [dimension]; none: those of the data. */
  readonly standardization?: { readonly mean: Vector; readonly standardDeviation: Vector };
  /** No standard deviation (of chol mappings: no diagonal entry of L, so that no density is higher) is smaller, in units
   * of the network; default 0. The tanh mappings know none. */
  readonly minStandardDeviation?: number;
}
export const networkOptions = [
  'dimension',
  'hidden',
  'components',
  'mapping',
  'cell',
  'inputSkip',
  'binary',
  'seed',
  'parameters',
  'standardization',
  'minStandardDeviation',
] as const;

type Given = { readonly [K in (typeof networkOptions)[number]]?: unknown };

/** Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE. */
export function readNetwork(
  where: string,
  options: unknown,
): {
  architecture: Architecture;
  flat: Float64Array;
  standardization: Standardization | undefined;
  minStandardDeviation: number;
} {
  if (options === undefined)
    throw new SeqlikError('INVALID_ARGUMENT', `${where}: options are needed: dimension, hidden, components`, {
      argument: 'options',
    });
  const given = check.options(where, options, networkOptions);
  const architecture = architectureOf(where, given);
  return {
    architecture,
    flat:
      given.parameters === undefined
        ? architecture.initial(where, check.seed(where, given.seed))
        : parametersOf(where, architecture, given.parameters),
    standardization: unitsOf(where, given.standardization, architecture),
    minStandardDeviation: check.amount(where, 'minStandardDeviation', check.or(given.minStandardDeviation, 0)),
  };
}

export function architectureOf(where: string, given: Given): Architecture {
  const dimension = check.count(where, 'dimension', given.dimension);
  const sizes = check.list(where, 'hidden', given.hidden);
  if (sizes.length === 0)
    throw argumentError('INVALID_ARGUMENT', where, 'hidden', {
      expected: 'one size per layer, at least one',
      received: 'none',
      reason: 'must have one size per layer, at least one',
    });
  const hidden = sizes.map((H) => check.count(where, 'hidden', H));
  const components = check.count(where, 'components', given.components);
  const mapping = check.choice(where, 'mapping', check.or(given.mapping, 'chol-exp'), mappings);
  const cell = check.choice(where, 'cell', check.or(given.cell, 'tanh'), cells);
  const inputSkip = check.flag(where, 'inputSkip', check.or(given.inputSkip, false));
  const binary = check.count(where, 'binary', check.or(given.binary, 0), 0, dimension - 1);
  if (mapping === 'graves' && dimension - binary !== 2)
    throw callError(
      'INVALID_ARGUMENT',
      where,
      `the mapping graves is for 2 coordinates beside the binary ones, not ${dimension - binary}`,
      { argument: 'mapping', expected: '2 coordinates beside the binary ones', received: `${dimension - binary}` },
    );
  return new Architecture(where, { dimension, hidden, components, mapping, cell, inputSkip, binary });
}

/** The flat vector of named tensors, all of them and no others. */
export function parametersOf(where: string, architecture: Architecture, given: unknown): Float64Array {
  const names = architecture.slots.map(({ name }) => name);
  const fields = check.fields(where, 'parameters', given, names);
  const flat = check.room(where, architecture.size) as Float64Array;
  for (const { name, rows, columns, at } of architecture.slots) {
    const shape = name.startsWith('b') ? [rows] : [rows, columns];
    flat.set(check.tensor(where, name, fields[name], shape), at);
  }
  for (const { name, rows, columns, at } of architecture.slots)
    check.finite(where, name, flat.subarray(at, at + rows * columns));
  return flat;
}

function unitsOf(where: string, given: unknown, { dimension, head }: Architecture): Standardization | undefined {
  if (given === undefined) return undefined;
  const fields = check.fields(where, 'standardization', given, ['mean', 'standardDeviation']);
  const read = (name: 'mean' | 'standardDeviation'): Float64Array => {
    const argument = `standardization.${name}`;
    const values = check.tensor(where, argument, fields[name], [dimension]);
    check.finite(where, argument, values);
    return values;
  };
  const [mean, standardDeviation] = [read('mean'), read('standardDeviation')];
  const wrong = (i: number): boolean =>
    i < head ? !(standardDeviation[i]! > 0) : mean[i] !== 0 || standardDeviation[i] !== 1;
  const at = mean.findIndex((_, i) => wrong(i));
  if (at >= 0)
    throw new SeqlikError(
      'INVALID_ARGUMENT',
      `${where}: standardization at [${at}] is ${mean[at]}, ${standardDeviation[at]}: deviations are > 0, and binary coordinates stay as they are`,
      { argument: 'standardization' },
    );
  return Object.freeze({ mean, standardDeviation });
}

/** The raw value of the smallest standard deviation. */
export function floorOf(mapping: Mapping, least: number): number {
  if (least === 0 || mapping.startsWith('tanh')) return Number.NEGATIVE_INFINITY;
  if (!mapping.endsWith('softplus')) return Math.log(least);
  return least > 30 ? least : Math.log(Math.expm1(least)); // the same from there on, and no overflow
}
