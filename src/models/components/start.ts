/** Part of a mixture from which a fit can start, read and checked: means, labels or responsibilities. */
import type { Tensor, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { argumentError } from '../../errors.ts';
import type { Parts } from './components.ts';
import { type CovarianceType, covarianceTypes, fromVariances } from './covariances.ts';
import { type MixtureParameter, parameterNames } from './held.ts';
import { mixtureFields, readMixture } from './parameters.ts';

/** Part of a mixture, from which a fit can start. */
export type MixtureStart =
  | {
      /** [M,d] */
      readonly means: Tensor;
      /** [M]; default: equal. */
      readonly weights?: Vector;
      /** In the shape of the covariance type; default: the variances of the rows about their nearest means. */
      readonly covariances?: Tensor;
      /** Default: full. */
      readonly covarianceType?: CovarianceType;
    }
  | {
      /** [n]: the component of each row, from 0. */
      readonly labels: Vector;
    }
  | {
      /** [n,M], >= 0: the share of each component in each row. */
      readonly responsibilities: Tensor;
    };
/** A start that was checked, but for the number of rows. */
export interface Start {
  readonly k: number;
  /** The given part of a mixture, and words that stand for the rest. */
  readonly parts?: Parts;
  readonly given: ReadonlySet<MixtureParameter>;
  readonly labels?: Float64Array;
  readonly responsibilities?: Float64Array;
}

const rowFields = ['labels', 'responsibilities'] as const;
/** Reads `init`; `components` and `type` as they were asked for, if they were. Throws INVALID_ARGUMENT, ... */
export function readStart(where: string, init: unknown, components: unknown, type: unknown): Start {
  const known = [...mixtureFields, ...rowFields];
  const read = check.fields(where, 'init', init, known);
  // each is read once
  const fields = Object.fromEntries(known.map((name) => [name, read[name]]).filter(([, value]) => value !== undefined));
  const asked = components === undefined ? undefined : check.count(where, 'components', components);
  const by = rowFields.filter((name) => fields[name] !== undefined);
  const others = Object.keys(fields).filter((name) => name !== by[0]);
  if (by.length > 0 && others.length > 0)
    throw argumentError('INVALID_ARGUMENT', where, 'init', {
      expected: `${by[0]} alone`,
      received: [by[0], ...others].join(', '),
      reason: `has ${others.join(', ')} beside ${by[0]}, from which they follow`,
    });
  if (by[0] === 'labels') return readLabels(where, fields['labels'], asked);
  if (by[0] === 'responsibilities') return readShares(where, fields['responsibilities'], asked);
  return readMeans(where, fields, asked, type);
}
function readLabels(where: string, value: unknown, asked: number | undefined): Start {
  const labels = check.tensor(where, 'init.labels', value, [undefined]);
  const k = asked ?? labels.reduce((most, c) => Math.max(most, c), 0) + 1;
  const wrong = labels.find((c) => !Number.isInteger(c) || c < 0 || c >= k);
  if (wrong !== undefined || !(k < 2 ** 31))
    throw argumentError('INVALID_ARGUMENT', where, 'init.labels', {
      expected: `whole numbers from 0 to ${asked === undefined ? 2 ** 31 - 2 : k - 1}`,
      received: `${wrong}`,
    });
  return { k, given: new Set(), labels };
}
function readShares(where: string, value: unknown, asked: number | undefined): Start {
  const name = 'init.responsibilities';
  const k = asked ?? check.columnsOf(where, name, value);
  if (k === undefined) throw needed(where, name);
  const responsibilities = check.tensor(where, name, value, [undefined, k]);
  check.finite(where, name, responsibilities);
  const negative = responsibilities.find((r) => r < 0);
  if (negative !== undefined)
    throw argumentError('INVALID_ARGUMENT', where, name, { expected: '>= 0', received: `${negative}` });
  return { k, given: new Set(), responsibilities };
}
function readMeans(where: string, fields: Record<string, unknown>, asked: number | undefined, type: unknown): Start {
  const given = new Set(parameterNames.filter((name) => fields[name] !== undefined));
  if (given.size === parameterNames.length) {
    const parts = readMixture(where, 'init.', fields);
    return { k: parts.k, parts, given };
  }
  if (!given.has('means'))
    throw argumentError('INVALID_ARGUMENT', where, 'init.means', {
      expected: 'the means of a mixture, or labels or responsibilities',
      received: 'undefined',
      sentence: 'init needs means, or labels, or responsibilities',
    });
  const columns = check.columnsOf(where, 'init.means', fields['means']);
  const weights = given.has('weights')
    ? check.tensor(where, 'init.weights', fields['weights'], [undefined])
    : undefined;
  const count = asked ?? weights?.length;
  if (count === undefined && columns === undefined) throw needed(where, 'init.means');
  const means = check.tensor(where, 'init.means', fields['means'], [count, columns]);
  const k = count ?? means.length / columns!;
  const d = means.length / k;
  const own = check.or(fields['covarianceType'], check.or(type, 'full'));
  const covarianceType = check.choice(where, 'init.covarianceType', own, covarianceTypes);
  const parts = readMixture(where, 'init.', {
    weights: weights ?? new Float64Array(k).fill(1 / k),
    means,
    covariances: given.has('covariances')
      ? fields['covariances']
      : fromVariances(covarianceType, k, new Float64Array(d).fill(1)),
    covarianceType,
  });
  return { k, parts, given };
}
const needed = (where: string, what: string) =>
  argumentError('INVALID_ARGUMENT', where, 'components', {
    expected: `the number of components, as ${what} is flat`,
    received: 'undefined',
    reason: `is needed: ${what} is flat`,
  });
