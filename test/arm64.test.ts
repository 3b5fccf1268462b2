/** Equality to the bit on another processor: on arm64, baseline is wasm, and neon is the fused levels of x86. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Call, planner } from '../src/bind/plan.ts';
import type { Backend } from '../src/bind.ts';
import { KernelFailure } from '../src/errors.ts';
import { levels } from '../src/levels.ts';
import { armLevels, buildArm, missing, runArm } from './arm64/driver.ts';
import { kernelOf, native, wasm } from './support/backends.ts';
import { casesOf, copy, type Titled } from './support/cases.ts';
import { type Table, table } from './support/table.ts';

const cases = casesOf(table);
const how = { shardSize: 64, threads: 1 };
const nobody = { threads: 1, hold: () => 0, write() {}, release() {} };
/** Plans the call that an addon would receive, over arrays of its own. */
function plan([, entry, dtype, given]: Titled): Call {
  const { dims, args } = copy(given);
  return planner(entry, dtype, nobody)(dims, args, how);
}
/** Runs a case on a backend. Returns its arrays, and INFO recomputed from the place of the failure. */
function run(backend: Backend<Table>, [, entry, dtype, given]: Titled, { ints }: Call) {
  const { dims, args } = copy(given);
  const { spec } = entry;
  try {
    kernelOf(backend, entry, dtype)(dims, args, how);
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
    const index = spec.info!.reduce((i, dim) => i * ints[spec.dims.indexOf(dim)]! + error.at[dim]!, 0);
    return { args, info: 1 + index };
  }
  return { args, info: 0 };
}

const fused = native.find(({ isa }) => levels.some(({ name, fused }) => name === isa && fused));
test.runIf(process.env['CI'])('CI has the tools', () => expect(missing, 'apt-get install').toBe(''));
describe.skipIf(missing)(`arm64${missing && ` needs apt-get install ${missing}`}`, () => {
  beforeAll(buildArm);
  for (const level of armLevels) {
    const twin = level.fused ? fused : wasm;
    const is = twin ? `is ${twin.name} ${twin.isa}` : 'needs a fused native level to be compared with';
    describe.skipIf(!twin)(`${level.name} ${is}`, () => {
      const calls = cases.map(plan);
      let infos: number[];
      beforeAll(() => {
        infos = runArm(level.name, calls);
      });
      test.each(cases.map((titled, i) => [titled[0], i] as const))('%s', (_, i) => {
        const want = run(twin!, cases[i]!, calls[i]!);
        expect(infos[i], 'INFO').toBe(want.info);
        if (want.info !== 0) return; // a call that failed promises only the place
        for (const [a, name] of Object.keys(cases[i]![1].spec.args).entries())
          want.args[name]?.forEach((w, j) => {
            // any NaN equals any other
            const got = (calls[i]!.values[a] as Float64Array)[j]!;
            if (!Object.is(got, w)) expect.fail(`${name}[${j}]: ${got} is not ${w}`);
          });
      });
    });
  }
});
