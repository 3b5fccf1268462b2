/**
 * The only argument checks: what a caller passes becomes what models work on, or a SeqlikError that names the argument
 * with what was expected and what came. `where` is the public name of the call, `argument` that of the argument.
 */
import { isBackend } from "./bind.js";
import { SeqlikError } from "./errors.js";
import { fixedBuffer, lengthOf, overlap, tagOf } from "./memory.js";
const LIMIT = 2 ** 31; // elements of any array
const invalid = (where, argument, what, fields = {}) => new SeqlikError('INVALID_ARGUMENT', `${where}: ${argument} ${what}`, { argument, ...fields });
const mismatch = (where, argument, what) => new SeqlikError('DIMENSION_MISMATCH', `${where}: ${argument} ${what}`, { argument });
/** A short name of any value, for messages; never calls into it. */
export function described(value) {
    if (typeof value === 'string')
        return `'${value.slice(0, 40)}'`;
    if (typeof value === 'object' && value)
        return tagOf(value) ?? (Array.isArray(value) ? 'an array' : 'an object');
    return typeof value === 'function' ? 'a function' : String(value);
}
// ---- options ----
/** One last object; an option it does not know is a typing mistake worth telling. */
export function options(where, given, known) {
    if (given === undefined)
        return {};
    if (typeof given !== 'object' || given === null || Array.isArray(given) || tagOf(given))
        throw invalid(where, 'options', `must be an object, not ${described(given)}`);
    for (const name of Object.keys(given))
        if (!known.includes(name))
            throw invalid(where, name, `is no option here (${known.join(', ') || 'there are none'})`);
    return Object.fromEntries(known.map((name) => [name, given[name]]));
}
export function count(where, argument, value, least = 1, most = LIMIT - 1) {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
        throw invalid(where, argument, `must be a whole number from ${least} to ${most}, not ${described(value)}`);
    return value;
}
export const seed = (where, value) => (value === undefined ? 0 : count(where, 'seed', value, 0, 2 ** 32 - 1));
export function choice(where, argument, value, words) {
    if (!words.includes(value))
        throw invalid(where, argument, `must be one of ${words.join(', ')}, not ${described(value)}`);
    return value;
}
export function backend(where, value, fallback) {
    if (value === undefined)
        return fallback();
    if (!isBackend(value))
        throw invalid(where, 'backend', `must come from openBackend(), not ${described(value)}`);
    return value;
}
/** The fields of a parameter object. */
export function fields(where, argument, value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || tagOf(value))
        throw invalid(where, argument, `must be an object, not ${described(value)}`);
    return value;
}
// ---- parameters: copied, f64, flat ----
/** Nested or flat numbers as a flat copy of `shape`; an undefined size is read off the value (only one, or nested). */
export function tensor(where, argument, value, shape) {
    const values = isReal(where, argument, value) ? value : [];
    let sizes = [];
    if (Array.isArray(values))
        sizes = flatten(where, argument, value, values);
    const total = Array.isArray(values) ? values.length : lengthOf(values);
    const rest = shape.reduce((n, size) => n * (size ?? 1), 1);
    const open = shape.includes(undefined) ? total / rest : 1;
    const want = shape.map((size) => size ?? open);
    if (sizes.length > 1 ? want.length !== sizes.length || want.some((size, i) => size !== sizes[i]) : rest * open !== total || !Number.isInteger(open))
        throw mismatch(where, argument, `has ${sizes.length > 1 ? sizes.join(' x ') : total} values, not ${shape.map((s) => s ?? 'any').join(' x ')}`);
    return Float64Array.from(values);
}
/** Whether it is a Real in memory that stays; another typed array or memory that may change is refused. */
function isReal(where, argument, value) {
    const tag = tagOf(value);
    if (tag === undefined)
        return false;
    if (tag !== 'Float64Array' && tag !== 'Float32Array')
        throw invalid(where, argument, `must be a Float64Array, a Float32Array or an array of numbers, not a ${tag}`);
    if (!fixedBuffer(value))
        throw invalid(where, argument, 'lies in a shared or resizable buffer');
    return true;
}
/** Appends the numbers of nested arrays, all of one shape; returns that shape. */
function flatten(where, argument, value, into, depth = 0) {
    if (isReal(where, argument, value)) {
        for (const v of value)
            into.push(v);
        return [lengthOf(value)];
    }
    if (!Array.isArray(value) || depth > 3)
        throw invalid(where, argument, `must be an array of numbers, not ${described(value)}`);
    if (value.length >= LIMIT)
        throw invalid(where, argument, `has ${value.length} entries`);
    if (typeof value[0] === 'number' || value.length === 0) {
        for (const v of value) {
            if (typeof v !== 'number')
                throw invalid(where, argument, `must hold numbers only, not ${described(v)}`);
            into.push(v);
        }
        return [value.length];
    }
    let shape;
    for (const [i, row] of value.entries()) {
        const own = flatten(where, argument, row, into, depth + 1);
        if (shape && own.join() !== shape.join())
            throw mismatch(where, argument, `has ${own.join(' x ')} values at [${i}], not ${shape.join(' x ')}`);
        shape = own;
    }
    return [value.length, ...shape];
}
export function finite(where, argument, values) {
    const i = values.findIndex((v) => !Number.isFinite(v));
    if (i >= 0)
        throw new SeqlikError('NON_FINITE', `${where}: ${argument} is ${values[i]} at index ${i}`, { argument, value: values[i] });
}
/** Of k matrices: max |S - Sᵀ| > 1e-9 max |S| is NOT_SYMMETRIC. */
export function symmetric(where, argument, S, k, d) {
    for (let c = 0; c < k; c++) {
        let skew = 0, largest = 0;
        for (let i = 0; i < d; i++)
            for (let j = 0; j < d; j++) {
                const v = S[(c * d + i) * d + j];
                largest = Math.max(largest, Math.abs(v));
                skew = Math.max(skew, Math.abs(v - S[(c * d + j) * d + i]));
            }
        if (skew > 1e-9 * largest)
            throw new SeqlikError('NOT_SYMMETRIC', `${where}: ${argument} differs from its transpose by ${skew}`, { argument, ...(k > 1 && { component: c }) });
    }
}
/** Typed arrays are used as they are; numbers are copied into a Float64Array. */
export function points(where, argument, value, d) {
    let values;
    if (isReal(where, argument, value))
        values = value;
    else {
        const into = [], shape = flatten(where, argument, value, into);
        if (shape.length > 2 || (shape.length === 2 && shape[1] !== d))
            throw mismatch(where, argument, `has rows of ${shape.slice(1).join(' x ')} values, not ${d}`);
        values = Float64Array.from(into);
    }
    const length = lengthOf(values);
    if (length % d !== 0)
        throw mismatch(where, argument, `has ${length} values, not a multiple of dimension ${d}`);
    return { values, n: length / d };
}
/** The caller's array for `n` results of the dtype of the data, or a new one. */
export function out(where, value, x, n) {
    const tag = tagOf(x);
    if (value === undefined)
        return tag === 'Float32Array' ? new Float32Array(n) : new Float64Array(n);
    if (tagOf(value) !== tag)
        throw invalid(where, 'out', `must be a ${tag} like the data, not ${described(value)}`);
    const array = value;
    if (!fixedBuffer(array))
        throw invalid(where, 'out', 'lies in a shared or resizable buffer');
    if (lengthOf(array) !== n)
        throw mismatch(where, 'out', `has ${lengthOf(array)} values, not ${n}`);
    if (overlap(array, x))
        throw invalid(where, 'out', 'overlaps the data');
    return array;
}
/** One byte a value, 1 = observed; undefined: no gaps were announced. What is observed is finite from here on. */
export function gaps(where, argument, { values, n }, missing, mask) {
    if (missing === undefined && mask === undefined)
        return undefined;
    if (missing !== undefined && mask !== undefined)
        throw invalid(where, 'mask', 'and missing exclude each other');
    if (missing !== undefined)
        choice(where, 'missing', missing, ['nan']);
    else if (tagOf(mask) !== 'Uint8Array')
        throw invalid(where, 'mask', `must be a Uint8Array, not ${described(mask)}`);
    else if (lengthOf(mask) !== values.length)
        throw mismatch(where, 'mask', `has ${lengthOf(mask)} values, not ${values.length}`);
    const seen = Uint8Array.from(values, (v, i) => Number(mask ? mask[i] !== 0 : !Number.isNaN(v)));
    const i = values.findIndex((v, i) => seen[i] === 1 && !Number.isFinite(v));
    if (i >= 0)
        throw nonFinite(where, argument, values, Math.floor(i / (values.length / n)), values.length / n);
    return seen;
}
/** What is wrong with a row that has no density: a value that is not finite, or a distance that overflows. `place` is
 * its row in the caller's data, if that is another. */
export function nonFinite(where, argument, values, row, d, place = row) {
    const x = values.subarray(row * d, (row + 1) * d), column = x.findIndex((v) => !Number.isFinite(v));
    if (column < 0)
        return new SeqlikError('NON_FINITE', `${where}: the squared distance of ${argument} at row ${place} `
            + 'overflows in every component', { argument, row: place });
    const value = x[column], hint = Number.isNaN(value) ? "; a gap? say missing: 'nan'" : '';
    return new SeqlikError('NON_FINITE', `${where}: ${argument} is ${value} at row ${place}, column ${column}${hint}`, { argument, row: place, column, value });
}
