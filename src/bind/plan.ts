/** Turns a caller's dims and arrays into a Call. Memory is guarded here and only here: kernels check nothing. */

import { argumentError, type Code } from '../errors.ts';
import type { DType, Entry, How, Param, Sizes, Values } from '../grammar.ts';
import { bytesOf, Count, costOf, deriver, paramsOf, sequencesOf, TILE, tags } from '../grammar.ts';
import { fixedBuffer, lengthOf, overlap, plain, sharedMemory, tagOf } from '../memory.ts';
import { type Cut, cutRows, cutSequences, SHARD_ROWS, SHARD_SEQUENCES, WHOLE } from './cuts.ts';
import { Held, type Owner } from './resident.ts';

/** The facts shared by all calls of a kernel. */
export interface Signature {
  readonly kernel: string;
  readonly params: readonly Param[];
  /** The indices among the ints at which a cut writes its rows, sequences and longest (-1: nowhere). */
  readonly places: readonly [rows: number, items: number, longest: number];
}
/** Everything a machine needs to run a call. Lists, no object per argument: a small call costs what it allocates. */
export interface Call {
  readonly signature: Signature;
  /** Dims and options, in order. */
  readonly ints: readonly number[];
  /** For each argument: the caller's array, the handle of a resident, or null for scratch. */
  readonly values: readonly (Values | number | null)[];
  /** For each argument: bytes from one row or sequence to the next (0: it does not advance), and in the largest cut. */
  readonly steps: readonly number[];
  readonly bytes: readonly number[];
  readonly cuts: readonly Cut[];
  /** By how much INFO grows from one row to the next. */
  readonly infoStep: number;
  readonly threads: number;
  /** Approximate multiply-adds of all cuts. */
  readonly cost: number;
}
/** Dims or arrays as a caller passes them: nothing about them is known yet. */
export type Given = Readonly<Record<string, unknown>>;

const LIMIT = 2 ** 31 - 1; // kernels index with int
const [invalid, mismatch] = ['INVALID_ARGUMENT', 'DIMENSION_MISMATCH'] as const;
// A multiply-add takes 0.03 (AVX-512) to 0.2 ns (wasm). Threads pay above about a millisecond; a cut stays under 10 ms.
const WORTH_THREADS = 2 ** 24;
const CUT_COST = 2 ** 25;
const CUT_ROWS = 8192;
// Cuts of fewer rows than a tile are slower: only where a tile would keep an abort waiting (2^28: 8 to 50 ms).
const LONG_COST = 2 ** 28;
const FEW_ROWS = 32;
// Where calls share the event loop (wasm) a cut takes 10 to 20 ms of it, if it can: it has whole blocks of 64 bytes a lane
// where the kernel allows that, because it has no sums or adds row by row.
const SLICE_COST = 2 ** 26;
const BLOCK_BYTES = 64;
// Sequences a cut should have, to go in lock step: a product of fewer rows waits for the weights (an LSTM of 256 units
// over 50 steps: 24 -> 36 GF/s).
const TOGETHER = 4;
// A kernel that has sequences in lanes names those of the widest registers; wasm has a quarter of such lanes.
const FEWER_LANES = 4;

