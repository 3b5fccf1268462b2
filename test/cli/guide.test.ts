/** docs/cli.md: every example prints the output shown there, and every option is described. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { expect, test } from 'vitest';
import { kinds } from '../../src/cli/kinds.ts';
import { Folder, program } from './run.ts';

const folder = new Folder();
const guide = readFileSync('docs/cli.md', 'utf8');
const [, console] = /```console\n([\s\S]*?)```/.exec(guide)!;
const steps = console!
  .split(/^\$ /m)
  .slice(1)
  .map((step) => {
    const [command, ...output] = step.split('\n');
    return { command: command!, output: output.join('\n') };
  });
/** Leaves out the duration and place of a fit, which differ, and the last digits, which may. */
const alike = (text: string): string =>
  text.replace(/\d+\.\d\d s on \S+ \S+,/, '').replace(/-?\d+\.\d{8,}/g, (digits) => Number(digits).toPrecision(8));

test.runIf(process.platform !== 'win32')('the examples', () => {
  folder.write('seqlik', `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(folder.at('seqlik'), 0o755);
  const env = { PATH: `${folder.path}${delimiter}${process.env['PATH']}`, SEQLIK_BACKEND: 'wasm' };
  for (const { command, output } of steps) {
    const [, file] = /^cat (\S+)$/.exec(command) ?? [];
    if (file !== undefined) folder.write(file, output);
    const { stdout } = spawnSync('sh', ['-c', `{ ${command}\n} 2>&1`], { cwd: folder.path, env, encoding: 'utf8' });
    expect(alike(stdout), command).toBe(alike(output));
  }
  expect(steps.length).toBeGreaterThanOrEqual(13);
});
test('the guide describes every option of the commands', () => {
  for (const command of ['fit', 'score', 'inspect', 'sample', 'impute', 'forecast', 'serve']) {
    const { stdout } = spawnSync(process.execPath, [program, command, '--help'], { encoding: 'utf8' });
    for (const [, option] of stdout.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)) {
      if (option === '--help' || option === '--output' || option === '--count') continue;
      expect(guide, `${command} ${option}`).toContain(option!);
    }
  }
});
test('every kind has an example in the guide, and a description of its files', () => {
  const format = readFileSync('docs/format.md', 'utf8');
  const names = Object.keys(kinds);
  expect(names.filter((kind) => !steps.some(({ command }) => command.startsWith(`seqlik fit ${kind} `)))).toEqual([]);
  expect(names.filter((kind) => !format.includes(`\n### ${kind}\n`))).toEqual([]);
});
