/** Places of LinearDynamicalSystem and SystemStatistics. */
import {
  type Backend,
  LinearDynamicalSystem,
  type Sequences,
  type SystemFitOptions,
  type SystemParameters,
  type SystemState,
  SystemStatistics,
} from '../../src/index.ts';
import { none, number, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { backends, isSignal, LEAST, loading, masks, strings } from './scored.ts';
import { plain } from './values.ts';

type System = LinearDynamicalSystem;
type Call<V = never> = (value: V, backend: Backend) => unknown;
const NAME = 'LinearDynamicalSystem';
const x = plain as number[];
const unit = (n: number): number[] => Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
/** m latent and d observed coordinates. */
const shape = (m: number, d: number): SystemParameters => ({
  transition: unit(m).map((v) => v / 2),
  observation: Array.from({ length: d * m }, (_, i) => 1 / (i + 1)),
  transitionCovariance: unit(m),
  observationCovariance: unit(d),
  initialMean: new Float64Array(m),
  initialCovariance: unit(m),
});
const made = (m: number, d: number, backend?: Backend): System =>
  new LinearDynamicalSystem(shape(m, d), backend && { backend });
const line = (backend?: Backend): System => made(1, 1, backend);

/** Fields of parameters: each has room for four numbers. */
function parameters(path: string, use: (given: SystemParameters, backend: Backend) => unknown): Places {
  const field = (name: string, [m, d]: readonly [number, number], kind: (call: Place['call']) => Place): Places => ({
    [`${path}.${name})`]: kind((value, backend) => use({ ...shape(m, d), [name]: value }, backend)),
  });
  return {
    ...field('transition', [2, 2], numbers),
    ...field('observation', [2, 2], numbers),
    ...field('transitionCovariance', [2, 2], numbers),
    ...field('observationCovariance', [2, 2], numbers),
    ...field('initialMean', [4, 2], numbers),
    ...field('initialCovariance', [2, 2], (call) => optional(numbers(call))),
  };
}
/** One sequence, several, or ragged, wherever they go. */
const sequences = (name: string, call: Call<Sequences>): Places => ({
  // [] says nothing of how many sequences there are
  [`${name}(y)`]: {
    call: call as Place['call'],
    meant: ({ counts }, made) =>
      counts && { as: Array.isArray(made) && counts.length === 0 ? [] : Float64Array.from(counts) },
  },
  [`${name}(y.values)`]: numbers((values, backend) => call({ values, lengths: [1, 3] }, backend)),
  [`${name}(y.lengths)`]: {
    call: (lengths, backend) => call({ values: [...x, 1, 2], lengths: lengths as number[] } as never, backend),
    meant: ({ counts }, made) => (Array.isArray(made) ? counts && { as: [...counts] } : undefined),
  },
  [`${name}(y[])`]: numbers((entry, backend) => call([Float64Array.of(1, 2), entry], backend)),
});
/** A method of (y, options) with gaps. */
function scored(method: string, run: (system: System, y: never, given: never) => unknown): Places {
  const name = `${NAME}#${method}`;
  const call = (y: unknown, given: unknown, backend: Backend): unknown =>
    run(line(backend), y as never, given as never);
  return {
    ...sequences(name, (y, backend) => call(y, undefined, backend)),
    [`${name}(options)`]: options((given, backend) => call(x, given, backend)),
    [`${name}(options.missing)`]: strings((missing, backend) => call(x, { missing }, backend)),
    [`${name}(options.mask)`]: masks((mask, backend) => call(x, { mask }, backend)),
  };
}
const marking = (
  method: 'logDensity' | 'logDensityAsync' | 'logLikelihoods' | 'logLikelihood' | 'bic' | 'aic',
): Places => ({
  [`${NAME}#${method}(options.unscorable)`]: strings((unscorable, backend) =>
    line(backend)[method](x, { unscorable } as never),
  ),
});
const signals = (method: 'filterAsync' | 'smoothAsync' | 'logDensityAsync'): Places => ({
  [`${NAME}#${method}(options.signal)`]: optional(
    those(isSignal, (signal, backend) => line(backend)[method](x, { signal })),
  ),
});
/** Fields of a state of four coordinates, or of two where a covariance is wanted. */
function states(path: string, use: (system: System, state: SystemState) => unknown): Places {
  const field = (m: number, name: string) => (value: unknown, backend: Backend) =>
    use(made(m, 1, backend), { time: 1, mean: new Float64Array(m), covariance: unit(m), [name]: value } as never);
  return {
    [`${path}.time)`]: those((n) => Number.isSafeInteger(n) && (n as number) >= 0, field(1, 'time')),
    [`${path}.mean)`]: numbers(field(4, 'mean')),
    [`${path}.covariance)`]: numbers(field(2, 'covariance')),
  };
}

const finite = (n: number): boolean => n >= 0 && n < Number.POSITIVE_INFINITY;
const isFunction = (made: unknown): boolean => typeof made === 'function';
const isText = (made: unknown): boolean => typeof made === 'string';
const isTrue = (made: unknown): boolean => made === true;
/** A list of names: none of the values has one, but one is empty. */
const names = (call: Call): Place => ({
  call: call as Place['call'],
  meant: (_, made) => (made === undefined || (Array.isArray(made) && made.length === 0) ? { as: made } : undefined),
});
/** One number for all covariances, or an object with one for each. */
const floors = (call: Call): Place => ({
  call: call as Place['call'],
  meant: (value, made) =>
    typeof made === 'number' ? number(finite, call).meant(value, made) : options(call).meant(value, made),
});
/** Places of the options of an M step. */
function constraints(path: string, use: (given: object, backend: Backend) => unknown): Places {
  const option = (name: string, kind: (call: Place['call']) => Place): Places => ({
    [`${path}.${name})`]: kind((value, backend) => use({ [name]: value }, backend)),
  });
  const form = (name: string): Places => ({
    [`${path}.structure.${name})`]: optional(none((form, backend) => use({ structure: { [name]: form } }, backend))),
  });
  return {
    ...option('update', names),
    ...option('tied', (call) => optional(those(isTrue, call))),
    ...option('structure', options),
    ...option('floor', floors),
    ...form('transitionCovariance'),
    ...form('observationCovariance'),
  };
}

const rows = [0, 1, 3, 7];
async function learnt(given: object, y: unknown): Promise<unknown> {
  const settings = { latent: 1, maxIterations: 1, ...given } as SystemFitOptions;
  const { model, report } = await LinearDynamicalSystem.fit(y as Sequences, settings);
  return { ...model.parameters, ...report };
}
function fitPlaces(): Places {
  const option = (name: string, kind: (call: Place['call']) => Place): Places => ({
    [`${NAME}.fit(options.${name})`]: kind((value, backend) => learnt({ backend, [name]: value }, rows)),
  });
  const wholes = (least: number, most: number) => (call: Call) => whole(least, most, call);
  return {
    ...sequences(`${NAME}.fit`, (y, backend) => learnt({ backend }, y)),
    [`${NAME}.fit(options)`]: options((given) => LinearDynamicalSystem.fit(x, given)),
    ...option('latent', wholes(1, 1000)),
    ...option('init', (call) => optional(none(call))),
    ...parameters(`${NAME}.fit(options.init`, (init, backend) =>
      learnt({ init, backend, latent: undefined }, { values: [0, 1, 3, 7, 1, 2, 5, 1], lengths: [3, 1] }),
    ),
    ...option('dimension', wholes(1, LEAST)),
    ...constraints(`${NAME}.fit(options`, (given, backend) => learnt({ ...given, backend }, rows)),
    ...option('restarts', wholes(1, 1000)),
    ...option('acceleration', strings),
    ...option('seed', wholes(0, 2 ** 32 - 1)),
    ...option('maxIterations', wholes(0, LEAST)),
    ...option('tolerance', (call) => number(finite, call)),
    ...option('signal', (call) => optional(those(isSignal, call))),
    ...option('onProgress', (call) => optional(those(isFunction, call))),
    ...option('columns', (call) => optional(none(call))),
    ...option('shardSize', wholes(1, LEAST)),
    ...option('sequenceColumn', (call) => optional(those(isText, call))),
    [`${NAME}.fit(options.backend)`]: backends((backend) => learnt({ backend }, rows)),
    ...option('missing', strings),
    ...option('mask', masks),
  };
}
const sums = (statistics: SystemStatistics): unknown => {
  const { system: _, ...moments } = statistics.moments;
  return moments;
};
const few = (n: unknown): boolean => n === 0 || n === 7;
const state = { time: 1, mean: [0], covariance: [1] } as never;

export const lds: Places = {
  ...parameters(`new ${NAME}(parameters`, (given, backend) => {
    const system = new LinearDynamicalSystem(given, { backend });
    return [system.parameters, system.logDensity([1, 2])];
  }),
  [`new ${NAME}(parameters)`]: none((given, backend) => new LinearDynamicalSystem(given, { backend })),
  [`new ${NAME}(options)`]: options((given) => new LinearDynamicalSystem(shape(1, 1), given).dimension),
  [`new ${NAME}(options.backend)`]: backends((backend) => line(backend as Backend).dimension),
  [`new ${NAME}(options.columns)`]: optional(
    none((columns, backend) => new LinearDynamicalSystem(shape(1, 1), { backend, columns }).columns),
  ),
  [`new ${NAME}(options.sequenceColumn)`]: optional(
    those(
      isText,
      (sequenceColumn: string, backend) =>
        new LinearDynamicalSystem(shape(1, 1), { backend, sequenceColumn }).sequenceColumn,
    ),
  ),
  ...loading(`${NAME}.fromBytes`, () => [line().toBytes()], LinearDynamicalSystem.fromBytes),
  ...fitPlaces(),
  ...scored('filter', (system, y, given) => system.filter(y, given)),
  [`${NAME}#filter(options.store)`]: strings((store, backend) => line(backend).filter(x, { store: store as never })),
  [`${NAME}#filter(options.steadyState)`]: optional(
    those(isTrue, (steadyState: true, backend) => line(backend).filter(x, { steadyState })),
  ),
  ...scored('filterAsync', (system, y, given) => system.filterAsync(y, given)),
  [`${NAME}#filterAsync(options.store)`]: strings((store, backend) =>
    line(backend).filterAsync(x, { store: store as never }),
  ),
  [`${NAME}#filterAsync(options.steadyState)`]: optional(
    those(isTrue, (steadyState: true, backend) => line(backend).filterAsync(x, { steadyState })),
  ),
  ...signals('filterAsync'),
  ...scored('smooth', (system, y, given) => system.smooth(y, given)),
  ...scored('smoothAsync', (system, y, given) => system.smoothAsync(y, given)),
  ...signals('smoothAsync'),
  ...scored('logDensity', (system, y, given) => system.logDensity(y, given)),
  ...scored('logDensityAsync', (system, y, given) => system.logDensityAsync(y, given)),
  ...signals('logDensityAsync'),
  ...marking('logDensity'),
  ...marking('logDensityAsync'),
  ...marking('logLikelihoods'),
  ...marking('logLikelihood'),
  ...marking('bic'),
  ...marking('aic'),
  [`${NAME}#step(options.unscorable)`]: strings((unscorable, backend) =>
    line(backend).step(state, [1], { unscorable: unscorable as never }),
  ),
  ...scored('logLikelihoods', (system, y, given) => system.logLikelihoods(y, given)),
  ...scored('logLikelihood', (system, y, given) => system.logLikelihood(y, given)),
  ...scored('bic', (system, y, given) => system.bic(y, given)),
  ...scored('aic', (system, y, given) => system.aic(y, given)),
  ...scored('logLikelihoodGradient', (system, y, given) => system.logLikelihoodGradient(y, given)),
  ...scored('statistics', (system, y, given) => sums(system.statistics(y, given))),
  [`${NAME}#statistics(options.shardSize)`]: whole(1, LEAST, (shardSize, backend) =>
    sums(line(backend).statistics(x, { shardSize })),
  ),
  ...scored('forecast', (system, y, given) => system.forecast(y, 2, given)),
  ...states(`${NAME}#forecast(y`, (system, state) => system.forecast(state, 2)),
  [`${NAME}#forecast(steps)`]: those(few, (steps, backend) => line(backend).forecast([1], steps)),
  [`${NAME}#step(state)`]: none((state, backend) => line(backend).step(state, [1])),
  ...states(`${NAME}#step(state`, (system, state) => system.step(state, [1])),
  [`${NAME}#step(y)`]: numbers((y, backend) => made(1, 4, backend).step(state, y)),
  [`${NAME}#step(options)`]: options((given, backend) => line(backend).step(state, [1], given)),
  [`${NAME}#step(options.missing)`]: strings((missing, backend) =>
    line(backend).step(state, [1], { missing: missing as never }),
  ),
  [`${NAME}#step(options.mask)`]: masks((mask, backend) =>
    made(1, 4, backend).step(state, x, { mask: mask as Uint8Array }),
  ),
  [`${NAME}#sample(steps)`]: those(few, (steps, backend) => line(backend).sample(steps)),
  [`${NAME}#sample(options)`]: options((given, backend) => line(backend).sample(3, given)),
  [`${NAME}#sample(options.seed)`]: whole(0, 2 ** 32 - 1, (seed, backend) => line(backend).sample(3, { seed })),
  [`${NAME}#update(statistics)`]: none((statistics, backend) => line(backend).update(statistics)),
  [`${NAME}#update(options)`]: options((given, backend) => updated(given, backend)),
  ...constraints(`${NAME}#update(options`, updated),
  'SystemStatistics#merge(other)': none((other, backend) => line(backend).statistics(x).merge(other)),
  'SystemStatistics.fromBytes(bytes)': none((bytes) => SystemStatistics.fromBytes(bytes)),
  'new SystemStatistics(moments)': none((moments) => new SystemStatistics(moments)),
};
function updated(given: object, backend: Backend): unknown {
  const system = line(backend);
  return system.update(system.statistics([0, 1, 3, 7]), given).parameters;
}
