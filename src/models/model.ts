/** What every model is: immutable, with a kind, parameters and a backend, to be disposed of (or collected). */
import type { Backend } from '../bind.ts';
import { SeqlikError } from '../errors.ts';

export abstract class Model {
  abstract readonly kind: string;
  /** A fresh copy of what the constructor was given. */
  abstract get parameters(): object;
  abstract readonly backend: Backend;
  /** The model as a file: safetensors with a checksum (docs/format.md). */
  abstract toBytes(): Uint8Array;
  private disposed = false;

  /** Frees what lives in the backend; whatever needs it throws SeqlikError DISPOSED afterwards. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
  }
  protected abstract release(): void;
  protected live(): void {
    if (this.disposed) throw new SeqlikError('DISPOSED', `this ${this.kind} was disposed`);
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
