/** One start of the packed library in a process of its own: `node package.js INDEX native|wasm` prints a PackageSample as
 * JSON. */
import type * as Library from 'seqlik';
import { coldCase, drawMixture } from '../cases.ts';

/** Milliseconds from before the import to the end of each step, over Node's own start, and the first result. */
export interface PackageSample {
  readonly isa: string;
  readonly imported: number;
  readonly scored: number;
  readonly logDensity: readonly number[];
}

const [index, name] = process.argv.slice(2) as [string, 'native' | 'wasm'];
const { parameters, x } = drawMixture(coldCase);

const start = performance.now();
const { GaussianMixture, openBackend } = (await import(index)) as typeof Library;
const imported = performance.now() - start;
const backend = openBackend({ name });
const logDensity = new GaussianMixture(parameters, { backend }).logDensity(x);
const scored = performance.now() - start;

const sample: PackageSample = { isa: backend.isa, imported, scored, logDensity: [...logDensity] };
process.stdout.write(JSON.stringify(sample));
