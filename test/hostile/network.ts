/** Places of MixtureDensityNetwork. */
import {
  type Backend,
  diagnose,
  MixtureDensityNetwork,
  type NetworkFitOptions,
  type NetworkOptions,
  RecurrentClassifier,
  type Sequences,
  type State,
} from '../../src/index.ts';
import { none, number, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { backends, isSignal, LEAST, loading, strings } from './scored.ts';
import { plain } from './values.ts';

const x = plain as number[];
const shape = { dimension: 1, hidden: [4], components: 1 };
const made = (given: object, backend: Backend): MixtureDensityNetwork =>
  new MixtureDensityNetwork({ ...shape, ...given } as NetworkOptions, { backend });
/** Raw outputs, a state and an observation of four numbers each. */
const square = (backend: Backend): MixtureDensityNetwork => made({ dimension: 4 }, backend);
const coin = (backend: Backend): MixtureDensityNetwork => made({ dimension: 2, binary: 1, hidden: [1] }, backend);
const { parameters } = new MixtureDensityNetwork(shape);

type Network = MixtureDensityNetwork;
type Call<V = never> = (value: V, backend: Backend) => unknown;
/** One sequence, several, or ragged, wherever they go. */
const sequences = (name: string, call: Call<Sequences>): Places => ({
  // [] says nothing of how many sequences there are
  [`${name}(seqs)`]: {
    call: call as Place['call'],
    meant: ({ counts }, made) =>
      counts && { as: Array.isArray(made) && counts.length === 0 ? [] : Float64Array.from(counts) },
  },
  [`${name}(seqs[])`]: numbers((entry, backend) => call([Float64Array.of(1, 2), entry], backend)),
  [`${name}(seqs.values)`]: numbers((values, backend) => call({ values, lengths: [1, 3] }, backend)),
  [`${name}(seqs.lengths)`]: {
    call: (lengths, backend) => call({ values: [...x, 1, 2], lengths: lengths as number[] } as never, backend),
    meant: ({ counts }, made) => (Array.isArray(made) ? counts && { as: [...counts] } : undefined),
  },
});
const scoringPlaces = (
  method: 'logDensity' | 'logLikelihoods' | 'logLikelihood' | 'bic' | 'aic' | 'forward' | 'lossGradient',
): Places => sequences(`MixtureDensityNetwork#${method}`, (seqs, backend) => made({}, backend)[method](seqs));
/** A method of (seqs, options) with a state per layer. */
const stateful = (method: 'forward' | 'lossGradient'): Places => ({
  [`MixtureDensityNetwork#${method}(options)`]: options((given, backend) => made({}, backend)[method](x, given)),
  [`MixtureDensityNetwork#${method}(options.initialState)`]: optional(
    none((initialState, backend) => made({ hidden: [1, 1, 1, 1] }, backend)[method](x, { initialState })),
  ),
  [`MixtureDensityNetwork#${method}(options.initialState[])`]: numbers((state, backend) =>
    made({}, backend)[method](x, { initialState: [state] }),
  ),
});

/** A method of (seqs, options) that can mark. */
const marking = (
  method: 'logDensity' | 'logLikelihoods' | 'logLikelihood' | 'bic' | 'aic' | 'forward',
  more = true,
): Places => ({
  ...(more && {
    [`MixtureDensityNetwork#${method}(options)`]: options((given, backend) => made({}, backend)[method](x, given)),
  }),
  [`MixtureDensityNetwork#${method}(options.unscorable)`]: optional(
    none((unscorable, backend) => made({}, backend)[method](x, { unscorable } as never)),
  ),
});

const finiteFrom = (least: number) => (n: number) => n >= least && n < Number.POSITIVE_INFINITY;
const shapes = (name: string, use: (given: object, backend: Backend) => unknown): Places => {
  const field = (field: string, kind: (call: Call) => Place): Places => ({
    [`${name}(options.${field})`]: kind((value, backend) => use({ [field]: value }, backend)),
  });
  const only = (wanted: unknown) => (call: Call) => those((made) => made === wanted, call);
  return {
    ...field('dimension', only(7)),
    ...field('hidden', none),
    ...field('components', only(7)),
    ...field('mapping', strings as (call: Call) => Place),
    ...field('cell', strings as (call: Call) => Place),
    ...field('inputSkip', (call) => optional(only(true)(call))),
    ...field('binary', (call) => optional(only(0)(call))),
    ...field('seed', (call) => whole(0, 2 ** 32 - 1, call)),
    ...field('minStandardDeviation', (call) => number(finiteFrom(0), call)),
  };
};
const units = (given: object, backend: Backend): unknown => {
  const standardization = { mean: plain, standardDeviation: [1, 2, 3, 4], ...given } as never;
  const network = made({ dimension: 4, mapping: 'diag-exp', standardization }, backend);
  return [network.standardization, network.logDensity([...plain, ...plain])];
};

// ---- fit ----
const data = { values: [0, 1, 3, 7, 1, 2], lengths: [4, 2] };
const fitNetwork = (given: object, backend: Backend): Promise<unknown> => learnt(given, backend, data);
async function learnt(given: object, backend: Backend, seqs: unknown): Promise<unknown> {
  const options = { ...shape, hidden: [1], backend, maxIterations: 1, ...given } as NetworkFitOptions;
  const { model, report } = await MixtureDensityNetwork.fit(seqs as Sequences, options);
  return { ...model.parameters, ...report };
}
const anything = options(() => undefined);
const isNetwork = (value: unknown): boolean => value instanceof MixtureDensityNetwork && Object.hasOwn(value, 'kind');
const isText = (made: unknown): boolean => typeof made === 'string';
const isFunction = (made: unknown): boolean => typeof made === 'function';
function fitOptions(): Places {
  const wide = { hidden: [4], maxIterations: 0 };
  const places: Record<string, Place> = {
    columns: optional(none((columns, backend) => fitNetwork({ columns }, backend))),
    sequenceColumn: optional(those(isText, (sequenceColumn, backend) => fitNetwork({ sequenceColumn }, backend))),
    init: optional(those(isNetwork, (init, backend) => fitNetwork({ init }, backend))),
    'init[]': numbers((Wx0, backend) => fitNetwork({ ...wide, init: { ...parameters, Wx0 } }, backend)),
    'init.parameters': none((parameters, backend) => fitNetwork({ init: { parameters } }, backend)),
    'init.parameters[]': numbers((Wx0, backend) =>
      fitNetwork({ ...wide, init: { parameters: { ...parameters, Wx0 } } }, backend),
    ),
    checkpoint: {
      call: (checkpoint, backend) => fitNetwork({ checkpoint }, backend),
      meant: (
        value,
        made, // arrays have `every`, and what inherits from one
      ) =>
        typeof (made as { every?: unknown } | undefined)?.every === 'function'
          ? undefined
          : anything.meant(value, made),
    },
    'checkpoint.resume': optional(none((resume, backend) => fitNetwork({ checkpoint: { resume } }, backend))),
    'checkpoint.save': optional(those(isFunction, (save, backend) => fitNetwork({ checkpoint: { save } }, backend))),
    'checkpoint.every': whole(1, LEAST, (every, backend) => fitNetwork({ checkpoint: { every } }, backend)),
    momentum: number(
      (n) => n >= 0 && n < 1,
      (momentum, backend) => fitNetwork({ optimizer: 'sgd', momentum }, backend),
    ),
  };
  const option = (name: string, kind: (call: Call) => Place): void => {
    places[name] = kind((value, backend) => fitNetwork({ [name]: value }, backend));
  };
  const wholes = (least: number) => (call: Call) => whole(least, LEAST, call);
  for (const name of ['backend', 'optimizer', 'schedule']) option(name, strings as (call: Call) => Place);
  for (const name of ['batch', 'patience', 'shardSize']) option(name, wholes(1));
  for (const name of ['clip', 'tolerance']) option(name, (call) => number(finiteFrom(0), call));
  option('maxIterations', wholes(0));
  option('learningRate', (call) => number(finiteFrom(Number.MIN_VALUE), call));
  option('validation', (call) => number((n) => n >= 0 && n < 1, call));
  option('signal', (call) => optional(those(isSignal, call)));
  option('onProgress', (call) => optional(those(isFunction, call)));
  return Object.fromEntries(
    Object.entries(places).map(([path, place]) => [`MixtureDensityNetwork.fit(options.${path})`, place]),
  );
}

const file = (): Uint8Array => new MixtureDensityNetwork({ dimension: 1, hidden: [1], components: 1 }).toBytes();
const NEW = 'new MixtureDensityNetwork';
const STEP = 'MixtureDensityNetwork#step';
const stepNetwork = (network: Network, state: unknown, x: unknown): unknown =>
  network.step(state as State, x as number[]);
const SAMPLE = 'MixtureDensityNetwork#sample';

export const network: Places = {
  ...shapes(NEW, (given, backend) => {
    const network = made(given, backend);
    return [network.parameters, network.minStandardDeviation, network.sample(2)];
  }),
  [`${NEW}(options)`]: none((given, backend) => new MixtureDensityNetwork(given, { backend })),
  [`${NEW}(options.parameters)`]: optional(none((parameters, backend) => made({ parameters }, backend).parameters)),
  [`${NEW}(options.parameters[])`]: numbers(
    (Wx0, backend) => made({ parameters: { ...parameters, Wx0 } }, backend).parameters,
  ),
  [`${NEW}(options.standardization)`]: optional(
    none((standardization, backend) => made({ standardization }, backend).standardization),
  ),
  [`${NEW}(options.standardization.mean)`]: numbers((mean, backend) => units({ mean }, backend)),
  [`${NEW}(options.standardization.standardDeviation)`]: numbers((standardDeviation, backend) =>
    units({ standardDeviation }, backend),
  ),
  [`${NEW}(on)`]: options((on) => new MixtureDensityNetwork(shape, on).dimension),
  [`${NEW}(on.backend)`]: backends((backend) => made({}, backend as Backend).dimension),
  [`${NEW}(on.columns)`]: {
    call: (columns, backend) =>
      new MixtureDensityNetwork({ ...shape, dimension: 4 }, { backend, columns: columns as string[] }).columns,
    meant: (_, made) => (made === undefined ? { as: made } : undefined),
  },
  [`${NEW}(on.sequenceColumn)`]: optional(
    those(
      isText,
      (sequenceColumn: string, backend) => new MixtureDensityNetwork(shape, { backend, sequenceColumn }).sequenceColumn,
    ),
  ),
  ...scoringPlaces('logDensity'),
  ...scoringPlaces('logLikelihoods'),
  ...scoringPlaces('logLikelihood'),
  ...scoringPlaces('bic'),
  ...scoringPlaces('aic'),
  ...scoringPlaces('forward'),
  ...scoringPlaces('lossGradient'),
  'diagnose(model)': those(
    (model) =>
      (model instanceof MixtureDensityNetwork || model instanceof RecurrentClassifier) &&
      Object.hasOwn(model, 'backend'),
    (model) => diagnose(model, x),
  ),
  ...sequences('diagnose', (seqs, backend) => diagnose(made({}, backend), seqs)),
  ...marking('logDensity'),
  ...marking('logLikelihoods'),
  ...marking('logLikelihood'),
  ...marking('bic'),
  ...marking('aic'),
  ...marking('forward', false),
  ...stateful('forward'),
  ...stateful('lossGradient'),
  'MixtureDensityNetwork#lossGradient(options.truncate)': whole(1, LEAST, (truncate, backend) =>
    made({}, backend).lossGradient(x, { truncate }),
  ),
  [`${STEP}(options)`]: options((given, backend) => {
    const network = made({}, backend);
    return network.step(network.start(), [1], given);
  }),
  [`${STEP}(options.unscorable)`]: optional(
    none((unscorable, backend) => {
      const network = made({}, backend);
      return network.step(network.start(), [1], { unscorable } as never);
    }),
  ),
  [`${STEP}(state)`]: none((state, backend) => stepNetwork(made({}, backend), state, [1])),
  [`${STEP}(state.hidden)`]: none((hidden, backend) =>
    stepNetwork(made({ hidden: [1, 1, 1, 1] }, backend), { hidden }, [1]),
  ),
  [`${STEP}(state.hidden[])`]: numbers((hidden, backend) => stepNetwork(made({}, backend), { hidden: [hidden] }, [1])),
  [`${STEP}(state.raw)`]: optional(
    numbers((raw, backend) => stepNetwork(coin(backend), { hidden: [[0]], raw }, [0.5, 1])),
  ),
  [`${STEP}(x)`]: numbers((x, backend) => stepNetwork(square(backend), { hidden: [plain] }, x)),
  [`${SAMPLE}(steps)`]: those(
    (n) => n === 0 || n === 7,
    (steps, backend) => made({}, backend).sample(steps),
  ),
  [`${SAMPLE}(options)`]: options((given, backend) => made({}, backend).sample(3, given)),
  [`${SAMPLE}(options.seed)`]: whole(0, 2 ** 32 - 1, (seed, backend) => made({}, backend).sample(3, { seed })),
  [`${SAMPLE}(options.prefix)`]: optional(numbers((prefix, backend) => made({}, backend).sample(3, { prefix }))),
  [`${SAMPLE}(options.bias)`]: number(finiteFrom(0), (bias, backend) => made({}, backend).sample(3, { bias })),
  ...loading('MixtureDensityNetwork.fromBytes', () => [file()], MixtureDensityNetwork.fromBytes),
  ...shapes('MixtureDensityNetwork.fit', fitNetwork),
  ...fitOptions(),
  ...sequences('MixtureDensityNetwork.fit', (seqs, backend) => learnt({}, backend, seqs)),
  'MixtureDensityNetwork.fit(options)': options((given) => MixtureDensityNetwork.fit(x, given)),
};
