/** The README's programs run as they stand. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const programs = [...readFileSync('README.md', 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, program]) => program!,
);
const printed = [/^(true|false) -\d+\.\d+ \d+\.\d+\n$/, /^5 -?\d+\.\d+ 20\n$/];

test('there are as many programs as are checked', () => expect(programs.length).toBe(printed.length));
test.each(printed.map((output, i) => [i, output] as const))('program %i runs', (i, output) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', programs[i]!], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(output);
});
