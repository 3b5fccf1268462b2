/** One cold start in a process of its own: `node start.js native|wasm` prints a Sample as JSON. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { GaussianMixture, openBackend } from 'seqlik';
import { wasmModule } from '#wasm';
import { coldCase, drawMixture } from '../cases.ts';

/** Milliseconds from importing the library to the end of each step, and the result of the last one. */
export interface Sample {
  readonly isa: string;
  readonly loaded: number;
  readonly opened: number;
  readonly scored: number;
  readonly logDensity: readonly number[];
}

const [name] = process.argv.slice(2) as ['native' | 'wasm'];
const { parameters, x } = drawMixture(coldCase);
const require = createRequire(import.meta.url);

const start = performance.now();
if (name === 'native') require(join(require.resolve('seqlik/package.json'), '../build/native/Release/kernels.node'));
else wasmModule();
const loaded = performance.now() - start;
const backend = openBackend({ name });
const opened = performance.now() - start;
const logDensity = new GaussianMixture(parameters, { backend }).logDensity(x);
const scored = performance.now() - start;

const sample: Sample = { isa: backend.isa, loaded, opened, scored, logDensity: [...logDensity] };
process.stdout.write(JSON.stringify(sample));
