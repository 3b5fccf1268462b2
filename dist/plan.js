/** From a caller's dims and arrays to a Call: memory is guarded here, once; kernels check nothing. */
import { apart, cutRows, cutSequences, SHARD_ROWS, SHARD_SEQUENCES, WHOLE } from "./cuts.js";
import { SeqlikError } from "./errors.js";
import { bytesOf, paramsOf, product, sequencesOf, tags } from "./grammar.js";
import { fixedBuffer, lengthOf, overlap, tagOf } from "./memory.js";
import { Held } from "./resident.js";
const LIMIT = 2 ** 31 - 1; // kernels index with int
// A multiply-add takes 0.03 (AVX-512) to 0.2 ns (wasm). Threads pay above about a millisecond; a cut stays under 20 ms.
const WORTH_THREADS = 2 ** 24;
const CUT_WORK = 2 ** 26;
const CUT_ROWS = { least: 128, most: 8192 };
/** A function that plans the calls of one kernel on one machine. */
export function planner({ noun, name, row }, dtype, owner) {
    const params = paramsOf(row, dtype);
    const fields = [row.rows, sequencesOf(row), row.longest];
    const places = fields.map((dim) => (dim ? row.dims.indexOf(dim) : -1));
    const fail = (argument, what, code = 'DIMENSION_MISMATCH') => new SeqlikError(code, `${noun}.${name}: ${argument} ${what}`, { argument });
    return (dims, args, how) => {
        const lengths = row.lengths ? args[row.lengths] : undefined;
        const sizes = sizesOf(row, dims, lengths, fail);
        const counts = { threads: how.threads, chunk: how.chunk, shardSize: how.shardSize };
        for (const [word, n] of Object.entries(counts))
            if (n !== undefined && !(Number.isInteger(n) && n > 0 && n <= LIMIT))
                throw fail(word, `is ${n}, not a count`);
        const total = { rows: row.rows ? sizes[row.rows] : 0, sequences: lengths?.length ?? 0, whole: 0 };
        const work = row.work ? product(row.work.split(' '), sizes, dtype) : 0;
        // Neither an array of a cut nor its INFO may reach 2^31: cut finer.
        const infoStep = row.info && row.rows ? row.info.slice(1).reduce((n, dim) => n * sizes[dim], 1) : 0;
        const widest = params.reduce((w, p) => (p.axis === 'rows' ? Math.max(w, p.step(sizes)) : w), infoStep);
        const fair = Math.floor(CUT_WORK / Math.max(1, work / Math.max(1, total.rows)));
        const chunk = how.chunk ?? Math.min(Math.max(fair, CUT_ROWS.least), CUT_ROWS.most);
        const cuts = cut(row, total.rows, lengths, Math.max(1, Math.min(chunk, Math.floor(LIMIT / Math.max(1, widest)))), how);
        if (row.rows)
            sizes[row.rows] = cuts.reduce((most, { rows }) => Math.max(most, rows), 0);
        if (lengths)
            sizes[sequencesOf(row)] = cuts.reduce((most, { items }) => Math.max(most, items), 0);
        const guarded = params.map((param) => {
            const { role, axis, type } = param;
            const inCut = param.length(sizes), step = param.step(sizes);
            if (inCut > LIMIT)
                throw fail(param.name, `of one cut would have ${inCut} values`);
            const argument = { role, axis, step: step * bytesOf[type], bytes: inCut * bytesOf[type] };
            if (role === 'tmp')
                return { ...argument, value: null };
            const value = args[param.name];
            const residing = role === 'in' && param.name !== row.lengths;
            const held = residing && value instanceof Held && value.owner === owner ? value : undefined;
            if ((held ? held.tag : tagOf(value)) !== tags[type])
                throw fail(param.name, `must be a ${tags[type]}${residing ? ' or a resident of this backend' : ''}`);
            const want = axis === 'whole' ? inCut : step * total[axis];
            const count = held ? held.length : lengthOf(value);
            if (count !== want)
                throw fail(param.name, `has ${count} values, not ${want}`);
            if (!held && !fixedBuffer(value))
                throw fail(param.name, 'lies in a shared or resizable buffer', 'INVALID_ARGUMENT');
            return { ...argument, value: held ? held.live().handle : value };
        });
        for (const [i, { role, value }] of guarded.entries())
            if (role !== 'in' && role !== 'tmp')
                for (const [j, other] of guarded.entries())
                    if (j !== i && typeof other.value === 'object' && other.value && overlap(value, other.value))
                        throw fail(params[i].name, `overlaps ${params[j].name}`, 'INVALID_ARGUMENT');
        const options = Object.entries(row.options ?? {}).map(([option, words]) => {
            const index = words.indexOf(dims[option]);
            if (index < 0)
                throw fail(option, `is ${String(dims[option])}, not one of ${words.join(', ')}`, 'INVALID_ARGUMENT');
            return index;
        });
        return {
            kernel: `${noun}_${name}_${dtype}`,
            ints: [...row.dims.map((dim) => sizes[dim]), ...options],
            places, args: guarded, cuts, infoStep,
            threads: how.threads ?? (work < WORTH_THREADS ? 1 : owner.threads),
            cancel: new Int32Array(1),
        };
    };
}
/** The caller's dims, and those a ragged row derives from its lengths. */
function sizesOf(row, dims, lengths, fail) {
    const sizes = { ...dims };
    if (row.lengths) {
        if (tagOf(lengths) !== tags.i32 || lengths.some((l) => l < 0))
            throw fail(row.lengths, 'must be an Int32Array of lengths');
        sizes[sequencesOf(row)] = lengths.length;
        sizes[row.rows] = lengths.reduce((sum, l) => sum + l, 0);
        if (row.longest)
            sizes[row.longest] = lengths.reduce((a, b) => Math.max(a, b), 0);
    }
    for (const dim of row.dims) {
        const size = sizes[dim];
        if (!(Number.isInteger(size) && size >= 0 && size <= LIMIT))
            throw fail(dim, `is ${String(size)}, not a size`);
    }
    return sizes;
}
function cut(row, rows, lengths, chunk, { shardSize }) {
    if (!row.rows)
        return WHOLE;
    const sums = Object.values(row.args).some((spec) => spec.startsWith('sum '));
    if (lengths)
        return sums ? cutSequences(lengths, chunk, shardSize ?? SHARD_SEQUENCES)
            : apart(cutSequences(lengths, chunk, Infinity));
    return cutRows(rows, chunk, sums ? shardSize ?? SHARD_ROWS : chunk);
}
