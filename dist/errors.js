export class SeqlikError extends Error {
    code;
    name = 'SeqlikError';
    constructor(code, message, { cause, ...place } = {}) {
        super(message, cause === undefined ? undefined : { cause });
        this.code = code;
        Object.assign(this, place);
    }
}
/** A kernel stopped: `at` says where, by the dims of the row's `info`, counted from the start of the call. Models turn
 * it into the code and the words of their domain; nobody else sees one. */
export class KernelFailure extends Error {
    kernel;
    at;
    name = 'KernelFailure';
    constructor(kernel, at) {
        super(`${kernel} failed at ${JSON.stringify(at)}`);
        this.kernel = kernel;
        this.at = at;
    }
}
