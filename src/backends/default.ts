/** Opens backends on the library's own binaries: native if it loads, else wasm. */
import type { Backend } from '../bind.ts';
import * as check from '../check.ts';
import { contract } from '../contract.ts';
import { rephrase, SeqlikError } from '../errors.ts';
import { isCut, platformPackage } from './binary.ts';
import { type Choice, openNative } from './native.ts';
import { openWasm } from './wasm.ts';

/** WebAssembly.Module, where the types of the caller's platform have it (the library dom), else any object. */
type WasmModule = typeof globalThis extends { WebAssembly: { Module: new (...given: never[]) => infer M } }
  ? M
  : object;

let shipped = (): WebAssembly.Module => {
  throw new SeqlikError(
    'BACKEND',
    "seqlik/external ships no module: compile 'seqlik/kernels.wasm' and pass it as module",
  );
};
/** Makes `module` the one that wasm runs where no other is given: index.ts ships one, external.ts none. */
export function shipModule(module: () => WasmModule): void {
  shipped = module as typeof shipped;
}

/** The choice of a backend; each option has a default. */
export interface BackendOptions {
  /** Default: native if its binary loads, else wasm, whose `why` says what was wrong. */
  readonly name?: 'native' | 'wasm';
  /** Forces a level, one of `Backend.levels`; one that is absent is refused. */
  readonly isa?: string;
  /** Take the widest level that rounds like wasm: the same bits on every machine, for a few percent of speed. */
  readonly reproducible?: boolean;
  /** Threads of a large synchronous call. Default: all cores; wasm has one. Results do not depend on it. */
  readonly threads?: number;
  /** A compiled module of 'seqlik/kernels.wasm', for runtimes that must bring their own. */
  readonly module?: WasmModule;
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
  const module = given.module as WebAssembly.Module | undefined;
  const wasm = (why?: string): Backend => openWasm(contract, module === undefined ? shipped : () => module, why);
  if (name === 'wasm') {
    if (isa !== undefined && isa !== 'simd128')
      throw new SeqlikError('BACKEND', `no level ${isa} here: wasm runs simd128`);
    return wasm();
  }
  const native = tryNative(choice);
  if (!(native instanceof SeqlikError)) return native;
  if (name === 'native' || isa !== undefined) throw native;
  return wasm(native.message);
}

let current: Backend | undefined;
/**
 * Makes `backend` the one of models that name none from now on, as where a module has to be compiled asynchronously.
 * Throws INVALID_ARGUMENT.
 * @example
 * setDefaultBackend(openBackend({ name: 'wasm' }));
 * defaultBackend().name; // 'wasm'
 */
export function setDefaultBackend(backend: Backend): void {
  current = check.backend('setDefaultBackend', backend ?? null, openBackend); // undefined is no backend either
}
/**
 * Returns the backend of models that name none, opened at its first use or set by `setDefaultBackend`. The environment
 * variables SEQLIK_BACKEND, SEQLIK_ISA and SEQLIK_THREADS override the choice. Throws BACKEND, and INVALID_ARGUMENT for a
 * variable.
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
 * The native backend, from what was built in the checkout or by `seqlik build`, else from the platform's package, or from
 * the file that SEQLIK_NATIVE names (as in a bundle, which has neither beside it); an error of code BACKEND that says why
 * there is none, whatever the reason: binaries can be absent, not allowed, damaged, or made for another system, libc or
 * version.
 */
function tryNative(choice: Choice): Backend | SeqlikError {
  const { process } = globalThis;
  // not an import: bundlers would follow it
  const createRequire = process?.getBuiltinModule?.('node:module')?.createRequire;
  if (!createRequire) return new SeqlikError('BACKEND', 'no native binary: this is not Node');
  const { SEQLIK_NATIVE: given } = process.env;
  const platform = platformPackage(process);
  const attempts: string[] = [];
  let last: unknown;
  for (const where of given ? [given] : ['../../build/native/Release/kernels.node', platform]) {
    try {
      // in a CommonJS bundle import.meta is empty: createRequire throws, unless the path is given
      const require = createRequire(import.meta.url ?? (given && `${process.cwd()}/`));
      if (isCut(require.resolve(where))) attempts.push(`${where} is cut short`);
      else return openNative(contract, require(where), where, choice);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'MODULE_NOT_FOUND') attempts.push(`${where} is not there`);
      else if (code === 'ERR_DLOPEN_DISABLED')
        return new SeqlikError(
          'BACKEND',
          'no native binary: addons are off (--no-addons, or --permission without --allow-addons)',
        );
      else if (error instanceof SeqlikError)
        return error; // loaded, but of another version or without this level
      else {
        attempts.push(`${where} does not load: ${message}`);
        last = error;
      }
    }
  }
  return new SeqlikError(
    'BACKEND',
    `no native binary (${attempts.join('; ')}): ${
      given
        ? 'SEQLIK_NATIVE names the file of the addon'
        : `install seqlik with its optional package ${platform}, or build it with 'npx seqlik build'`
    }`,
    last === undefined ? {} : { cause: last },
  );
}
