/** Places of GaussianMixture and MixtureStatistics, and of the divergence between mixtures. */
import {
  type Backend,
  GaussianMixture,
  type MixtureParameters,
  MixtureStatistics,
  mixtureDivergence,
  type Points,
} from '../../src/index.ts';
import { none, number, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { backends, fits, LEAST, loading, masks, scoringPlaces, strings, words } from './scored.ts';
import { plain } from './values.ts';

const x = plain as number[];
const spheres = {
  weights: plain,
  means: [1, 2, 3, 5],
  covariances: [1, 1, 1, 1],
  covarianceType: 'spherical',
} as const;
const made = (given: object, backend: Backend): GaussianMixture =>
  new GaussianMixture(given as MixtureParameters, { backend });
function parameters(name: string, path: string, use: (given: object, backend: Backend) => unknown): Places {
  const field = (field: string, kind: (call: Place['call']) => Place): Places => ({
    [`${name}(${path}.${field})`]: kind((value, backend) => use({ ...spheres, [field]: value }, backend)),
  });
  return {
    ...field('weights', numbers),
    ...field('means', numbers),
    ...field('covariances', numbers),
    ...field('covarianceType', strings),
  };
}
const pair = (backend: Backend): GaussianMixture =>
  made({ weights: [0.25, 0.75], means: [0, 1, 1, 0], covariances: [2, 1, 1, 3], covarianceType: 'tied' }, backend);
const line = (backend?: Backend): GaussianMixture =>
  new GaussianMixture({ ...spheres, weights: [0.5, 0.5], means: [0, 1], covariances: [1, 1] }, backend && { backend });
const isMixture = (value: unknown): boolean => value instanceof GaussianMixture && Object.hasOwn(value, 'dimension');
const like = (call: Place['call']): Place => those(isMixture, call);

/** A method of (x, options) with gaps. */
function gaps(method: string, call: (model: GaussianMixture, x: Points, options?: never) => unknown): Places {
  const name = `GaussianMixture#${method}`;
  return {
    [`${name}(x)`]: numbers((points, backend) => call(pair(backend), points)),
    [`${name}(options)`]: options((given, backend) => call(pair(backend), x, given)),
    [`${name}(options.missing)`]: strings((missing, backend) => call(pair(backend), x, { missing } as never)),
    [`${name}(options.mask)`]: masks((mask, backend) => call(pair(backend), x, { mask } as never)),
  };
}
const startAt = (init: object, backend: Backend): never =>
  ({ init, components: 1, dimension: 1, backend, maxIterations: 2 }) as never;
const sums = (model: GaussianMixture, points: Points, given?: object): unknown => {
  const { parts: _, ...totals } = model.statistics(points, given).totals;
  return totals;
};
const rate = (call: Place['call']): Place => those((n) => n === 0.5, call);
const anomaly = (given: object, backend: Backend): unknown =>
  new GaussianMixture(spheres, { backend, anomaly: { threshold: 1, falsePositiveRate: 0.5, ...given } }).anomaly;

export const mixture: Places = {
  ...parameters('new GaussianMixture', 'parameters', (given, backend) => made(given, backend).logDensity([1, 2])),
  'new GaussianMixture(parameters)': none((given, backend) => new GaussianMixture(given, { backend })),
  'new GaussianMixture(options)': options((given) => new GaussianMixture(spheres, given).dimension),
  'new GaussianMixture(options.backend)': backends((backend) => made(spheres, backend as Backend).dimension),
  'new GaussianMixture(options.columns)': optional(
    none((columns, backend) => new GaussianMixture(pair(backend).parameters, { backend, columns }).columns),
  ),
  'new GaussianMixture(options.anomaly)': optional(
    none((anomaly, backend) => new GaussianMixture(spheres, { backend, anomaly }).anomaly),
  ),
  'new GaussianMixture(options.anomaly.threshold)': those(Number.isFinite, (threshold, backend) =>
    anomaly({ threshold }, backend),
  ),
  'new GaussianMixture(options.anomaly.falsePositiveRate)': rate((falsePositiveRate, backend) =>
    anomaly({ falsePositiveRate }, backend),
  ),
  ...scoringPlaces('GaussianMixture', pair),
  'GaussianMixture#responsibilities(options.unscorable)': optional(
    none((unscorable, backend) => pair(backend).responsibilities([1, 2], { unscorable } as never)),
  ),
  'GaussianMixture#classify(options.unscorable)': optional(
    none((unscorable, backend) => pair(backend).classify([1, 2], { unscorable } as never)),
  ),
  ...Object.fromEntries(
    (['componentLogDensity', 'logResponsibilities'] as const).flatMap((method) => [
      ...Object.entries(gaps(method, (model, points, given) => model[method](points, given))),
      [
        `GaussianMixture#${method}(options.unscorable)`,
        optional(none((unscorable, backend) => pair(backend)[method]([1, 2], { unscorable } as never))),
      ],
    ]),
  ),
  'GaussianMixture#sample(options.components)': optional(
    those(
      (made) => typeof made === 'boolean',
      (components, backend) => pair(backend).sample(3, { components } as never),
    ),
  ),
  ...gaps('responsibilities', (model, points, given) => model.responsibilities(points, given)),
  ...gaps('classify', (model, points, given) => model.classify(points, given)),
  ...gaps('statistics', sums),
  ...gaps('threshold', (model, points, given) => {
    if (given !== undefined && typeof given !== 'object') return model.threshold(points, given);
    return model.threshold(points, Object.assign(given ?? {}, { falsePositiveRate: 0.5 }) as never);
  }),
  'GaussianMixture#threshold(options.unscorable)': optional(
    none((unscorable, backend) => pair(backend).threshold(x, { falsePositiveRate: 0.5, unscorable } as never)),
  ),
  'GaussianMixture#threshold(options)': none((given, backend) => pair(backend).threshold(x, given)),
  'GaussianMixture#threshold(options.falsePositiveRate)': rate((falsePositiveRate, backend) =>
    pair(backend).threshold(x, { falsePositiveRate: falsePositiveRate as number }),
  ),
  'GaussianMixture#statistics(options.sampleWeights)': optional(
    numbers((sampleWeights, backend) => sums(line(backend), [0, 1, 3, 7], { sampleWeights })),
  ),
  'GaussianMixture#statistics(options.shardSize)': whole(1, LEAST, (shardSize, backend) =>
    sums(pair(backend), x, { shardSize }),
  ),
  'GaussianMixture#lossGradient(x)': numbers((points, backend) => pair(backend).lossGradient(points)),
  'GaussianMixture#update(statistics)': none((statistics, backend) => pair(backend).update(statistics)),
  'GaussianMixture#update(options)': options((given, backend) => {
    const model = line(backend);
    return model.update(model.statistics([0, 1, 3]), given).parameters;
  }),
  'GaussianMixture#update(options.regularization)': number(
    (n) => n >= 0 && n < Number.POSITIVE_INFINITY,
    (regularization, backend) => {
      const model = line(backend);
      return model.update(model.statistics([0, 1, 3]), { regularization }).parameters;
    },
  ),
  ...loading('GaussianMixture.fromBytes', () => [line().toBytes()], GaussianMixture.fromBytes),
  ...fits('GaussianMixture', (given, options) => GaussianMixture.fit(given, options), { components: 2 }),
  ...parameters('GaussianMixture.fit', 'options.init', async (init, backend) => {
    const given = { init: init as MixtureParameters, dimension: 1, backend, maxIterations: 2 };
    return (await GaussianMixture.fit([1, 2, 3, 5, 8, 13], given)).model.parameters;
  }),
  'GaussianMixture.fit(options.init.labels)': numbers(
    async (labels, backend) => (await GaussianMixture.fit([1, 2, 4, 8], startAt({ labels }, backend))).model.parameters,
  ),
  'GaussianMixture.fit(options.init.covariances)': optional(
    numbers(async (covariances, backend) => {
      const init = { ...spheres, covariances } as MixtureParameters;
      const given = { init, dimension: 1, backend, maxIterations: 2 };
      return (await GaussianMixture.fit([1, 2, 3, 5, 8, 13], given)).model.parameters;
    }),
  ),
  'GaussianMixture.fit(options.init.responsibilities)': numbers(
    async (responsibilities, backend) =>
      (await GaussianMixture.fit([1, 2, 4, 8], startAt({ responsibilities }, backend))).model.parameters,
  ),
  'GaussianMixture#update(options.update)': words((update, backend) => {
    const model = line(backend);
    return model.update(model.statistics([0, 1, 3]), { update } as never).parameters;
  }),
  'GaussianMixture.fit(options.init)': like(
    async (init, backend) =>
      (await GaussianMixture.fit([1, 2, 4], { init: init as GaussianMixture, dimension: 1, backend })).model.parameters,
  ),
  'GaussianMixture.fit(options.components)': those(
    (n) => n === 7,
    (components, backend) => GaussianMixture.fit([1, 2, 3], { components, dimension: 1, backend }),
  ),
  'GaussianMixture.fit(options.falsePositiveRate)': optional(
    rate(async (falsePositiveRate, backend) => {
      const given = { components: 1, dimension: 1, backend, falsePositiveRate: falsePositiveRate as number };
      return (await GaussianMixture.fit([1, 2, 3], given)).model.anomaly;
    }),
  ),
  'MixtureStatistics#merge(other)': none((other, backend) => pair(backend).statistics(x).merge(other)),
  'MixtureStatistics.fromBytes(bytes)': none((bytes) => MixtureStatistics.fromBytes(bytes)),
  'new MixtureStatistics(totals)': none((totals) => new MixtureStatistics(totals)),

  ...parameters('mixtureDivergence', 'p', (p) =>
    mixtureDivergence(p as MixtureParameters, line(), { method: 'variational' }),
  ),
  ...parameters('mixtureDivergence', 'q', (q) =>
    mixtureDivergence(line(), q as MixtureParameters, { method: 'variational' }),
  ),
  'mixtureDivergence(p)': like((p) => mixtureDivergence(p as GaussianMixture, line(), { method: 'variational' })),
  'mixtureDivergence(q)': like((q) => mixtureDivergence(line(), q as GaussianMixture, { method: 'variational' })),
  'mixtureDivergence(options)': none((given) => mixtureDivergence(line(), line(), given)),
  'mixtureDivergence(options.method)': none((method) => mixtureDivergence(line(), line(), { method })),
  'mixtureDivergence(options.samples)': whole(2, 7, (samples) =>
    mixtureDivergence(line(), line(), { method: 'monte-carlo', samples }),
  ),
  'mixtureDivergence(options.seed)': whole(0, 2 ** 32 - 1, (seed) =>
    mixtureDivergence(line(), line(), { method: 'monte-carlo', samples: 2, seed }),
  ),
};
