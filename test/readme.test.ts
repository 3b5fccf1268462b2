/** The README's program runs as it stands. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test("the README's twelve lines run", () => {
  const program = /```js\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))![1]!;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^(true|false) -\d+\.\d+ \d+\.\d+\n$/);
});
