/** Builds the kernels for arm64 and runs calls on them under qemu. Twin: driver.cc */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Call } from '../../src/bind/plan.ts';
import { axes, roles, type Values } from '../../src/grammar.ts';
import { identifier, levels } from '../../src/levels.ts';
import { asBytes } from '../../src/memory.ts';

export const armLevels = levels.filter(({ arch }) => arch === 'arm64' || arch === 'any');
export const armObjects = 'build/arm64/seqlik/CMakeFiles';
const tools = { cmake: 'cmake', 'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu', 'qemu-aarch64': 'qemu-user' };
/** The Debian packages that are missing on this machine. */
export const missing = Object.entries(tools)
  .filter(([tool]) => spawnSync(tool, ['--version']).status !== 0)
  .map(([, name]) => name)
  .join(' ');

/** Builds what is stale: 10 s from nothing, 0.2 s if all is up to date. */
export function buildArm(): void {
  const cmake = (...args: string[]): void => {
    const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`cmake ${args.join(' ')} failed\n${stdout}${stderr}`);
  };
  cmake('-S', 'test/arm64', '-B', 'build/arm64');
  cmake('--build', 'build/arm64', '--parallel', '2');
}

/** Runs calls one after the other in one process; fills the arrays they write and returns their INFO. */
export function runArm(level: string, calls: readonly Call[]): number[] {
  const [given, got] = [`build/arm64/${level}.calls`, `build/arm64/${level}.results`];
  writeFileSync(given, Buffer.concat(calls.flatMap((call) => pack(level, call))));
  execFileSync('qemu-aarch64', ['build/arm64/driver', given, got]);
  const results = readFileSync(got);
  let at = 0;
  const infos = calls.map(({ signature, values }) => {
    const info = results.readDoubleLE(at);
    at += 8;
    for (const [i, { role }] of signature.params.entries())
      if (role !== 'in' && role !== 'tmp') {
        const bytes = asBytes(values[i] as Values);
        at += results.copy(bytes, 0, at, at + bytes.length);
      }
    return info;
  });
  if (at !== results.length) throw new Error(`${got} has ${results.length} bytes, not ${at}`);
  return infos;
}

/** Packs a call for driver.cc. */
function pack(level: string, { signature, ints, infoStep, cuts, values, steps, bytes }: Call): Uint8Array[] {
  const { kernel, params, places } = signature;
  const arrays = values.map((value) => (value === null ? new Uint8Array() : asBytes(value as Values)));
  const words = [
    identifier(level),
    kernel,
    ints.length,
    ...ints,
    ...places,
    infoStep,
    cuts.length,
    ...cuts.flatMap((cut) => [cut.shard, cut.row, cut.rows, cut.item, cut.items, cut.longest]),
    params.length,
    ...params.flatMap(({ role, axis }, i) => [
      roles.indexOf(role),
      axes.indexOf(axis),
      steps[i]!,
      bytes[i]!,
      arrays[i]!.length,
    ]),
  ];
  return [Buffer.from(`${words.join(' ')}\n`), ...arrays];
}
