/** Compares the outputs of a call with those of a golden vector. */
import { type Case, type Digest, type Fields, generate, isFields, type Tensor } from './format.ts';

/** Numbers, strings, and tensors flat by rows. */
export type Outputs = Readonly<Record<string, number | string | ArrayLike<number> | undefined>>;
/** The outputs of a call, or the fields of the error it threw, its message among them. */
export type Result = { readonly outputs: Outputs } | { readonly error: Fields };
export interface Miss {
  readonly key: string;
  readonly got: unknown;
  readonly expected: unknown;
  /** The error of a number that would have passed. */
  readonly allowed?: number;
}
export interface Verdict {
  /** The largest error/allowed and its key: at most 1 if the case passes. */
  readonly worst: number;
  readonly key: string;
  readonly misses: readonly Miss[];
}

export function judge(given: Case, result: Result): Verdict {
  if ('error' in result) return judgeError(given.error, result.error);
  const { error, expected, tolerance, digest } = given;
  if (error) return missed({ key: 'error', got: 'none', expected: JSON.stringify(error) });
  const verdicts = Object.entries(expected).map(([key, want]) =>
    judgeOutput(key, output(result.outputs, key, digest), want, tolerance[key]),
  );
  const worst = verdicts.reduce((a, b) => (b.worst > a.worst ? b : a));
  return { ...worst, misses: verdicts.flatMap(({ misses }) => misses) };
}
const missed = (...misses: Miss[]): Verdict => ({
  worst: misses.length ? Infinity : 0,
  key: misses[0]?.key ?? '',
  misses,
});

function judgeError(expected: Fields | undefined, got: Fields): Verdict {
  if (!expected) return missed({ key: 'error', got: got['message'], expected: 'none' });
  const each = Object.keys(expected).map((key) => ({ key: `error.${key}`, got: got[key], expected: expected[key] }));
  return missed(...each.filter((field) => !Object.is(field.got, field.expected)));
}
function judgeOutput(key: string, got: unknown, expected: unknown, tolerance: unknown): Verdict {
  if (typeof expected === 'number') return judgeNumbers(key, [got], [expected], tolerance);
  if (!isFields(expected)) return missed(...(got === expected ? [] : [{ key, got, expected }]));
  const { data } = expected as unknown as Tensor;
  const length = isArray(got) ? got.length : undefined;
  if (length === data.length) return judgeNumbers(key, got as ArrayLike<unknown>, data, tolerance);
  return missed({ key, got: length === undefined ? got : `${length} numbers`, expected: `${data.length} numbers` });
}
const isArray = (value: unknown): value is ArrayLike<number> => Array.isArray(value) || ArrayBuffer.isView(value);

function judgeNumbers(key: string, got: ArrayLike<unknown>, expected: ArrayLike<number>, tolerance: unknown): Verdict {
  const { abs, rel } = (tolerance ?? { abs: 0, rel: 0 }) as { abs: number; rel: number };
  const allowed = (i: number): number => abs + rel * Math.abs(expected[i]!);
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const r = ratio(got[i], expected[i]!, allowed(i));
    if (r > worst) [worst, at] = [r, i];
  }
  const miss = {
    key: expected.length > 1 ? `${key}[${at}]` : key,
    got: got[at],
    expected: expected[at],
    allowed: allowed(at),
  };
  return { worst, key, misses: worst <= 1 ? [] : [miss] };
}
/** error/allowed: at most 1 if it passes. NaN and anything but a number never do; infinities only as themselves. */
export function ratio(got: unknown, expected: number, allowed: number): number {
  if (typeof got !== 'number') return Infinity;
  if (got === expected) return 0;
  const r = Math.abs(got - expected) / allowed;
  return r >= 0 ? r : Infinity;
}

/** An output by its key, or the digest of one. */
function output(outputs: Outputs, key: string, digest: Digest | undefined): unknown {
  const [name, part] = key.split('.') as [string, string?];
  const values = outputs[name];
  if (part === undefined || !digest?.tensors.includes(name)) return outputs[key];
  return isArray(values) ? digestOf(Array.from(values), part, digest) : undefined;
}
function digestOf(values: number[], part: string, { dotSeed, probes }: Digest): number | number[] | undefined {
  const sum = (terms: number[]): number => terms.reduce((a, b) => a + b, 0);
  if (part === 'frobenius') return Math.sqrt(sum(values.map((v) => v * v)));
  if (part === 'probe') return probes.map((probe) => values[probe % values.length]!);
  if (part !== 'dot') return undefined;
  const other = generate(values.length, { seed: dotSeed, lo: -1, hi: 1 });
  return sum(values.map((v, i) => v * other[i]!));
}
