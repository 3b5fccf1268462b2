/**
 * Refused memory: for every call of a kernel and every model that is loaded, the first allocation is refused, then the
 * second, and so on until the call succeeds. Each ends in OUT_OF_MEMORY or in the right answer (with fewer threads),
 * leaves the caller's arrays as they were, and the next call works.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openWasm } from '../src/backends/wasm.ts';
import { dtypesOf, entriesOf } from '../src/grammar.ts';
import { type Backend, Gaussian, GaussianMixture, loadModel, SeqlikError } from '../src/index.ts';
import { addonPath, kernelOf, native, open, wasm, wasmModule } from './support/backends.ts';
import { type Case, copy, draw, wordsOf } from './support/cases.ts';
import { type Table, table } from './support/table.ts';

/** A computation that allocates: returns values to compare, and is called again after every failure. */
type Work = (backend: Backend<Table>) => unknown;
const sizes = { n: 60, k: 3, d: 3, units: 3, s: 20, q: 1, i: 3, o: 3 };
const how = { threads: 3, chunk: 10, shardSize: 20 };

/** Calls of every kernel of the table: synchronous, asynchronous, prepared, with residents. */
const kernels = entriesOf(table).flatMap((entry) =>
  dtypesOf(entry.spec).map((dtype) => {
    const given = draw(entry, dtype, sizes, wordsOf(entry).at(-1)!);
    /** Whatever happens, either all is done or nothing. */
    const untouched = async (work: (own: Case) => unknown): Promise<unknown> => {
      const own = copy(given);
      try {
        await work(own);
        return own.args;
      } catch (error) {
        expectSame(own, given);
        throw error;
      }
    };
    const works: Record<string, Work> = {
      synchronous: (backend) => untouched(({ dims, args }) => kernelOf(backend, entry, dtype)(dims, args, how)),
      asynchronous: (backend) => untouched(({ dims, args }) => kernelOf(backend, entry, dtype).async(dims, args, how)),
      prepared: (backend) =>
        untouched((own) => {
          const { run, args, dispose } = kernelOf(backend, entry, dtype).prepare(own.dims, own.args, how);
          run();
          for (const [name, values] of Object.entries(own.args)) values.set(args[name] as Float64Array);
          dispose();
        }),
    };
    return [`${entry.noun}.${entry.name} ${dtype}`, works] as const;
  }),
);
const few = Float64Array.from({ length: 600 }, (_, i) => Math.sin(i));
const many = Float64Array.from({ length: 90_000 }, (_, i) => Math.sin(i));
const bytesOf = {
  gaussian: new Gaussian({ mean: [0, 1, 2], covariance: [2, 1, 0, 1, 2, 0, 0, 0, 1] }).toBytes(),
  mixture: new GaussianMixture({
    weights: [0.5, 0.5],
    means: [0, 0, 0, 1, 1, 1],
    covariances: [1, 2],
    covarianceType: 'spherical',
  }).toBytes(),
};
const loaded = (bytes: Uint8Array, backend: Backend<Table>): Gaussian | GaussianMixture =>
  loadModel(bytes, { backend: backend as unknown as Backend }) as Gaussian | GaussianMixture;
const models: Record<string, (backend: Backend<Table>, x: Float64Array) => unknown> = {
  'a Gaussian is loaded and scores': (backend, x) => {
    const model = loaded(bytesOf.gaussian, backend);
    const density = [model.logDensity(x), model.logDensity([1, 2, 3]), model.logDensity(Float32Array.from(x))];
    model.dispose();
    return density;
  },
  'a mixture is loaded, and scores data with gaps': async (backend, x) => {
    const model = loaded(bytesOf.mixture, backend) as GaussianMixture;
    const mask = Uint8Array.from(x, (_, i) => i % 4);
    const results = [model.responsibilities(x), model.logDensity(x, { mask }), await model.logDensityAsync(x)];
    model.dispose();
    return results;
  },
  'a mixture is updated': (backend, x) => {
    const model = loaded(bytesOf.mixture, backend) as GaussianMixture;
    const next = model.update(model.statistics(x));
    for (const each of [model, next]) each.dispose();
    return next.parameters;
  },
  'a mixture is fitted': async (backend, x) => {
    const on = { backend: backend as unknown as Backend };
    // short runs, the default start, repeat the allocations of a run some twenty times
    const options = { dimension: 3, components: 2, maxIterations: 2, initialization: 'k-means++' } as const;
    const { model } = await GaussianMixture.fit(x, { ...options, ...on });
    model.dispose();
    return model.parameters;
  },
};

