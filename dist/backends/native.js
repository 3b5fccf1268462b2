/** The native machine: typed arrays are pointers, shards run on the addon's own threads. */
import { bind } from "../bind.js";
import { SeqlikError } from "../errors.js";
import { axes, hashOf, roles } from "../grammar.js";
import { identifier, levels } from "../levels.js";
function pack(kernel, { ints, places, args, cuts, infoStep, threads, cancel }) {
    const layout = args.flatMap((arg) => [roles.indexOf(arg.role), axes.indexOf(arg.axis), arg.step, arg.bytes]);
    const flat = cuts.flatMap((cut) => [cut.shard, cut.row, cut.rows, cut.item, cut.items, cut.longest]);
    return [kernel, Int32Array.from(ints), Int32Array.from(places), args.map(({ value }) => value),
        Float64Array.from(layout), Int32Array.from(flat), infoStep, threads, cancel];
}
/** Throws BACKEND: `where` was built for another contract, or has no such level here. */
export function openNative(table, addon, where, choice = {}) {
    const { contract, levels: offered, ...machine } = addon;
    if (contract !== hashOf(table))
        throw new SeqlikError('BACKEND', `${where} was built for another version of seqlik: build it again with 'npm run build:native'`);
    const here = levels.filter(({ name }) => identifier(name) in offered);
    const level = chosen(here, choice), kernels = offered[identifier(level.name)];
    const packed = (call) => pack(kernels[call.kernel], call);
    return bind({
        name: 'native',
        isa: level.name,
        levels: Object.freeze(here.map(({ name }) => name)),
        threads: choice.threads ?? cores(),
        usable: true,
        run: (call) => told(() => machine.run(...packed(call))),
        runAsync: async (call) => told(() => machine.runAsync(...packed(call))),
        prepare(call) {
            const prepared = told(() => machine.prepare(...packed(call)));
            return { run: () => machine.again(prepared), dispose: () => machine.forget(prepared) };
        },
        hold: (values) => told(() => machine.hold(values)),
        write: (handle, values) => told(() => machine.write(handle, values)),
        release: (handle) => machine.release(handle),
    }, table);
}
function chosen(here, { isa, reproducible }) {
    const level = here.find(({ name, fused }) => (isa === undefined ? !(reproducible && fused) : name === isa));
    if (!level || (reproducible && level.fused))
        throw new SeqlikError('BACKEND', `no ${reproducible ? 'reproducible ' : ''}level ${isa} here: this CPU runs ${here.map(({ name }) => name).join(', ')}`);
    return level;
}
const cores = () => globalThis.process.getBuiltinModule('node:os').availableParallelism();
/** What the addon throws, in our words. */
function told(call) {
    try {
        return call();
    }
    catch (error) {
        const { message } = error;
        if (message === 'DISPOSED')
            throw new SeqlikError('DISPOSED', 'a disposed resident was used');
        if (message === 'std::bad_alloc')
            throw new SeqlikError('OUT_OF_MEMORY', 'native: no room for this call', { cause: error });
        throw error;
    }
}
