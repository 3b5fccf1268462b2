/** Residents: copies kept where the kernels live. The machines name them by numbers; here is who uses them. */
import { SeqlikError } from "./errors.js";
import { lengthOf, tagOf } from "./memory.js";
/** The safety net, where the engine has one: what was dropped without `dispose` is freed when it is collected. */
const net = globalThis.FinalizationRegistry && new FinalizationRegistry((free) => free());
/** Calls `free` once: when the returned function is called, or when `subject` is collected. */
export function freed(subject, free) {
    let done = false;
    const once = () => { if (!done) {
        done = true;
        free();
    } };
    net?.register(subject, once, once);
    return () => { net?.unregister(once); once(); };
}
/** Counts who uses it, so that no machine ever sees a resident written or gone under a call. */
export class Held {
    owner;
    handle;
    tag;
    length;
    users = 0; // prepared and asynchronous calls; the last one out frees a disposed resident
    readers = 0; // asynchronous calls: they may be reading right now
    gone = false;
    release;
    constructor(owner, values) {
        this.owner = owner;
        const handle = owner.hold(values);
        this.handle = handle;
        this.tag = tagOf(values);
        this.length = lengthOf(values);
        this.release = freed(this, () => owner.release(handle));
    }
    live() {
        if (this.gone)
            throw new SeqlikError('DISPOSED', 'a disposed resident was used');
        return this;
    }
    /** Begin a use that outlives a call; returns its end. */
    use(asynchronous) {
        this.users++;
        this.readers += Number(asynchronous);
        return () => {
            this.readers -= Number(asynchronous);
            if (--this.users === 0 && this.gone)
                this.release();
        };
    }
    write(values) {
        if (tagOf(values) !== this.tag || lengthOf(values) !== this.length)
            throw new SeqlikError('DIMENSION_MISMATCH', `write: not a ${this.tag} of ${this.length} values`);
        if (this.live().readers > 0)
            throw new SeqlikError('INVALID_ARGUMENT', 'write: an asynchronous call is reading this resident');
        this.owner.write(this.handle, values);
    }
    dispose() {
        if (this.gone)
            return;
        this.gone = true;
        if (this.users === 0)
            this.release();
    }
}
/** The same for all residents among the arguments of a call. */
export function use(args, asynchronous) {
    const ends = Object.values(args).filter((a) => a instanceof Held).map((a) => a.use(asynchronous));
    return () => ends.forEach((end) => end());
}
