/** The WebAssembly machine: parameters live in linear memory, data streams through a staging block, cut by cut. */
import { bind, CANCELLED } from "../bind.js";
import { SeqlikError } from "../errors.js";
import { hashOf } from "../grammar.js";
const SLOTS = 2 ** 20; // a handle is generation * SLOTS + slot, as in native/residents.h
const SLICE = 20; // milliseconds an asynchronous call computes before others run
/** Takes a compiled module, never bytes: an edge runtime hands out modules and forbids compiling. Throws BACKEND. */
export function openWasm(table, module) {
    const exports = instantiate(module);
    if (exports.contract() >>> 0 !== hashOf(table))
        throw new SeqlikError('BACKEND', "the wasm module was built for another version of seqlik: build it again with 'npm run build:wasm'");
    return bind(new WasmMachine(exports), table);
}
function instantiate(module) {
    try {
        const exports = new WebAssembly.Instance(module).exports;
        if (typeof exports.contract === 'function')
            return exports;
    }
    catch (cause) {
        throw new SeqlikError('BACKEND', 'module is not a WebAssembly.Module of seqlik', { cause });
    }
    throw new SeqlikError('BACKEND', 'module is not a WebAssembly.Module of seqlik');
}
class WasmMachine {
    exports;
    name = 'wasm';
    isa = 'simd128';
    levels = Object.freeze(['simd128']);
    threads = 1;
    usable = true;
    slots = [];
    free = [];
    stage = new Stage(this);
    constructor(exports) {
        this.exports = exports;
    }
    /** Look at memory; a view dies when memory grows, so grow first, look later. */
    view(at, bytes) { return new Uint8Array(this.exports.memory.buffer, at, bytes); }
    alloc(bytes) {
        this.open();
        try {
            return this.exports.alloc(bytes) >>> 0;
        }
        catch (cause) {
            throw new SeqlikError('OUT_OF_MEMORY', `wasm has no room for ${bytes} bytes`, { cause });
        }
    }
    drop(at) { if (this.usable)
        this.exports.release(at); }
    /** A trap in a kernel is a bug and leaves memory in doubt: the machine closes, for all its models. */
    open() {
        if (!this.usable)
            throw new SeqlikError('BACKEND', 'this wasm backend is closed after a trap: open a new one');
    }
    guarded(kernel) {
        const run = this.exports[kernel];
        return (...numbers) => {
            this.open();
            try {
                return run(...numbers);
            }
            catch (cause) {
                this.usable = false;
                throw new SeqlikError('BACKEND', `${kernel} trapped in wasm; this backend is closed`, { cause });
            }
        };
    }
    hold(values) {
        const at = this.alloc(values.byteLength);
        this.view(at, values.byteLength).set(bytesOf(values));
        const index = this.free.pop() ?? this.slots.push({ generation: 1, at: 0, bytes: 0 }) - 1;
        const slot = Object.assign(this.slots[index], { at, bytes: values.byteLength });
        return slot.generation * SLOTS + index;
    }
    write(handle, values) {
        const { at, bytes } = this.slot(handle);
        this.view(at, bytes).set(bytesOf(values));
    }
    release(handle) {
        const slot = this.slots[handle % SLOTS];
        if (slot?.generation !== Math.floor(handle / SLOTS))
            return;
        slot.generation++;
        this.drop(slot.at);
        this.free.push(handle % SLOTS);
    }
    slot(handle) {
        const slot = this.slots[handle % SLOTS];
        if (slot?.generation !== Math.floor(handle / SLOTS))
            throw new SeqlikError('DISPOSED', 'a disposed resident was used');
        return slot;
    }
    prepare(call) {
        const stage = new Stage(this);
        return { run: () => this.run(call, stage), dispose: () => stage.drop() };
    }
    run(call, stage = this.stage) {
        for (const cuts = this.cuts(call, stage);;) {
            const { done, value } = cuts.next();
            if (done)
                return value;
        }
    }
    async runAsync(call) {
        const stage = new Stage(this); // its own: other calls may run between two slices
        try {
            let until = performance.now() + SLICE;
            for (const cuts = this.cuts(call, stage);;) {
                const { done, value } = cuts.next();
                if (done)
                    return value;
                if (performance.now() < until)
                    continue;
                await new Promise((resolve) => setTimeout(resolve));
                until = performance.now() + SLICE;
            }
        }
        finally {
            stage.drop();
        }
    }
    /** One kernel call per step; returns INFO of the whole call. */
    *cuts({ kernel, args, cuts, ints, places, infoStep, cancel }, stage) {
        const run = this.guarded(kernel);
        const staged = stage.reserve(args);
        const sums = args.map(({ role, value }) => (role === 'sum' ? value.slice() : undefined));
        for (const [c, cut] of cuts.entries()) {
            if (cancel[0])
                return CANCELLED;
            const numbers = [...ints];
            [cut.rows, cut.items, cut.longest].forEach((n, i) => { if (places[i] >= 0)
                numbers[places[i]] = n; });
            const pointers = args.map((arg, i) => (typeof arg.value === 'number' ? this.slot(arg.value).at + first(arg, cut) : staged[i]));
            const opens = cuts[c - 1]?.shard !== cut.shard, closes = cuts[c + 1]?.shard !== cut.shard;
            for (const [i, arg] of args.entries()) {
                if (arg.role === 'sum') {
                    if (opens)
                        this.view(staged[i], arg.bytes).fill(0);
                }
                else if (arg.role === 'inout' || (arg.role === 'in' && (c === 0 || arg.axis !== 'whole')))
                    if (typeof arg.value !== 'number')
                        this.view(staged[i], arg.bytes).set(part(arg, cut));
            }
            const info = run(...numbers, ...pointers);
            if (info !== 0)
                return info + infoStep * cut.row;
            for (const [i, arg] of args.entries()) {
                if (arg.role !== 'out' && arg.role !== 'inout')
                    continue;
                const to = part(arg, cut);
                to.set(this.view(staged[i], to.length));
            }
            if (closes)
                for (const [i, sum] of sums.entries())
                    if (sum) {
                        const shard = new Float64Array(this.view(staged[i], 0).buffer, staged[i], sum.length);
                        for (let j = 0; j < sum.length; j++)
                            sum[j] += shard[j];
                    }
            yield;
        }
        for (const [i, sum] of sums.entries())
            if (sum)
                args[i].value.set(sum);
        return 0;
    }
}
/** One block of linear memory for the arrays of a call: grown by doubling, and kept. */
class Stage {
    machine;
    at = 0;
    size = 0;
    constructor(machine) {
        this.machine = machine;
    }
    reserve(args) {
        const lines = args.map(({ value, bytes }) => (typeof value === 'number' ? 0 : Math.ceil(bytes / 64) * 64));
        const want = lines.reduce((a, b) => a + b, 0);
        if (want > this.size) {
            this.drop();
            const size = 2 ** Math.ceil(Math.log2(want));
            this.at = this.machine.alloc(size);
            this.size = size;
        }
        let at = this.at;
        return lines.map((line) => (at += line) - line);
    }
    drop() {
        if (this.size)
            this.machine.drop(this.at);
        this.size = 0;
    }
}
const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
/** Where the share of a cut begins, in bytes, and that share of a caller's array. */
const first = ({ axis, step }, cut) => (axis === 'rows' ? cut.row * step : axis === 'sequences' ? cut.item * step : 0);
function part(arg, cut) {
    const all = bytesOf(arg.value), from = first(arg, cut), count = arg.axis === 'rows' ? cut.rows : cut.items;
    return arg.axis === 'whole' ? all : all.subarray(from, from + count * arg.step);
}
