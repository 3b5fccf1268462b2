/**
 * What a row of the contract may say, the types inferred from it, and its reading at run time.
 *
 *   spec    role [type] factor...        row-major and contiguous, the first factor is the slowest
 *   role    in | out | inout | tmp (scratch) | sum (f64, ADDED over rows to what the caller's array holds)
 *   type    f64 | i32 | u8; none: the dtype of the call
 *   factor  a dim | a number | tri(d) = d(d+1)/2 | pad(d) = d rounded up to whole 64-byte lines of the dtype
 */
export const roles = ['in', 'out', 'inout', 'tmp', 'sum'];
/** What of a cut moves an array: nothing, its rows, or its sequences. */
export const axes = ['whole', 'rows', 'sequences'];
export const bytesOf = { f64: 8, f32: 4, i32: 4, u8: 1 };
export const tags = { f64: 'Float64Array', f32: 'Float32Array', i32: 'Int32Array', u8: 'Uint8Array' };
export class Param {
    name;
    dtype;
    role;
    type;
    factors;
    axis;
    /** Whether the row writes the type, so that the dtype of the call does not matter. */
    typed;
    constructor(name, row, dtype) {
        this.name = name;
        this.dtype = dtype;
        const [role, ...words] = row.args[name].split(' ');
        const written = ['f64', 'i32', 'u8'].includes(words[0]) ? words.shift() : undefined;
        this.role = role;
        this.typed = role === 'sum' || written !== undefined;
        this.type = role === 'sum' ? 'f64' : written ?? dtype;
        this.factors = words;
        this.axis = role === 'tmp' || role === 'sum' ? 'whole' : words[0] === row.rows ? 'rows'
            : row.lengths && words[0] === sequencesOf(row) ? 'sequences' : 'whole';
    }
    length(sizes) { return product(this.factors, sizes, this.dtype); }
    /** Elements from one row (or sequence) to the next. */
    step(sizes) { return this.axis === 'whole' ? 0 : product(this.factors.slice(1), sizes, this.dtype); }
}
export function product(factors, sizes, dtype) {
    return factors.reduce((n, factor) => {
        const [, form, dim] = /^(tri|pad)\((\w+)\)$/.exec(factor) ?? [];
        const d = sizes[dim ?? factor] ?? Number(factor);
        const line = 64 / bytesOf[dtype];
        return n * (form === 'tri' ? (d * (d + 1)) / 2 : form === 'pad' ? Math.ceil(d / line) * line : d);
    }, 1);
}
export const paramsOf = (row, dtype) => Object.keys(row.args).map((name) => new Param(name, row, dtype));
export const dtypesOf = (row) => paramsOf(row, 'f64').every((param) => param.typed) ? ['f64'] : ['f64', 'f32'];
export const sequencesOf = (row) => row.lengths && row.args[row.lengths].split(' ')[2];
export const entriesOf = (contract) => Object.entries(contract).flatMap(([noun, rows]) => Object.entries(rows).map(([name, row]) => ({ noun, name, row })));
/** FNV-1a over all that a binary depends on: names, order, roles and shapes; not the words or the tolerances. */
export function hashOf(contract) {
    const facts = entriesOf(contract).map(({ noun, name, row: { formula, rtol, work, ...rest } }) => [noun, name, rest]);
    let hash = 0x811c9dc5;
    for (const c of JSON.stringify(facts))
        hash = Math.imul(hash ^ c.codePointAt(0), 0x01000193) >>> 0;
    return hash;
}
