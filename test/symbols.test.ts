/**
 * The symbols that the objects of a level need and define. They need no libm, whose bits differ between machines. They
 * define nothing mergeable except under the name of the level: a linker keeps one of several copies, and an older CPU
 * might meet the one compiled for AVX-512.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { identifier, levels } from '../src/levels.ts';
import { armLevels, armObjects, buildArm, missing } from './arm64/driver.ts';

const nativeObjects = 'build/native/CMakeFiles';
const builtLevels = levels.filter(({ name }) => existsSync(`${nativeObjects}/${identifier(name)}.dir`));
const libc = /^(mem(cpy|move|set)|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$/;

/** Lists the symbols in the objects of a level: its kernels, its list, and those of the test build. */
function symbolsOf(folder: string, level: string): { name: string; type: string }[] {
  const objects = ['', '_list', '_probe']
    .map((part) => `${folder}/${level}${part}.dir`)
    .filter(existsSync)
    .flatMap((path) => readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => `${path}/${name}`))
    .filter((path) => path.endsWith('.o'));
  expect(objects.length, 'objects').toBeGreaterThan(0);
  const lines = execFileSync('nm', ['-A', '-P', ...objects], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return lines
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string, string])
    .map(([, name, type]) => ({ name, type }));
}
function check(folder: string, name: string): void {
  const level = identifier(name);
  const own = `_ZN${level.length}${level}`;
  const foreign = symbolsOf(folder, level).filter((symbol) => !symbol.name.startsWith(own));
  const named = (found: typeof foreign): string[] => found.map((symbol) => symbol.name);
  expect({
    wanted: named(foreign.filter((symbol) => symbol.type === 'U' && !libc.test(symbol.name))),
    mergeable: named(foreign.filter((symbol) => 'WwVvu'.includes(symbol.type))),
  }).toEqual({ wanted: [], mergeable: [] });
}

const readable = process.platform === 'linux' && spawnSync('nm', ['--version']).status === 0;
describe.runIf(readable)('the objects of a level need only each other and memcpy', () => {
  test.each(builtLevels.map(({ name }) => name))('%s', (name) => check(nativeObjects, name));
  describe.skipIf(missing)(`arm64${missing && ` needs apt-get install ${missing}`}`, () => {
    beforeAll(buildArm);
    test.each(armLevels.map(({ name }) => name))('%s', (name) => check(armObjects, name));
  });
});
