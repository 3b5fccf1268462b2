import { SeqlikError } from "../errors.js";
export class Model {
    disposed = false;
    /** Frees what lives in the backend; the model is of no use afterwards (SeqlikError DISPOSED). */
    dispose() {
        if (this.disposed)
            return;
        this.disposed = true;
        this.release();
    }
    live() {
        if (this.disposed)
            throw new SeqlikError('DISPOSED', `this ${this.kind} was disposed`);
    }
    static {
        // where the engine knows `using`
        if (Symbol.dispose)
            Object.defineProperty(this.prototype, Symbol.dispose, { value() { this.dispose(); } });
    }
}
