/** The base of every model: immutable, with a kind, parameters and a backend, to be disposed of (or collected). */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import * as check from '../check.ts';
import { argumentError, SeqlikError } from '../errors.ts';

const made = new WeakSet<object>();
/** Whether a constructor of ours made it: no prototype and no proxy can lie here. */
export function isA<M extends Model>(model: abstract new (...given: never[]) => M, value: unknown): value is M {
  return made.has(value as object) && value instanceof model;
}

/** The method that Node, Deno and Bun ask how to print an object. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');
/** An object that prints as `subject` would, but with these facts instead of its fields. */
export const printable = (subject: object, facts: object): object =>
  Object.create(Object.getPrototypeOf(subject), {
    ...Object.getOwnPropertyDescriptors(facts),
    [INSPECT]: { value: undefined },
  });

/** The members of every model with a file of its own. Parameters never change; to change a model, make another one. */
export abstract class Model {
  /** @internal */
  get [check.MODEL](): true {
    return true;
  }
  constructor() {
    made.add(this);
  }
  /** The kind of model, as files and commands call it. */
  abstract readonly kind: string;
  /** A fresh copy of what the constructor was given. */
  abstract get parameters(): object;
  /** The number of free parameters: what BIC and AIC count. */
  abstract get parameterCount(): number;
  /** The backend that its kernels run on. */
  abstract readonly backend: Backend;
  /** Names of the coordinates, if they are known. */
  abstract readonly columns: readonly string[] | undefined;
  /**
   * The model as a file: safetensors with a checksum (docs/format.md).
   * @example
   * const g = new Gaussian({ mean: [0], variances: [1] });
   * loadModel(g.toBytes()).kind; // 'gaussian'
   */
  abstract toBytes(): Uint8Array;
  private disposed = false;

  /**
   * Frees what lives in the backend; whatever needs it throws SeqlikError DISPOSED afterwards.
   * @example
   * const g = new Gaussian({ mean: [0], variances: [1] });
   * g.dispose();
   * g.dimension; // 1
   */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
  }
  protected abstract release(): void;
  protected live(): void {
    if (this.disposed) throw new SeqlikError('DISPOSED', `this ${this.kind} was disposed`);
  }

  /** BIC = -2 logLikelihood + parameterCount · log(observations). Throws EMPTY_INPUT: there are no observations. */
  protected bayesianCriterion(where: string, argument: string, logLikelihood: number, observations: number): number {
    if (observations === 0)
      throw argumentError('EMPTY_INPUT', where, argument, {
        expected: 'at least one observation',
        received: 'none',
        reason: 'holds no observation',
      });
    return -2 * logLikelihood + this.parameterCount * Math.log(observations);
  }
  /** AIC = -2 logLikelihood + 2 · parameterCount. */
  protected akaikeCriterion(logLikelihood: number): number {
    return -2 * logLikelihood + 2 * this.parameterCount;
  }

  /** The sizes and words that are printed with a model. */
  protected summary(): object {
    return {};
  }
  /**
   * The kind, sizes and words of the model, as `console.log` shows them; its parameters are saved by `toBytes`.
   * @example
   * JSON.stringify(new Gaussian({ mean: [0], variances: [1] })); // '{"kind":"gaussian","dimension":1}'
   */
  toJSON(): object {
    if (!made.has(this)) return {};
    const { kind, columns } = this;
    return { kind, ...this.summary(), ...(columns && { columns }) };
  }
  /** @internal */
  [INSPECT](): object {
    if (!made.has(this)) return {}; // it merely inherits from Model
    const { kind, columns, backend } = this;
    const facts = { kind, ...this.summary(), backend: `${backend.name} ${backend.isa}` };
    return printable(this, { ...facts, ...(columns && { columns }) });
  }
  static {
    // where the engine knows `using`
    if (Symbol.dispose)
      Object.defineProperty(Model.prototype, Symbol.dispose, {
        value(this: Model) {
          this.dispose();
        },
      });
  }
}

/** The backend of a model. */
export interface OnBackend {
  /** Default: defaultBackend(). */
  readonly backend?: Backend;
}

/** The names of a model's coordinates. */
export interface Named {
  /** Names of the d coordinates: kept, and written into the model's file. */
  readonly columns?: readonly string[];
}

/** The options of `fromBytes`. */
export const onBackend = (where: string, options: unknown): { readonly backend: Backend } => ({
  backend: check.backend(where, check.options(where, options, ['backend']).backend, defaultBackend),
});
