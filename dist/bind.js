import { KernelFailure, SeqlikError } from "./errors.js";
import { dtypesOf, entriesOf } from "./grammar.js";
import { planner } from "./plan.js";
import { freed, Held, use } from "./resident.js";
/** INFO of a call that was cancelled. */
export const CANCELLED = -1;
const bound = new WeakSet();
/** Whether it was made here, and not by a caller. */
export const isBackend = (value) => bound.has(value);
export function bind(machine, table) {
    const { name, isa, threads, levels } = machine;
    const backend = Object.create({
        get usable() { return machine.usable; },
        f64: dress(machine, table, 'f64'),
        f32: dress(machine, table, 'f32'),
        hold: (values) => new Held(machine, values),
    }); // what is for models only stays out of sight when a backend is printed
    bound.add(backend);
    return Object.freeze(Object.assign(backend, { name, isa, threads, levels }));
}
function dress(machine, table, dtype) {
    const kernels = {};
    for (const entry of entriesOf(table)) {
        if (!dtypesOf(entry.row).includes(dtype))
            continue;
        const plan = planner(entry, dtype, machine);
        const kernel = (dims, args, how = {}) => {
            const call = plan(dims, args, how);
            settle(entry, call, machine.run(call));
        };
        kernel.async = async (dims, args, how = {}) => {
            const { signal } = how;
            const theirs = plan(dims, args, how), ours = privately(theirs);
            const end = use(args, true), stop = () => { Atomics.store(ours.cancel, 0, 1); };
            if (signal?.aborted)
                stop();
            signal?.addEventListener('abort', stop);
            const info = await machine.runAsync(ours).finally(() => {
                signal?.removeEventListener('abort', stop);
                end();
            });
            settle(entry, ours, info, signal);
            theirs.args.forEach(({ role, value }, i) => {
                if (role !== 'in' && role !== 'tmp')
                    value.set(ours.args[i].value);
            });
        };
        kernel.prepare = (dims, args, how = {}) => {
            const call = privately(plan(dims, args, how)), { run, dispose } = machine.prepare(call), end = use(args, false);
            const prepared = {
                args: Object.fromEntries(Object.keys(entry.row.args).map((name, i) => [name, call.args[i].value])),
                run: () => settle(entry, call, run()),
                dispose: () => free(),
            };
            const free = freed(prepared, () => { dispose(); end(); });
            return prepared;
        };
        (kernels[entry.noun] ??= {})[entry.name] = kernel;
    }
    return kernels;
}
/** The same call over copies nobody else can reach: a caller's buffer may change or be detached while it runs. */
const privately = (call) => ({ ...call, args: call.args.map((arg) => (typeof arg.value === 'object' && arg.value ? { ...arg, value: arg.value.slice() } : arg)) });
function settle({ noun, name, row }, call, info, signal) {
    if (info === 0)
        return;
    if (info === CANCELLED)
        throw new SeqlikError('ABORTED', `${noun}.${name} was aborted`, { cause: signal?.reason });
    const at = {};
    let rest = info - 1;
    for (const dim of row.info.slice(1).reverse()) {
        const size = call.ints[row.dims.indexOf(dim)];
        at[dim] = rest % size;
        rest = Math.floor(rest / size);
    }
    throw new KernelFailure(`${noun}.${name}`, { [row.info[0]]: rest, ...at });
}
