/** The places that Gaussian and GaussianMixture share. */
import { isDeepStrictEqual } from 'node:util';
import type { Backend, FitReport, Gaussian, GaussianMixture } from '../../src/index.ts';
import { isFloats, none, number, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { plain } from './values.ts';

export const LEAST = 2 ** 31 - 1;
const x = plain as number[];
export const isSignal = (made: unknown): boolean =>
  made instanceof AbortSignal && Object.getPrototypeOf(made) === AbortSignal.prototype;
const seed = 2 ** 32 - 1;
/** One byte a value. */
export const masks = (call: Place['call']): Place =>
  optional(those((made) => made instanceof Uint8Array && made.length === x.length && !isFlexible(made), call));
const isFlexible = ({ buffer }: Uint8Array): boolean =>
  buffer instanceof SharedArrayBuffer || (buffer as ArrayBuffer & { resizable?: boolean }).resizable === true;
/** 'nan' is not among the values. */
const word = (call: Place['call']): Place => optional(none(call));
export const strings = (call: Place['call']): Place => optional(none(call));
/** A list of words: of the values only the empty one is such a list. */
export const words = (call: Place['call']): Place =>
  optional({
    call,
    meant: ({ counts }, made) => (counts?.length === 0 && Array.isArray(made) ? { as: [] } : undefined),
  });
export const backends = (call: Place['call']): Place => optional(none(call));

/** Places of models of 2 coordinates. */
export function scoringPlaces(name: string, make: (backend: Backend) => Gaussian | GaussianMixture): Places {
  /** A method of (x, options). */
  const gaps = (method: string, call: (model: never, x: never, options: never) => unknown): Places => {
    const run = (backend: Backend, points: unknown, given: unknown): unknown =>
      call(make(backend) as never, points as never, given as never);
    return {
      [`${name}#${method}(x)`]: numbers((points, backend) => run(backend, points, undefined)),
      [`${name}#${method}(options)`]: options((given, backend) => run(backend, x, given)),
      [`${name}#${method}(options.missing)`]: word((missing, backend) => run(backend, x, { missing })),
      [`${name}#${method}(options.mask)`]: masks((mask, backend) => run(backend, x, { mask })),
    };
  };
  const marks = (method: string, call: (model: never, options: never) => unknown): Places => ({
    [`${name}#${method}(options.unscorable)`]: word((unscorable, backend) =>
      call(make(backend) as never, { unscorable } as never),
    ),
  });
  const weighted = (method: string, call: (model: never, options: never) => unknown): Places => ({
    [`${name}#${method}(options.sampleWeights)`]: optional(
      // x is one row of two values
      those(
        () => false,
        (sampleWeights, backend) => call(make(backend) as never, { sampleWeights } as never),
      ),
    ),
  });
  return {
    ...gaps('logDensity', (model: Gaussian, points, given) => model.logDensity(points, given)),
    ...gaps('logDensityAsync', (model: Gaussian, points, given) => model.logDensityAsync(points, given)),
    ...gaps('bic', (model: Gaussian, points, given) => model.bic(points, given)),
    ...gaps('aic', (model: Gaussian, points, given) => model.aic(points, given)),
    ...gaps('logLikelihood', (model: Gaussian, points, given) => model.logLikelihood(points, given)),
    [`${name}#logDensity(options.out)`]: {
      // results go where they are wanted, whatever that says of itself
      call: (out, backend) => {
        const result = make(backend).logDensity([...x, ...x], { out: out as Float64Array });
        return Array.from({ length: 4 }, (_, i) => result[i]);
      },
      meant: ({ counts }, made) =>
        made === undefined || (counts?.length === 4 && isFloats(made)) ? { as: undefined } : undefined,
    },
    ...marks('logDensity', (model: Gaussian, given) => model.logDensity(x, given)),
    ...marks('logDensityAsync', (model: Gaussian, given) => model.logDensityAsync(x, given)),
    ...marks('logLikelihood', (model: Gaussian, given) => model.logLikelihood(x, given)),
    ...marks('bic', (model: Gaussian, given) => model.bic(x, given)),
    ...marks('aic', (model: Gaussian, given) => model.aic(x, given)),
    ...weighted('logLikelihood', (model: Gaussian, given) => model.logLikelihood(x, given)),
    ...weighted('bic', (model: Gaussian, given) => model.bic(x, given)),
    ...weighted('aic', (model: Gaussian, given) => model.aic(x, given)),
    ...gaps('impute', (model: Gaussian, points, given) => model.impute(points, given)),
    ...marks('impute', (model: Gaussian, given) => model.impute(x, given)),
    [`${name}#impute(options.draws)`]: optional(
      those(
        (n) => n === 7,
        (draws, backend) => make(backend).impute(x, { draws }),
      ),
    ),
    [`${name}#impute(options.seed)`]: whole(0, seed, (seed, backend) => make(backend).impute(x, { draws: 2, seed })),
    [`${name}#logDensityGradient(x)`]: numbers((points, backend) => make(backend).logDensityGradient(points)),
    [`${name}#logDensityAsync(options.signal)`]: optional(
      those(isSignal, (signal, backend) => make(backend).logDensityAsync(x, { signal })),
    ),
    [`${name}#sample(n)`]: those(
      (n) => n === 0 || n === 7,
      (n, backend) => make(backend).sample(n),
    ),
    [`${name}#sample(options)`]: options((given, backend) => make(backend).sample(3, given)),
    [`${name}#sample(options.seed)`]: whole(0, seed, (seed, backend) => make(backend).sample(3, { seed })),
    [`${name}#marginal(dims)`]: none((dims, backend) => make(backend).marginal(dims)),
    [`${name}#conditional(dims)`]: {
      call: (dims, backend) => make(backend).conditional(dims as number[], []).parameters,
      meant: ({ counts }) => (counts?.length === 0 ? { as: [] } : undefined),
    },
    [`${name}#conditional(values)`]: numbers((values, backend) =>
      make(backend).conditional([1], values).logDensity([1]),
    ),
  };
}

/** Places of `fit` to 4 rows in one dimension; `more` are the other options that this fit needs. */
export function fits(
  name: string,
  train: (x: never, options: never) => Promise<{ model: Gaussian | GaussianMixture; report: FitReport }>,
  more: object,
): Places {
  const run = async (backend: Backend, given: object, points: unknown): Promise<unknown> => {
    const options = { backend, dimension: 1, maxIterations: 3, ...more, ...given };
    const { model, report } = await train(points as never, options as never);
    return { ...model.parameters, ...report };
  };
  const amounts = (least: number) => (n: number) => n >= least && n < Number.POSITIVE_INFINITY;
  const option = (name: string, kind: (call: Place['call']) => Place): [string, Place] => [
    `options.${name}`,
    kind((value, backend) => run(backend, { [name]: value }, [0, 1, 3, 7])),
  ];
  const places = [
    ['x', numbers((points, backend) => run(backend, {}, points))],
    [
      'options',
      options(async (given) => (await train([[0], [1], [3], [7]] as never, given as never)).report.iterations),
    ],
    option('dimension', (call) => whole(1, LEAST, call)),
    option('restarts', (call) => whole(1, 1000, call)),
    option('initialization', strings),
    option('regularization', (call) => number(amounts(0), call)),
    option('sampleWeights', (call) => optional(numbers(call))),
    option('seed', (call) => whole(0, seed, call)),
    option('maxIterations', (call) => whole(0, LEAST, call)),
    option('tolerance', (call) => number(amounts(0), call)),
    option('signal', (call) => optional(those(isSignal, call))),
    option('onProgress', (call) => optional(those((made) => typeof made === 'function', call))),
    option('backend', backends),
    option('shardSize', (call) => whole(1, LEAST, call)),
    option('missing', word),
    option('mask', masks),
    option('covarianceType', strings),
    option('update', words),
  ] as const;
  return Object.fromEntries(places.map(([path, place]) => [`${name}.fit(${path})`, place]));
}

/** Places of functions that read files: `files` are accepted. */
export function loading(
  name: string,
  files: () => readonly Uint8Array[],
  load: (bytes: never, options: never) => { readonly parameters: object },
): Places {
  const read = (bytes: unknown, given: unknown): object => load(bytes as never, given as never).parameters;
  return {
    [`${name}(bytes)`]: those(
      (made) => made instanceof Uint8Array && files().some((file) => isDeepStrictEqual(file, made)),
      (bytes, backend) => read(bytes, { backend }),
    ),
    [`${name}(options)`]: options((given) => read(files()[0], given)),
    [`${name}(options.backend)`]: backends((backend) => read(files()[0], { backend })),
  };
}
