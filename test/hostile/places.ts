/** A place is one argument, option or field of what the library exports, named by surface.ts; and how to fill it. */
import { type Backend, SeqlikError } from '../../src/index.ts';
import { tagOf } from '../../src/memory.ts';
import { Model } from '../../src/models/model.ts';
import { lacking } from '../support/models.ts';
import { mine, type Value } from './values.ts';

export interface Place {
  /** A call that is right but for the value; what it returns can be compared. */
  readonly call: (value: unknown, backend: Backend) => unknown;
  /** The equivalent of the value; undefined: it has to be refused. */
  readonly meant: (value: Value, made: unknown) => { readonly as: unknown } | undefined;
}
/** Named as in surface.ts, for instance 'GaussianMixture#logDensity(options.mask)'. */
export type Places = Readonly<Record<string, Place>>;
type Call = (value: never, backend: Backend) => unknown;
const place = (call: Call, meant: Place['meant']): Place => ({ call: call as Place['call'], meant });

/** Whether a value is an array of floats, which results may be written into. */
export const isFloats = (made: unknown): boolean => /^Float/.test(tagOf(made) ?? '');
/** Numbers, in whatever array. */
export const numbers = (call: Call): Place => place(call, ({ counts }) => counts && { as: [...counts] });
/** Whatever `fits`; it is taken as it is. */
export const those = (fits: (made: unknown) => boolean, call: Call): Place =>
  place(call, (_, made) => (fits(made) ? { as: made } : undefined));
/** A place that none of the values fits. */
export const none = (call: Call): Place => those(() => false, call);
/** May be left out. */
export const optional = ({ call, meant }: Place): Place =>
  place(call as Call, (value, made) => (made === undefined ? { as: undefined } : meant(value, made)));
export const whole = (least: number, most: number, call: Call): Place =>
  optional(those((n) => Number.isInteger(n) && (n as number) >= least && (n as number) <= most, call));
export const number = (fits: (n: number) => boolean, call: Call): Place =>
  optional(those((n) => typeof n === 'number' && fits(n), call));
/** An object of options, the last argument; an empty one changes nothing. */
export const options = (call: Call): Place =>
  place(call, (_, made) => (made === undefined || isBare(made) ? { as: undefined } : undefined));
function isBare(made: unknown): boolean {
  try {
    return (
      typeof made === 'object' &&
      made !== null &&
      !Array.isArray(made) &&
      !(made instanceof Model) &&
      Object.keys(made).length === 0 &&
      !isTyped(made)
    );
  } catch {
    return false;
  }
}
const isTyped = (made: object): boolean => ArrayBuffer.isView(made) && !(made instanceof DataView);

export type Outcome = { readonly result: unknown } | { readonly error: unknown };
export async function outcome(call: () => unknown): Promise<Outcome> {
  try {
    return { result: await call() };
  } catch (error) {
    return { error };
  }
}
const codeOf = (one: Outcome): unknown => ('error' in one && one.error instanceof SeqlikError ? one.error.code : one);

/** The fault in the outcome of a value in a place; undefined if it was refused, or gave what its equivalent gives. */
export async function complaint(
  { call, meant }: Place,
  value: Value,
  backend: Backend,
  same: (got: unknown, want: unknown) => boolean,
): Promise<string | undefined> {
  const got = await outcome(() => call(value.make(), backend));
  if ('error' in got) {
    if (got.error === mine && value.throws) return undefined;
    if (!(got.error instanceof SeqlikError)) return `${value.name}: ${String(got.error)}`;
    const lacks = lacking(got.error);
    if (lacks.length > 0) return `${value.name}: ${String(got.error)}, without ${lacks}`;
  }
  const made = value.make();
  const right = understood(() => meant(value, made));
  if (!right) return 'error' in got ? undefined : `${value.name} was taken`;
  const want = await outcome(() => call(right.as, backend));
  if ('error' in got || 'error' in want)
    return codeOf(got) === codeOf(want)
      ? undefined
      : `${value.name}: ${outcomeText(got)}, but ${outcomeText(want)} of what it means`;
  return same(got.result, want.result) ? undefined : `${value.name}: ${outcomeText(got)}, not ${outcomeText(want)}`;
}
/** A value that throws when it is read has no equivalent. */
function understood<R>(look: () => R): R | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
const outcomeText = (one: Outcome): string =>
  'error' in one ? String(one.error) : `returned ${JSON.stringify(one.result)}`;