/** As toEqual, but quick. */
function expectSame(got: unknown, want: unknown): void {
  if (!isDeepStrictEqual(got, want)) expect(got).toEqual(want);
}
/** Refuses the n-th allocation from now on; returns whether it came to that, and refuses no more. */
type Refuse = (n: number) => () => boolean;
async function everyAllocation(backend: Backend<Table>, work: Work, refuse: Refuse): Promise<number> {
  const want = await work(backend);
  for (let n = 1; ; n++) {
    const refused = refuse(n);
    const got = await Promise.resolve()
      .then(() => work(backend))
      .catch((error) => error);
    if (!refused()) return n - 1;
    if (got instanceof SeqlikError) expect(got.code).toBe('OUT_OF_MEMORY');
    else expectSame(got, want);
    expectSame(await work(backend), want);
    expect(n).toBeLessThan(2000);
  }
}

describe.skipIf(native.length === 0)('native', () => {
  const addon = native.length > 0 ? createRequire(import.meta.url)(addonPath) : {}; // only Linux can refuse
  const { failAllocation } = addon as { failAllocation?: (n: number) => number };
  const refuse: Refuse = (n) => {
    failAllocation!(n);
    return () => failAllocation!(0) === 0;
  };
  describe.skipIf(!failAllocation)('when the system refuses memory', () => {
    test.each(kernels)('%s', async (_, works) => {
      for (const work of Object.values(works)) expect(await everyAllocation(open(), work, refuse)).toBeGreaterThan(5);
    });
    test.each(Object.entries(models))('%s', async (_, work) => {
      expect(await everyAllocation(open(), (own) => work(own, few), refuse)).toBeGreaterThan(20);
    });
    test('while an environment loads it and starts its threads', () => {
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['build/js/test/programs/refused.js'], {
        encoding: 'utf8',
        timeout: 100_000,
      });
      expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
      const outcomes = stdout.trim().split('\n');
      expect(new Set(outcomes)).toEqual(new Set(['load: std::bad_alloc', 'OUT_OF_MEMORY', 'right']));
      expect(outcomes.length).toBeGreaterThan(20);
    });
  });
});

describe('wasm', () => {
  /** A machine whose allocations can be refused. */
  let left = 0;
  const { prototype } = WebAssembly.Instance;
  const exports = Object.getOwnPropertyDescriptor(prototype, 'exports')!;
  Object.defineProperty(prototype, 'exports', {
    ...exports,
    get() {
      const own = exports.get!.call(this) as { alloc(bytes: number): number };
      const alloc = (bytes: number): number => {
        if (left > 0 && --left === 0) throw new WebAssembly.RuntimeError('unreachable');
        return own.alloc(bytes);
      };
      return { ...own, alloc };
    },
  });
  const backend = openWasm(table, () => wasmModule);
  Object.defineProperty(prototype, 'exports', exports);
  const refuse: Refuse = (n) => {
    left = n;
    return () => {
      const refused = left === 0;
      left = 0;
      return refused;
    };
  };
  test.each(kernels)('%s', async (_, works) => {
    for (const work of Object.values(works)) await everyAllocation(backend, work, refuse);
    expect(await everyAllocation(backend, works['asynchronous']!, refuse)).toBeGreaterThan(0);
  });
  test.each(Object.entries(models))('%s', async (_, work) => {
    expect(await everyAllocation(backend, (own) => work(own, few), refuse)).toBeGreaterThan(2);
  });

  /** The module with a limit to its memory. */
  function limited(pages: number): WebAssembly.Module {
    const bytes = readFileSync('build/probe.wasm');
    // section 5, its size, one memory, flags 0 (no maximum), then the pages it begins with
    const first = sectionOf(bytes, 5);
    const size = bytes[first + 1]!;
    const limit = [(pages % 128) | 128, pages >> 7];
    const body = [1, 1, ...bytes.subarray(first + 4, first + 2 + size), ...limit];
    return new WebAssembly.Module(
      Buffer.concat([
        bytes.subarray(0, first),
        Buffer.from([5, body.length, ...body]),
        bytes.subarray(first + 2 + size),
      ]),
    );
  }
  test.each(Object.entries(models))('%s, in a memory of few pages', async (_, work) => {
    const want = await work(wasm, many);
    const outcomes: string[] = [];
    for (let pages = 1; pages < 40; pages++) {
      let small: Backend<Table>;
      try {
        small = openWasm(table, () => limited(pages));
      } catch {
        continue; // fewer than it begins with
      }
      for (let times = 0; times < 3; times++) {
        const got = await Promise.resolve()
          .then(() => work(small, many))
          .catch((error) => error);
        if (got instanceof SeqlikError) expect(got.code).toBe('OUT_OF_MEMORY');
        else expectSame(got, want);
        outcomes.push(got instanceof SeqlikError ? 'refused' : 'right');
      }
      expect(small.usable).toBe(true);
    }
    expect(outcomes).toContain('refused');
    expect(outcomes.at(-1)).toBe('right');
  });
});
/** Where a section of a wasm file begins. */
function sectionOf(bytes: Uint8Array, id: number): number {
  for (let at = 8; at < bytes.length; ) {
    if (bytes[at] === id) return at;
    let [size, shift, next] = [0, 0, at + 1];
    for (; ; shift += 7) {
      const byte = bytes[next++]!;
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at = next + size;
  }
  return -1;
}
