/** `npm run golden -- FOLDER [--backend native|wasm] [--isa LEVEL]`: golden vectors through the built public API. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Backend, defaultBackend, openBackend } from 'seqlik';
import { judge, type Miss } from './compare.ts';
import { type Case, readCases } from './format.ts';
import { operations, perform } from './operations.ts';

class UsageError extends Error {}
interface Request {
  readonly folder: string;
  readonly name?: 'native' | 'wasm';
  readonly isa?: string;
}
function readRequest(args: string[]): Request {
  const options = { backend: { type: 'string' }, isa: { type: 'string' } } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [folder, ...more] = positionals;
    const { backend: name, isa } = values;
    if (folder === undefined || more.length > 0) throw new Error('one FOLDER is needed');
    if (name !== undefined && name !== 'native' && name !== 'wasm') throw new Error(`no backend is called '${name}'`);
    return { folder, ...(name && { name }), ...(isa !== undefined && { isa }) };
  } catch (error) {
    throw new UsageError(
      `${(error as Error).message}; usage: npm run golden -- FOLDER [--backend native|wasm] [--isa LEVEL]`,
    );
  }
}

/** The cases of every golden-vector file of the folder. A file that cannot be read or understood stops the run. */
function casesOf(folder: string): Case[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
  const cases = files.flatMap((file) => {
    const path = join(folder, file);
    try {
      const own = readCases(readFileSync(path, 'utf8'));
      if (!own) console.log(`${path} holds no golden vectors`);
      return own ?? [];
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`);
    }
  });
  if (cases.length === 0) throw new Error(`${folder} has no golden vectors`);
  return cases;
}

interface Tally {
  readonly passed: number;
  readonly failed: number;
}
/** Runs the cases of one op and prints how it went; undefined if it is missing. */
async function tallyCases(op: string, cases: readonly Case[], backend: Backend): Promise<Tally | undefined> {
  const operation = operations[op];
  const title = op.padEnd(16);
  if (!operation) {
    console.log(`${title} missing, ${cases.length} cases`);
    return undefined;
  }
  const verdicts = [];
  for (const given of cases) {
    const result = await perform(operation, given.inputs, backend);
    verdicts.push({ name: given.name, ...judge(given, result) });
  }
  const bad = verdicts.filter(({ misses }) => misses.length > 0);
  const [passed, failed] = [cases.length - bad.length, bad.length];
  const { worst, name, key } = verdicts.reduce((a, b) => (b.worst > a.worst ? b : a));
  const ratio = `worst error/allowed ${worst.toPrecision(2)} (${name} ${key})`;
  console.log(`${title} ${passed} passed, ${failed} failed, ${ratio}`);
  for (const { name, misses } of bad) for (const miss of misses) console.log(`  FAILED ${name}: ${missText(miss)}`);
  return { passed, failed };
}
const missText = ({ key, got, expected, allowed }: Miss): string =>
  `${key} is ${got}, expected ${expected}${allowed === undefined ? '' : `, allowed error ${allowed}`}`;

/** Returns whether no case failed. */
async function main(args: string[]): Promise<boolean> {
  const { folder, ...choice } = readRequest(args);
  const cases = casesOf(folder);
  // only the default obeys SEQLIK_BACKEND and SEQLIK_ISA
  const backend = Object.keys(choice).length > 0 ? openBackend(choice) : defaultBackend();
  console.log(`${folder} on ${backend.name} ${backend.isa}`);
  const ops: Record<string, object> = {};
  const total = { passed: 0, failed: 0 };
  for (const op of new Set(cases.map((given) => given.op))) {
    const own = cases.filter((given) => given.op === op);
    const tally = await tallyCases(op, own, backend);
    ops[op] = tally ?? { missing: true };
    total.passed += tally?.passed ?? 0;
    total.failed += tally?.failed ?? 0;
  }
  console.log(JSON.stringify({ ...total, ops }));
  return total.failed === 0;
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  const message = (error as Error).message.replace(/\s+/g, ' '); // JSON.parse quotes lines of its input
  process.stderr.write(`golden: ${message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
