/** The options a network is made of: read and checked. */

import type { Vector } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { type Mapping, mappings, type Shape } from '../../density/mapping.ts';
import type { Standardization } from '../../standardization.ts';
import { type StackArchitecture, tensorShape } from '../stack/architecture.ts';
import { type Cell, cells } from '../stack/cell.ts';
import { NetworkArchitecture } from './architecture.ts';

/** The shape of a network, and its parameters if they are known. */
export interface NetworkOptions {
  /** Coordinates of an observation, binary ones included. */
  readonly dimension: number;
  /** Units of each hidden layer, the first of which reads the input; 1 to 1000 layers, 2^26 parameters in all. */
  readonly hidden: readonly number[];
  /** Components of the mixture. */
  readonly components: number;
  /** How raw outputs become covariances; default 'chol-exp'. */
  readonly mapping?: Mapping;
  /** Default 'tanh'. */
  readonly cell?: Cell;
  /** Whether every layer reads the input, and not only the first; default false. */
  readonly inputSkip?: boolean;
  /** The last `binary` coordinates are 0 or 1, or between them as probabilities; default 0. */
  readonly binary?: number;
  /** Draws the initial parameters, if none are given: 0 .. 2^32-1, default 0. */
  readonly seed?: number;
  /** Wx0 [gates, dimension], Wh0 [gates, H0], b0 [gates], Wy0 [outputs, H0], Wd1 [gates, H0], ... by [outputs]; gru has
   * a second bias bh0 [H0]. Gates: H for tanh and relu, 4 H for lstm (i f g o), 3 H for gru (r z n). */
  readonly parameters?: Readonly<Record<string, check.Tensor>>;
  /**
   * Units of the network: observations minus `mean` [dimension], divided by `standardDeviation` [dimension]; default:
   * the units of the data.
   */
  readonly standardization?: { readonly mean: Vector; readonly standardDeviation: Vector };
  /** Lower bound of the standard deviations (chol mappings: of the diagonal of L, which bounds the density as well), in
   * units of the network; default 0. The tanh mappings ignore it. */
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
  architecture: NetworkArchitecture;
  flat: Float64Array;
  standardization: Standardization | undefined;
  minStandardDeviation: number;
} {
  if (options === undefined)
    throw argumentError('INVALID_ARGUMENT', where, 'options', {
      expected: 'dimension, hidden, components',
      received: 'undefined',
      reason: 'are needed: dimension, hidden, components',
    });
  const given = check.options(where, options, networkOptions);
  const architecture = readArchitecture(where, given);
  return {
    architecture,
    flat:
      given.parameters === undefined
        ? architecture.initialise(where, check.seed(where, given.seed))
        : readParameters(where, architecture.stack, given.parameters),
    standardization: readStandardization(where, given.standardization, architecture.density),
    minStandardDeviation: check.amount(where, 'minStandardDeviation', check.or(given.minStandardDeviation, 0)),
  };
}

export function readArchitecture(where: string, given: Given): NetworkArchitecture {
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
    throw argumentError('INVALID_ARGUMENT', where, 'mapping', {
      expected: '2 coordinates beside the binary ones',
      received: `${dimension - binary}`,
      sentence: `the mapping graves is for 2 coordinates beside the binary ones, not ${dimension - binary}`,
    });
  return new NetworkArchitecture(where, { dimension, hidden, components, mapping, cell, inputSkip, binary });
}

/** Joins named tensors to the flat vector: all of them, and no others. */
export function readParameters(where: string, { slots, size }: StackArchitecture, given: unknown): Float64Array {
  const names = slots.map(({ name }) => name);
  const fields = check.fields(where, 'parameters', given, names);
  const flat = check.room(where, size);
  for (const slot of slots) flat.set(check.tensor(where, slot.name, fields[slot.name], tensorShape(slot)), slot.at);
  for (const { name, rows, columns, at } of slots) check.finite(where, name, flat.subarray(at, at + rows * columns));
  return flat;
}

function readStandardization(
  where: string,
  given: unknown,
  { dimension, gaussian }: Shape,
): Standardization | undefined {
  if (given === undefined) return undefined;
  const fields = check.fields(where, 'standardization', given, ['mean', 'standardDeviation']);
  const read = (name: 'mean' | 'standardDeviation'): Float64Array => {
    const argument = `standardization.${name}`;
    const values = check.tensor(where, argument, fields[name], [dimension]);
    check.finite(where, argument, values);
    return values;
  };
  const [mean, standardDeviation] = [read('mean'), read('standardDeviation')];
  const isWrong = (i: number): boolean =>
    i < gaussian ? !(standardDeviation[i]! > 0) : mean[i] !== 0 || standardDeviation[i] !== 1;
  const at = mean.findIndex((_, i) => isWrong(i));
  if (at >= 0) {
    const expected = 'deviations are > 0, and binary coordinates stay as they are';
    const received = `${mean[at]}, ${standardDeviation[at]}`;
    throw argumentError('INVALID_ARGUMENT', where, 'standardization', {
      expected,
      received,
      reason: `at [${at}] is ${received}: ${expected}`,
    });
  }
  return Object.freeze({ mean, standardDeviation });
}

/** The raw value of the smallest standard deviation. */
export function floorOf(mapping: Mapping, least: number): number {
  if (least === 0 || mapping.startsWith('tanh')) return Number.NEGATIVE_INFINITY;
  if (!mapping.endsWith('softplus')) return Math.log(least);
  return least > 30 ? least : Math.log(Math.expm1(least)); // the same from there on, and no overflow
}
