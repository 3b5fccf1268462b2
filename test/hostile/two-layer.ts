/** Places of TwoLayerClassifier. */
import { type Backend, TwoLayerClassifier, type TwoLayerFitOptions } from '../../src/index.ts';
import { none, number, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { backends, isSignal, LEAST, loading, strings } from './scored.ts';
import { plain } from './values.ts';

const x = plain as number[];
/** V has four numbers, and W too: one input, two units, one output; or three inputs, one unit, two outputs. */
const matrices = { V: [1, 0, 0, 1], W: [1, 1, 0], hidden: 2 };
const made = (given: object, backend: Backend, on: object = {}): TwoLayerClassifier =>
  new TwoLayerClassifier({ V: [1, 0], W: [1, 1], hidden: 1, ...given }, { backend, ...on });
type Call<V = never> = (value: V, backend: Backend) => unknown;
type Use = (backend: Backend, x: number[], y: number[], given?: object) => unknown;

const y = [0, 1, 0, 1];
const data = (name: string, use: Use): Places => ({
  [`${name}(x)`]: numbers((x, backend) => use(backend, x, y)),
  [`${name}(y)`]: numbers((y, backend) => use(backend, x, y)),
});
const weighting = (name: string, use: Use): Places => ({
  [`${name}(options)`]: options((given, backend) => use(backend, x, y, given)),
  [`${name}(options.classWeights)`]: optional(numbers((classWeights, backend) => use(backend, x, y, { classWeights }))),
  [`${name}(options.sampleWeights)`]: optional(
    numbers((sampleWeights, backend) => use(backend, x, y, { sampleWeights })),
  ),
});

async function learnt(backend: Backend, x: number[], y: number[], given: object = {}): Promise<unknown> {
  const sizes = { inputs: 1, hidden: 1, outputs: 1, maxIterations: 1, backend, validation: 0 };
  const { model, report } = await TwoLayerClassifier.fit(x, y, { ...sizes, ...given } as TwoLayerFitOptions);
  return { ...model.parameters, ...report };
}
const finiteFrom = (least: number) => (n: number) => n >= least && n < Number.POSITIVE_INFINITY;
const isClassifier = (value: unknown): boolean => value instanceof TwoLayerClassifier && Object.hasOwn(value, 'kind');
const isFunction = (made: unknown): boolean => typeof made === 'function';
const anything = options(() => undefined);
/** The fields of the parameters. */
const fields: Readonly<Record<string, (call: Call) => Place>> = {
  V: numbers,
  W: numbers,
  hidden: (call) => those((n) => n === 2, call),
  temperature: (call) => number((n) => n > 0 && n < Number.POSITIVE_INFINITY, call),
};
function fitOptions(): Places {
  const learn = (given: object, backend: Backend): unknown => learnt(backend, x, y, given);
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
  for (const name of ['backend', 'optimizer', 'schedule']) option(name, strings as (call: Call) => Place);
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
  places['init'] = optional(those(isClassifier, (init, backend) => learn({ init }, backend)));
  places['init.parameters'] = none((parameters, backend) => learn({ init: { parameters } }, backend));
  for (const [prefix, wrap] of [
    ['init', (given: object) => given],
    ['init.parameters', (given: object) => ({ parameters: given })],
  ] as const)
    for (const [name, kind] of Object.entries(fields))
      places[`${prefix}.${name}`] = kind((value, backend) =>
        learn({ hidden: 2, maxIterations: 0, init: wrap({ ...matrices, [name]: value }) }, backend),
      );
  places['checkpoint'] = {
    call: (checkpoint, backend) => learn({ checkpoint }, backend),
    meant: (value, made) =>
      typeof (made as { every?: unknown } | undefined)?.every === 'function' ? undefined : anything.meant(value, made),
  };
  places['checkpoint.resume'] = optional(none((resume, backend) => learn({ checkpoint: { resume } }, backend)));
  places['checkpoint.save'] = optional(those(isFunction, (save, backend) => learn({ checkpoint: { save } }, backend)));
  places['checkpoint.every'] = whole(1, LEAST, (every, backend) => learn({ checkpoint: { every } }, backend));
  return Object.fromEntries(
    Object.entries(places).map(([path, place]) => [`TwoLayerClassifier.fit(options.${path})`, place]),
  );
}

const NEW = 'new TwoLayerClassifier';
const NAME = 'TwoLayerClassifier';
const loss: Use = (backend, x, y, given) => made({}, backend).loss(x, y, given);
const lossGradient: Use = (backend, x, y, given) => made({}, backend).lossGradient(x, y, given);
const calibrate: Use = (backend, x, y) => made({}, backend).calibrate(x, y).report;
const sgd: Use = (backend, x, y, given) => {
  const { model, losses } = made({}, backend).sgd(x, y, { learningRate: 0.1, ...given });
  return [model.parameters, losses];
};

export const twoLayer: Places = {
  [`${NEW}(parameters)`]: none((given, backend) => new TwoLayerClassifier(given, { backend })),
  ...Object.fromEntries(
    Object.entries(fields).map(([name, kind]) => [
      `${NEW}(parameters.${name})`,
      kind((value, backend) => made({ ...matrices, [name]: value }, backend).parameters),
    ]),
  ),
  [`${NEW}(on)`]: options((on) => new TwoLayerClassifier({ V: [1, 0], W: [1, 1], hidden: 1 }, on).inputs),
  [`${NEW}(on.backend)`]: backends((backend) => made({}, backend as Backend).inputs),
  [`${NEW}(on.columns)`]: optional(none((columns, backend) => made({}, backend, { columns }).columns)),
  [`${NEW}(on.labels)`]: optional(none((labels, backend) => made({}, backend, { labels }).labels)),
  [`${NAME}#predict(x)`]: numbers((x, backend) => made({}, backend).predict(x)),
  [`${NAME}#predict(options)`]: options((given, backend) => made({}, backend).predict([[1]], given)),
  [`${NAME}#predict(options.unscorable)`]: optional(
    none((unscorable, backend) => made({}, backend).predict([[1]], { unscorable } as never)),
  ),
  ...data(`${NAME}#loss`, loss),
  ...weighting(`${NAME}#loss`, loss),
  ...data(`${NAME}#lossGradient`, lossGradient),
  ...weighting(`${NAME}#lossGradient`, lossGradient),
  ...data(`${NAME}#calibrate`, calibrate),
  ...data(`${NAME}#sgd`, sgd),
  [`${NAME}#sgd(options)`]: none((given, backend) => made({}, backend).sgd(x, y, given)),
  [`${NAME}#sgd(options.order)`]: optional({
    call: (order, backend) => sgd(backend, x, y, { order }),
    meant: ({ counts }, made) => {
      const isWhole = Array.isArray(made) || made instanceof Int32Array || made instanceof Uint8Array;
      return isWhole && counts?.every((row) => row >= 0 && row < x.length) ? { as: [...counts] } : undefined;
    },
  }),
  [`${NAME}#sgd(options.learningRate)`]: those(
    (n) => typeof n === 'number' && n > 0 && n < Number.POSITIVE_INFINITY,
    (learningRate, backend) => sgd(backend, x, y, { learningRate }),
  ),
  ...data(`${NAME}.fit`, learnt),
  [`${NAME}.fit(options)`]: none((given) => TwoLayerClassifier.fit(x, y, given)),
  ...fitOptions(),
  ...loading(`${NAME}.fromBytes`, () => [made({}, undefined as never).toBytes()], TwoLayerClassifier.fromBytes),
};
