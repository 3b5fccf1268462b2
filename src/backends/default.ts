/** Opens backends on the library's own binaries: native if it loads, else wasm. */
import { wasmModule } from '#wasm';
import type { Backend } from '../bind.ts';
import * as check from '../check.ts';
import { contract } from '../contract.ts';
import { rephrase, SeqlikError } from '../errors.ts';
import { type Choice, openNative } from './native.ts';
import { openWasm } from './wasm.ts';

/** The choice of a backend; each option has a default. */
export interface BackendOptions {
  /** Default: native if its binary is present, else wasm. */
  readonly name?: 'native' | 'wasm';
  /** Forces a level, one of `Backend.levels`; one that is absent is refused. */
  readonly isa?: string;
  /** Take the widest level that rounds like wasm: the same bits on every machine, for a few percent of speed. */
  readonly reproducible?: boolean;
  /** Threads of a large synchronous call. Default: all cores; wasm has one. Results do not depend on it. */
  readonly threads?: number;
  /** A compiled module of 'seqlik/kernels.wasm', for runtimes that must bring their own. */
  readonly module?: WebAssembly.Module;
}

/**
 * Opens a backend. Kernels are made ready at their first use, so that opening takes a few milliseconds. Throws BACKEND,
 * with what was tried and which command helps, and INVALID_ARGUMENT.
 * @example
 * openBackend({ name: 'wasm' }).isa; // 'simd128'
 */
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
  const addon = name === 'wasm' ? undefined : loadAddon(name === 'native' || isa !== undefined);
  if (addon) return openNative(contract, addon.exports, addon.where, choice);
  if (isa !== undefined && isa !== 'simd128')
    throw new SeqlikError('BACKEND', `no level ${isa} here: wasm runs simd128`);
  return openWasm(contract, given.module === undefined ? wasmModule() : (given.module as WebAssembly.Module));
}

let current: Backend | undefined;
/**
 * Returns the backend of models that name none, opened at its first use. The environment variables SEQLIK_BACKEND,
 * SEQLIK_ISA and SEQLIK_THREADS override the choice. Throws BACKEND, and INVALID_ARGUMENT for a variable.
 * @example
 * defaultBackend() === new Gaussian({ mean: [0], variances: [1] }).backend; // true
 */
export function defaultBackend(): Backend {
  if (!current?.usable) {
    const { SEQLIK_BACKEND: name, SEQLIK_ISA: isa, SEQLIK_THREADS: threads } = globalThis.process?.env ?? {};
    try {
      current = openBackend({
        ...(name && { name: name as 'native' }),
        ...(isa && { isa }),
        ...(threads && { threads: Number(threads) }),
      });
    } catch (error) {
      throw toVariableError(error);
    }
  }
  return current;
}

/** An error about an option of openBackend, said of the environment variable that gave it. */
function toVariableError(error: unknown): unknown {
  if (!(error instanceof SeqlikError) || error.argument === undefined) return error;
  const variable = { name: 'SEQLIK_BACKEND', isa: 'SEQLIK_ISA', threads: 'SEQLIK_THREADS' }[error.argument];
  return variable ? rephrase(error, `${variable} ${error.reason}`, { argument: variable }) : error;
}

/**
 * Loads the addon from the checkout or the platform's package. If it is absent or addons are not allowed: throws
 * BACKEND if it is `required`, else returns undefined.
 */
function loadAddon(required: boolean): { exports: unknown; where: string } | undefined {
  const { process } = globalThis;
  const attempts: string[] = [];
  // not an import: bundlers would follow it
  const createRequire = process?.getBuiltinModule?.('node:module')?.createRequire;
  if (createRequire) {
    const require = createRequire(import.meta.url);
    for (const where of ['../../build/native/Release/kernels.node', `@seqlik/${process.platform}-${process.arch}`]) {
      try {
        return { exports: require(where), where };
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException;
        if (code === 'MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_DISABLED') attempts.push(`${where}: ${code}`);
        else
          throw new SeqlikError('BACKEND', `${where} does not load: ${message}; run 'npm run build:native'`, { cause });
      }
    }
  }
  if (!required) return undefined;
  throw new SeqlikError(
    'BACKEND',
    `no native binary (${attempts.join('; ') || 'not in Node'}): run 'npm run build:native'`,
  );
}