/** Returns a function that plans the calls of one kernel on one machine. The spec is read here, once. */
export function planner(
  { noun, name, spec }: Entry,
  dtype: DType,
  owner: Owner & { readonly name?: string; readonly threads: number },
) {
  const params = paramsOf(spec, dtype);
  const cutDims = [spec.rows, sequencesOf(spec), spec.longest] as const;
  const places = cutDims.map((dim) => (dim ? spec.dims.indexOf(dim) : -1)) as [number, number, number];
  const [rowsAt, itemsAt, longestAt] = places;
  const signature: Signature = { kernel: `${noun}_${name}_${dtype}`, params, places };
  const options = Object.entries(spec.options ?? {});
  const derivedDims = [...Object.keys(spec.derived ?? {}), ...(spec.lengths ? cutDims : [])];
  const passed = spec.dims.map((dim) => !derivedDims.includes(dim));
  const lengthsAt = params.findIndex((param) => param.name === spec.lengths);
  const derive = deriver(spec, dtype);
  const costCount = costOf(spec, dtype);
  const infoCount = new Count(spec.info && spec.rows ? spec.info.slice(1).join(' ') : '0', spec.dims, dtype);
  const sums = params.some(({ sum }) => sum);
  const inLanes = (spec.together ?? 0) / (owner.name === 'wasm' ? FEWER_LANES : 1);
  const arrays = params.flatMap(({ scratch }, i) => (scratch ? [] : [i]));
  const written = arrays.filter((i) => params[i]!.written);

  const call = `${noun}.${name}`;
  const fail = (code: Code, argument: string, expected: string, received: string, reason?: string) =>
    argumentError(code, call, argument, { expected, received, reason: reason ?? `is ${received}, not ${expected}` });
  const wrongLength = (argument: string, wanted: number, count: number) =>
    fail(mismatch, argument, `${wanted}`, `${count} values`, `has ${count} values, not ${wanted}`);
  const checkSizes = (sizes: Sizes): void => {
    for (let i = 0; i < passed.length; i++)
      if (!isCount(sizes[i], 0)) throw fail(mismatch, spec.dims[i]!, 'a size', String(sizes[i]));
  };
  const checkCount = (word: keyof How, n: number | undefined): void => {
    if (n !== undefined && !isCount(n, 1)) throw fail(mismatch, word, 'a count', `${n}`);
  };

  return (dims: Given, args: Given, how: How): Call => {
    // 1. Read everything from the caller: getters may run caller code, nothing after this does.
    const ints: number[] = []; // dims, then options
    for (let i = 0; i < passed.length; i++) ints.push(passed[i] ? (dims[spec.dims[i]!] as number) : 0);
    for (const [option, words] of options) {
      const word = dims[option];
      const index = words.indexOf(word as string);
      if (index < 0) throw fail(invalid, option, `one of ${words.join(', ')}`, String(word));
      ints.push(index);
    }
    const values: unknown[] = [];
    for (const { scratch, name } of params) values.push(scratch ? null : args[name]);
    const { threads, chunk, shardSize, rowByRow } = how;

    // 2. Sizes: those passed, those read off the lengths, and those derived from both.
    let lengths: Int32Array | undefined;
    let longest = 0;
    if (spec.lengths) {
      if (tagOf(values[lengthsAt]) === tags.i32) lengths = plain(values[lengthsAt] as Int32Array);
      const total = lengths && totalOf(lengths);
      if (!total) {
        const received = lengths ? 'a negative length' : kindOf(values[lengthsAt]);
        throw fail(mismatch, spec.lengths, 'an Int32Array of lengths', received, 'must be an Int32Array of lengths');
      }
      ints[rowsAt] = total.rows;
      ints[itemsAt] = total.items;
      longest = total.longest;
      if (longestAt >= 0) ints[longestAt] = longest;
    }
    checkSizes(ints); // before others are computed from them: arithmetic on an object would call its valueOf
    derive(ints);
    checkSizes(ints);
    checkCount('threads', threads);
    checkCount('chunk', chunk);
    checkCount('shardSize', shardSize);
    const rows = rowsAt < 0 ? 0 : ints[rowsAt]!;
    const items = itemsAt < 0 ? 0 : ints[itemsAt]!;
    const cost = costCount.of(ints);

    // 3. Cuts: neither an array of a cut nor its INFO may reach 2^31.
    const infoStep = infoCount.of(ints);
    let widestRow = Math.max(1, infoStep);
    const steps: number[] = [];
    for (const { axis, step } of params) {
      const n = axis === 'whole' ? 0 : step.of(ints);
      if (axis === 'rows') widestRow = Math.max(widestRow, n);
      steps.push(n);
    }
    const costOfRow = Math.max(1, cost / Math.max(1, rows));
    const fine = owner.name === 'wasm' && !spec.lengths && (!sums || rowByRow) && costOfRow * TILE > SLICE_COST;
    const tileRows = fine ? BLOCK_BYTES / bytesOf[dtype] : costOfRow * TILE > LONG_COST ? FEW_ROWS : TILE;
    const longRows = Math.floor(LONG_COST / costOfRow);
    const leastRows = Math.max(tileRows, Math.min(TOGETHER * longest, longRows));
    const usualRows = Math.min(Math.max(Math.floor(CUT_COST / costOfRow), leastRows), CUT_ROWS);
    const wantedRows = chunk ?? Math.max(usualRows, Math.min(inLanes * longest, longRows));
    const mostRows = Math.max(1, Math.min(wantedRows, Math.floor(LIMIT / widestRow)));
    const cuts = spec.rows ? makeCuts(rows, lengths, mostRows, sums ? tileRows : 0, shardSize) : WHOLE;
    if (spec.rows) ints[rowsAt] = largest(cuts, 'rows');
    if (lengths) ints[itemsAt] = largest(cuts, 'items');

    // 4. Arrays: their types, lengths and memory; and none that is written may overlap another argument.
    const bytes: number[] = [];
    const memory: (ArrayBuffer | undefined)[] = []; // buffers of the caller's arrays
    for (let i = 0; i < params.length; i++) {
      const { name, tag, size, axis, length, scratch, mayReside } = params[i]!;
      const step = steps[i]!;
      const inCut = axis === 'whole' ? length.of(ints) : step * ints[axis === 'rows' ? rowsAt : itemsAt]!;
      if (inCut > LIMIT)
        throw fail(mismatch, name, `at most ${LIMIT}`, `${inCut} values`, `of one cut would have ${inCut} values`);
      const wanted = axis === 'whole' ? inCut : step * (axis === 'rows' ? rows : items);
      steps[i] = step * size;
      bytes.push(inCut * size);
      const value = values[i] as Values | Held;
      let buffer: ArrayBuffer | undefined;
      if (tagOf(value) === tag) {
        const count = lengthOf(value as Values);
        if (count !== wanted) throw wrongLength(name, wanted, count);
        buffer = fixedBuffer(value as Values);
        if (!buffer) throw sharedMemory(call, name);
      } else if (!scratch) {
        if (!(mayReside && Held.is(value) && value.owner === owner && value.tag === tag)) {
          const expected = `a ${tag}${mayReside ? ' or a resident of this backend' : ''}`;
          throw fail(mismatch, name, expected, kindOf(value), `must be ${expected}`);
        }
        if (value.length !== wanted) throw wrongLength(name, wanted, value.length);
        values[i] = value.live().handle;
      }
      memory.push(buffer);
    }
    for (const i of written)
      for (const j of arrays)
        if (memory[j] === memory[i] && j !== i && overlap(values[i] as Values, values[j] as Values)) {
          const other = params[j]!.name;
          throw fail(invalid, params[i]!.name, 'memory of its own', `memory of ${other}`, `overlaps ${other}`);
        }
    return {
      signature,
      ints,
      values: values as Call['values'],
      steps,
      bytes,
      cuts,
      infoStep,
      cost,
      threads: threads ?? (cost < WORTH_THREADS ? 1 : owner.threads),
    };
  };
}

