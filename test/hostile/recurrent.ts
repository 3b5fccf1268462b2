/** Places of RecurrentClassifier. */
import { type Backend, RecurrentClassifier, type RecurrentFitOptions, type Sequences } from '../../src/index.ts';
import { none, number, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { backends, isSignal, LEAST, loading, strings } from './scored.ts';
import { plain } from './values.ts';

const x = plain as number[];
/** Fields of four numbers each, but W. */
const matrices = { U: plain, V: [1, 1], W: [1, 1] };
const made = (given: object, backend: Backend, on: object = {}): RecurrentClassifier =>
  new RecurrentClassifier({ U: [1], V: [1], W: [1], ...given }, { backend, ...on });
type Call<V = never> = (value: V, backend: Backend) => unknown;
type Use = (backend: Backend, x: Sequences, y: Sequences, given?: object) => unknown;

/** One sequence, several, or ragged, wherever they go: here four steps of one sequence. */
const inputs = (name: string, use: Use): Places => ({
  [`${name}(x)`]: {
    call: ((seqs: Sequences, backend: Backend) => use(backend, seqs, [1])) as Place['call'],
    meant: ({ counts }, made) =>
      counts && { as: Array.isArray(made) && counts.length === 0 ? [] : Float64Array.from(counts) },
  },
  [`${name}(x[])`]: numbers((entry, backend) => use(backend, [Float64Array.of(1, 2), entry], [1, 0])),
  [`${name}(x.values)`]: numbers((values, backend) => use(backend, { values, lengths: [1, 3] }, [1, 0])),
  [`${name}(x.lengths)`]: {
    call: (lengths, backend) => use(backend, { values: [...x, 1, 2], lengths: lengths as number[] } as never, [0]),
    meant: ({ counts }, made) => (Array.isArray(made) ? counts && { as: [...counts] } : undefined),
  },
});
const targets = (name: string, use: Use): Places => ({
  [`${name}(y)`]: numbers((y, backend) => use(backend, x, y)),
  [`${name}(y[])`]: numbers((entry, backend) =>
    use(backend, [Float64Array.of(1)], [Float64Array.of(1), entry], { lossAt: 'all' }),
  ),
  [`${name}(y.values)`]: numbers((values, backend) => use(backend, x, { values, lengths: [4] }, { lossAt: 'all' })),
  [`${name}(y.lengths)`]: none((lengths, backend) =>
    use(backend, x, { values: Float64Array.of(0, 1, 0, 1), lengths } as never, { lossAt: 'all' }),
  ),
});
const start = (name: string, use: Use): Places => ({
  [`${name}(options)`]: options((given, backend) => use(backend, x, [1], given)),
  [`${name}(options.h0)`]: optional(
    numbers((h0, backend) => use(backend, { values: x, lengths: [1, 1, 1, 1] } as never, [0, 1, 0, 1], { h0 })),
  ),
  [`${name}(options.lossAt)`]: optional(strings((lossAt, backend) => use(backend, x, [1], { lossAt }))),
});
const weighting = (name: string, use: Use): Places => ({
  [`${name}(options.classWeights)`]: optional(
    numbers((classWeights, backend) => use(backend, x, [1], { classWeights })),
  ),
  [`${name}(options.sampleWeights)`]: optional(
    numbers((sampleWeights, backend) => use(backend, x, [1], { sampleWeights })),
  ),
});

const data = { values: Float64Array.of(0, 1, 3, 7, 1, 2), lengths: [4, 2] };
async function learnt(backend: Backend, x: Sequences, y: Sequences, given: object = {}): Promise<unknown> {
  const sizes = { inputs: 1, hidden: 1, outputs: 1, maxIterations: 1, backend, validation: 0 };
  const { model, report } = await RecurrentClassifier.fit(x, y, { ...sizes, ...given } as RecurrentFitOptions);
  return { ...model.parameters, ...report };
}
const finiteFrom = (least: number) => (n: number) => n >= least && n < Number.POSITIVE_INFINITY;
const isClassifier = (value: unknown): boolean => value instanceof RecurrentClassifier && Object.hasOwn(value, 'kind');
const isFunction = (made: unknown): boolean => typeof made === 'function';
const anything = options(() => undefined);
function fitOptions(): Places {
  const learn = (given: object, backend: Backend): unknown => learnt(backend, data, [0, 1], given);
  const places: Record<string, Place> = {};
  const option = (name: string, kind: (call: Call) => Place): void => {
    places[name] = kind((value, backend) => learn({ [name]: value }, backend));
  };
  const wholes = (least: number) => (call: Call) => whole(least, LEAST, call);
  const only = (wanted: unknown) => (call: Call) => those((made) => made === wanted, call);
  for (const name of ['inputs', 'outputs']) option(name, only(1));
  option('hidden', only(7));
  for (const name of ['columns', 'labels']) option(name, (call) => optional(none(call)));
  for (const name of ['classWeights', 'sampleWeights']) option(name, (call) => optional(numbers(call)));
  for (const name of ['sequenceColumn'])
    option(name, (call) => optional(those((made) => typeof made === 'string', call)));
  for (const name of ['backend', 'optimizer', 'schedule', 'lossAt']) option(name, strings as (call: Call) => Place);
  for (const name of ['batch', 'patience', 'shardSize']) option(name, wholes(1));
  for (const name of ['clip', 'tolerance']) option(name, (call) => number(finiteFrom(0), call));
  option('maxIterations', wholes(0));
  option('learningRate', (call) => number(finiteFrom(Number.MIN_VALUE), call));
  option('validation', (call) => number((n) => n >= 0 && n < 1, call));
  option('seed', (call) => whole(0, 2 ** 32 - 1, call));
  option('signal', (call) => optional(those(isSignal, call)));
  option('onProgress', (call) => optional(those(isFunction, call)));
  places['momentum'] = number(
    (n) => n >= 0 && n < 1,
    (momentum, backend) => learn({ optimizer: 'sgd', momentum }, backend),
  );
  const init = (given: unknown) => ({ hidden: 2, maxIterations: 0, init: given });
  places['init'] = optional(those(isClassifier, (init, backend) => learn({ init }, backend)));
  places['init.parameters'] = none((parameters, backend) => learn({ init: { parameters } }, backend));
  for (const [prefix, wrap] of [
    ['init', (given: object) => given],
    ['init.parameters', (given: object) => ({ parameters: given })],
  ] as const) {
    const field = (name: string, kind: (call: Call) => Place): void => {
      places[`${prefix}.${name}`] = kind((value, backend) =>
        learn(init(wrap({ ...matrices, [name]: value })), backend),
      );
    };
    for (const [name, kind] of Object.entries(fields)) field(name, kind);
  }
  places['checkpoint'] = {
    call: (checkpoint, backend) => learn({ checkpoint }, backend),
    meant: (value, made) =>
      typeof (made as { every?: unknown } | undefined)?.every === 'function' ? undefined : anything.meant(value, made),
  };
  places['checkpoint.resume'] = optional(none((resume, backend) => learn({ checkpoint: { resume } }, backend)));
  places['checkpoint.save'] = optional(those(isFunction, (save, backend) => learn({ checkpoint: { save } }, backend)));
  places['checkpoint.every'] = whole(1, LEAST, (every, backend) => learn({ checkpoint: { every } }, backend));
  return Object.fromEntries(
    Object.entries(places).map(([path, place]) => [`RecurrentClassifier.fit(options.${path})`, place]),
  );
}
/** The fields of the parameters; U has four numbers. */
const fields: Readonly<Record<string, (call: Call) => Place>> = {
  U: numbers,
  V: numbers,
  W: numbers,
  lossAt: (call) => optional(strings(call as Place['call'])),
  temperature: (call) => number((n) => n > 0 && n < Number.POSITIVE_INFINITY, call),
  standardization: (call) => optional(none(call)),
  'standardization.mean': (call) => none(call),
  'standardization.standardDeviation': (call) => none(call),
};

const NEW = 'new RecurrentClassifier';
const NAME = 'RecurrentClassifier';
const predict: Use = (backend, x, _, given) => made({}, backend).predict(x, given);
const forward: Use = (backend, x, _, given) => made({}, backend).forward(x, given);
const loss: Use = (backend, x, y, given) => made({}, backend).loss(x, y, given);
const lossGradient: Use = (backend, x, y, given) => made({}, backend).lossGradient(x, y, given);
const calibrate: Use = (backend, x, y) => made({}, backend).calibrate(x, y).report;

export const recurrent: Places = {
  [`${NEW}(parameters)`]: none((given, backend) => new RecurrentClassifier(given, { backend })),
  ...Object.fromEntries(
    Object.entries(fields).map(([name, kind]) => [
      `${NEW}(parameters.${name})`,
      kind((value, backend) => made({ ...matrices, [name]: value }, backend).parameters),
    ]),
  ),
  [`${NEW}(on)`]: options((on) => new RecurrentClassifier({ U: [1], V: [1], W: [1] }, on).inputs),
  [`${NEW}(on.backend)`]: backends((backend) => made({}, backend as Backend).inputs),
  [`${NEW}(on.columns)`]: optional(none((columns, backend) => made({}, backend, { columns }).columns)),
  [`${NEW}(on.labels)`]: optional(none((labels, backend) => made({}, backend, { labels }).labels)),
  [`${NEW}(on.sequenceColumn)`]: optional(
    those(
      (value) => typeof value === 'string',
      (sequenceColumn, backend) => made({}, backend, { sequenceColumn }).sequenceColumn,
    ),
  ),
  ...inputs(`${NAME}#predict`, predict),
  ...start(`${NAME}#predict`, predict),
  ...inputs(`${NAME}#forward`, forward),
  ...start(`${NAME}#forward`, forward),
  ...Object.fromEntries(
    (['predict', 'forward'] as const).map((method) => [
      `${NAME}#${method}(options.unscorable)`,
      optional(none((unscorable, backend) => made({}, backend)[method]([[1]], { unscorable } as never))),
    ]),
  ),
  ...inputs(`${NAME}#loss`, loss),
  ...targets(`${NAME}#loss`, loss),
  ...start(`${NAME}#loss`, loss),
  ...weighting(`${NAME}#loss`, loss),
  ...inputs(`${NAME}#lossGradient`, lossGradient),
  ...targets(`${NAME}#lossGradient`, lossGradient),
  ...start(`${NAME}#lossGradient`, lossGradient),
  ...weighting(`${NAME}#lossGradient`, lossGradient),
  [`${NAME}#lossGradient(options.dx)`]: optional(
    those(
      (value) => typeof value === 'boolean',
      (dx, backend) => lossGradient(backend, x, [1], { dx } as never),
    ),
  ),
  ...inputs(`${NAME}#calibrate`, calibrate),
  ...targets(`${NAME}#calibrate`, calibrate),
  ...inputs(`${NAME}.fit`, learnt),
  ...targets(`${NAME}.fit`, learnt),
  [`${NAME}.fit(options)`]: options((given) => RecurrentClassifier.fit(x, [1], given)),
  ...fitOptions(),
  ...loading(`${NAME}.fromBytes`, () => [made({}, undefined as never).toBytes()], RecurrentClassifier.fromBytes),
};
