/** Opens backends on the library's own binaries: native if it loads, else wasm. */
import { wasmModule } from '#wasm';
import type { Backend } from '../bind.ts';
import * as check from '../check.ts';
import { contract } from '../contract.ts';
import { SeqlikError } from '../errors.ts';
import { type Choice, openNative } from './native.ts';
import { openWasm } from './wasm.ts';

export interface BackendOptions {
  /** Default: native if its binary is there and loads, else wasm. */
  readonly name?: 'native' | 'wasm';
  /** Force a level, see `Backend.levels`; one that is absent is refused. */
  readonly isa?: string;
  /** The widest level that rounds like wasm: the same bits on every machine, at a few percent of speed. */
  readonly reproducible?: boolean;
  /** Threads of a large synchronous call; default: all cores. Results do not depend on it. wasm has one. */
  readonly threads?: number;
  /** A compiled module of 'seqlik/kernels.wasm', for runtimes that must bring their own. */
  readonly module?: WebAssembly.Module;
}

/** Throws SeqlikError BACKEND (with what was tried and what to run) or INVALID_ARGUMENT. */
export function openBackend(options: BackendOptions = {}): Backend {
  const where = 'openBackend';
  const given = check.options(where, options, ['name', 'isa', 'reproducible', 'threads', 'module']);
  const isa = given.isa === undefined ? undefined : check.text(where, 'isa', given.isa);
  const threads = given.threads === undefined ? undefined : check.count(where, 'threads', given.threads, 1, 1024);
  const reproducible = given.reproducible !== undefined && check.flag(where, 'reproducible', given.reproducible);
  const named = given.name === undefined ? undefined : check.choice(where, 'name', given.name, ['native', 'wasm']);
  const name = named ?? (given.module !== undefined || isa === 'simd128' ? 'wasm' : undefined);
  const choice: Choice = {
    ...(isa !== undefined && { isa }),
    ...(reproducible && { reproducible }),
    ...(threads !== undefined && { threads }),
  };
  const addon = name === 'wasm' ? undefined : load(name === 'native' || isa !== undefined);
  if (addon) return openNative(contract, addon.exports, addon.where, choice);
  if (isa !== undefined && isa !== 'simd128')
    throw new SeqlikError('BACKEND', `no level ${isa} here: wasm runs simd128`);
  return openWasm(contract, given.module === undefined ? wasmModule() : (given.module as WebAssembly.Module));
}

let current: Backend | undefined;
/**
 * The backend of models that name none, opened on first use. The environment variables SEQLIK_BACKEND, SEQLIK_ISA and
 * SEQLIK_THREADS override the choice. Throws BACKEND.
 */
export function defaultBackend(): Backend {
  if (!current?.usable) {
    const { SEQLIK_BACKEND: name, SEQLIK_ISA: isa, SEQLIK_THREADS: threads } = globalThis.process?.env ?? {};
    current = openBackend({
      ...(name && { name: name as 'native' }),
      ...(isa && { isa }),
      ...(threads && { threads: Number(threads) }),
    });
  }
  return current;
}

/** The addon, from the checkout or the platform's package. Not there, or addons not allowed: undefined, or BACKEND. */
function load(required: boolean): { exports: unknown; where: string } | undefined {
  const { process } = globalThis;
  const tried: string[] = [];
  const createRequire = process?.getBuiltinModule?.('node:module')?.createRequire; // no import for a bundler to follow
  if (createRequire) {
    const require = createRequire(import.meta.url);
    for (const where of ['../../build/native/Release/kernels.node', `@seqlik/${process.platform}-${process.arch}`]) {
      try {
        return { exports: require(where), where };
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException;
        if (code === 'MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_DISABLED') tried.push(`${where}: ${code}`);
        else
          throw new SeqlikError('BACKEND', `${where} does not load: ${message}; run 'npm run build:native'`, { cause });
      }
    }
  }
  if (!required) return undefined;
  throw new SeqlikError(
    'BACKEND',
    `no native binary (${tried.join('; ') || 'not in Node'}): run 'npm run build:native'`,
  );
}
