/** Packages of bench/contenders/package.json, which are installed on demand (README.md beside it). */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// this folder is a package of its own, and the checkout that of the one above
const root = dirname(createRequire(new URL('../run.js', import.meta.url)).resolve('seqlik/package.json'));
/** This folder in the checkout; the compiled programs lie elsewhere. */
export const folder = join(root, 'bench', 'contenders');

/** Imports a package. Throws an Error that says how to install it. */
export async function installed(name: string): Promise<unknown> {
  let path: string;
  try {
    path = createRequire(join(folder, 'package.json')).resolve(name);
  } catch {
    throw new Error('not installed: npm ci --ignore-scripts --prefix bench/contenders');
  }
  const found = (await import(pathToFileURL(path).href)) as { default?: unknown };
  return found.default ?? found;
}
