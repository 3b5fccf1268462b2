/** The declarations of the built package, checked as a strict user checks them: without skipLibCheck, in Node or in a
 * browser. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const at = mkdtempSync(join(tmpdir(), 'seqlik-consumer-'));
afterAll(() => rmSync(at, { recursive: true, force: true }));

const program = `
import * as seqlik from 'seqlik';
import { Gaussian, GaussianMixture, MixtureDensityNetwork, type Backend, loadModel, openBackend } from 'seqlik';
export const everything: typeof seqlik = seqlik;
const rows: Float64Array[] = [Float64Array.of(1, 2), Float64Array.of(2, 1)];
const single: readonly Float32Array[] = [Float32Array.of(1, 2)];
const backend: Backend = openBackend({ name: 'wasm', module: {} as never });
export const why: string | undefined = backend.why;
const g = new Gaussian({ mean: [0, 0], covariance: rows }, { backend });
export const one: Float64Array = g.logDensity(rows);
export const f32: Float32Array = g.logDensity(Float32Array.of(1, 2));
g.logDensity(single);
export const fitted = GaussianMixture.fit(rows, { components: 1 }).then(({ model }) => model.parameters.weights);
export const networks = [MixtureDensityNetwork, loadModel];
// @ts-expect-error rows are numbers
g.logDensity([['1', '2']]);
`;

// the least version is that of README and docs/vectors.md
test.each([
  ['Node', 'es2022', ['node'], 'typescript'],
  ['a browser', 'esnext,dom', [], 'typescript'],
  ['Node, TypeScript 5.0,', 'es2022', ['node'], 'typescript-5.0'],
  ['a browser, TypeScript 5.0,', 'esnext,dom', [], 'typescript-5.0'],
])(
  'a strict consumer in %s type-checks, libraries included',
  (_, lib, types, version) => {
    mkdirSync(join(at, 'node_modules'), { recursive: true });
    rmSync(join(at, 'node_modules/seqlik'), { force: true });
    symlinkSync(resolve('.'), join(at, 'node_modules/seqlik'), 'junction');
    writeFileSync(join(at, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(at, 'program.ts'), program);
    const compilerOptions = {
      ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, module: 'nodenext' },
      ...{ lib: lib.split(','), types, typeRoots: [resolve('node_modules/@types')] },
    };
    writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const compiler = resolve(`node_modules/${version}/bin/tsc`);
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: at, encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  },
  60_000,
);
