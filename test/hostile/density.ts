/** Places of MixtureDensity. */
import {
  type Backend,
  type GradientOut,
  MixtureDensity,
  type MixtureDensityShape,
  type Points,
} from '../../src/index.ts';
import { isFloats, none, number, numbers, optional, options, type Place, type Places, those, whole } from './places.ts';
import { backends, strings } from './scored.ts';
import { plain } from './values.ts';

const shape = { components: 1, dimension: 2, binary: 1 };
const made = (given: object, backend?: unknown): MixtureDensity =>
  new MixtureDensity({ ...shape, ...given } as MixtureDensityShape, { backend: backend as Backend });
/** A row of raw has four values, one of x two. */
const rows = (n: number): number[] => Array.from({ length: n }, () => plain).flat();
const x = plain as number[];

/** A method of (raw, x): two rows of each, but where the numbers are the value's. */
const scoringPlaces = (method: 'forward' | 'logDensity' | 'lossGradient'): Places => ({
  [`MixtureDensity#${method}(raw)`]: numbers((raw, backend) => made({}, backend)[method](raw, [x[0]!, x[1]!])),
  [`MixtureDensity#${method}(x)`]: numbers((points, backend) => made({}, backend)[method](rows(2), points)),
});
/** Memory for four results, `n` rows of them. */
const out = (
  n: number,
  call: (backend: Backend, raw: Points, x: Points, out: unknown) => ArrayLike<number>,
): Place => ({
  call: (value, backend) => {
    const result = call(backend, rows(n), [...x, ...x].slice(0, 2 * n), value);
    return Array.from({ length: 4 }, (_, i) => result[i]);
  },
  meant: ({ counts }, made) =>
    made === undefined || (counts?.length === 4 && isFloats(made)) ? { as: undefined } : undefined,
});
const gradient = (name: keyof GradientOut, n: number): Places => ({
  [`MixtureDensity#lossGradient(options.out.${name})`]: out(
    n,
    (backend, raw, x, value) => made({}, backend).lossGradient(raw, x, { out: { [name]: value } })[name],
  ),
});

export const density: Places = {
  'new MixtureDensity(shape)': none((given, backend) => new MixtureDensity(given, { backend })),
  'new MixtureDensity(shape.components)': those(
    (n) => n === 7,
    (components, backend) => made({ components }, backend).outputs,
  ),
  'new MixtureDensity(shape.dimension)': those(
    (n) => n === 7,
    (dimension, backend) => made({ dimension }, backend).outputs,
  ),
  'new MixtureDensity(shape.mapping)': strings((mapping, backend) => made({ mapping }, backend).mapping),
  'new MixtureDensity(shape.binary)': optional(
    those(
      (n) => n === 0,
      (binary, backend) => made({ binary }, backend).outputs,
    ),
  ),
  'new MixtureDensity(options)': options((given) => new MixtureDensity(shape, given).outputs),
  'new MixtureDensity(options.backend)': backends((backend) => made({}, backend).outputs),
  ...scoringPlaces('forward'),
  ...scoringPlaces('logDensity'),
  ...scoringPlaces('lossGradient'),
  'MixtureDensity#logDensity(options)': options((given, backend) => made({}, backend).logDensity(x, [0, 1], given)),
  'MixtureDensity#logDensity(options.unscorable)': optional(
    none((unscorable, backend) => made({}, backend).logDensity(x, [0, 1], { unscorable } as never)),
  ),
  'MixtureDensity#forward(options)': options((given, backend) => made({}, backend).forward(x, [0, 1], given)),
  'MixtureDensity#forward(options.unscorable)': optional(
    none((unscorable, backend) => made({}, backend).forward(x, [0, 1], { unscorable } as never)),
  ),
  'MixtureDensity#logDensity(options.out)': out(4, (backend, raw, x, value) =>
    made({}, backend).logDensity(raw, x, { out: value as Float64Array }),
  ),
  'MixtureDensity#lossGradient(options)': options((given, backend) => made({}, backend).lossGradient(x, [0, 1], given)),
  'MixtureDensity#lossGradient(options.out)': options((given, backend) =>
    made({}, backend).lossGradient(x, [0, 1], { out: given }),
  ),
  ...gradient('logDensity', 4),
  ...gradient('responsibilities', 4),
  ...gradient('dRaw', 1),
  ...gradient('dx', 2),
  'MixtureDensity#distribution(raw)': numbers((raw, backend) => made({}, backend).distribution(raw)),
  'MixtureDensity#sample(raw)': numbers((raw, backend) => made({}, backend).sample(raw)),
  'MixtureDensity#sample(options)': options((given, backend) => made({}, backend).sample(x, given)),
  'MixtureDensity#sample(options.seed)': whole(0, 2 ** 32 - 1, (seed, backend) =>
    made({}, backend).sample(x, { seed }),
  ),
  'MixtureDensity#sample(options.bias)': number(
    (n) => n >= 0 && n < Number.POSITIVE_INFINITY,
    (bias, backend) => made({}, backend).sample(x, { bias }),
  ),
};