/** A short name of a value of the wrong type. */
const kindOf = (value: unknown): string => tagOf(value) ?? typeof value;
const isCount = (n: unknown, least: number): boolean =>
  Number.isInteger(n) && (n as number) >= least && (n as number) <= LIMIT;

/** Returns the sizes that follow from sequence lengths, or undefined if a length is negative. */
function totalOf(lengths: Int32Array): { rows: number; items: number; longest: number } | undefined {
  let [rows, longest] = [0, 0];
  for (let i = 0; i < lengths.length; i++) {
    if (lengths[i]! < 0) return undefined;
    rows += lengths[i]!;
    longest = Math.max(longest, lengths[i]!);
  }
  return { rows, items: lengths.length, longest };
}

function largest(cuts: readonly Cut[], field: 'rows' | 'items'): number {
  let most = 0;
  for (const cut of cuts) most = Math.max(most, cut[field]);
  return most;
}

/** Makes the cuts of a call with rows. `tileRows`: the rows that are summed together, or 0 if there are no sums. */
function makeCuts(
  rows: number,
  lengths: Int32Array | undefined,
  chunk: number,
  tileRows: number,
  shardSize: number | undefined,
) {
  if (lengths) return cutSequences(lengths, chunk, tileRows > 0 ? (shardSize ?? SHARD_SEQUENCES) : undefined);
  if (tileRows === 0) return cutRows(rows, chunk, chunk);
  // a kernel sums whole tiles on its own; a sum of fewer rows needs a cut that ends there
  return cutRows(rows, tileRows < TILE ? tileRows : Math.max(TILE, chunk - (chunk % TILE)), shardSize ?? SHARD_ROWS);
}
