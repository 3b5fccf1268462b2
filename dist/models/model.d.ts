/** What every model is: immutable, with a kind, parameters and a backend, to be disposed of (or collected). */
import type { Backend } from '../bind.ts';
export declare abstract class Model {
    abstract readonly kind: string;
    /** A fresh copy of what the constructor was given. */
    abstract get parameters(): object;
    abstract readonly backend: Backend;
    private disposed;
    /** Frees what lives in the backend; the model is of no use afterwards (SeqlikError DISPOSED). */
    dispose(): void;
    protected abstract release(): void;
    protected live(): void;
}
