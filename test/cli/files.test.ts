/** Output is complete or not there: full disks, limits, links, modes, pipes, and readers that go away. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Folder, fitTable, seqlikProcess as seqlik } from './run.ts';

const folder = new Folder();
const model = folder.at('model');
const many = '100000000';
beforeAll(() => fitTable(folder));
const linux = process.platform === 'linux';

describe('no room', () => {
  const said = (out: string, reason: string): object => ({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^seqlik: cannot write ${out}: .*\\(${reason}\\)\\n$`)),
  });
  test.runIf(linux)('a limit on the size of files, at several places', async () => {
    for (const blocks of [0, 1, 7, 100]) {
      const path = folder.fresh();
      writeFileSync(join(path, 'out.csv'), 'as it was');
      const shell = `ulimit -f ${blocks}; exec "$@"`;
      const args = ['sample', model, '-n', '10000', '-o', 'out.csv'];
      expect(await seqlik(args, { cwd: path, shell })).toEqual(said('out.csv', 'EFBIG'));
      expect(readdirSync(path)).toEqual(['out.csv']);
      expect(readFileSync(join(path, 'out.csv'), 'utf8')).toBe('as it was');
    }
  });
  test('a full disk', async (context) => {
    const path = folder.fresh();
    const mounted = linux && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path]).status === 0;
    if (!mounted) return context.skip('mounting is not allowed here');
    try {
      for (const n of ['5000', '100000']) {
        const ended = await seqlik(['sample', model, '-n', n, '-o', 'out.csv'], { cwd: path });
        if (n === '5000') expect(ended.code).toBe(0);
        else expect(ended).toEqual(said('out.csv', 'ENOSPC'));
        expect(readdirSync(path)).toEqual(['out.csv']);
        expect(readFileSync(join(path, 'out.csv'), 'utf8').split('\n').length).toBe(5002);
      }
      const fit = ['fit', 'gaussian', folder.at('data.csv'), '--columns', 'x,y', '-o', 'm'];
      spawnSync('sh', ['-c', 'cat /dev/zero > fill'], { cwd: path });
      expect(await seqlik(fit, { cwd: path })).toEqual(said('m', 'ENOSPC'));
      expect(readdirSync(path).sort()).toEqual(['fill', 'out.csv']);
    } finally {
      spawnSync('umount', [path]);
    }
  });
  test.runIf(existsSync('/dev/full'))('devices', async () => {
    expect(await seqlik(['sample', model, '-n', '9', '-o', '/dev/full'])).toEqual(said('/dev/full', 'ENOSPC'));
    expect(await seqlik(['sample', model, '-n', '9'], { shell: '"$@" > /dev/full' })).toEqual(said('stdout', 'ENOSPC'));
    expect((await seqlik(['sample', model, '-n', '9', '-o', '/dev/null'])).code).toBe(0);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });
  test.runIf(process.getuid?.())('no permission', async () => {
    const path = folder.fresh();
    chmodSync(path, 0o500);
    expect(await seqlik(['sample', model, '-n', '9', '-o', 'out.csv'], { cwd: path })).toEqual(
      said('out.csv', 'EACCES'),
    );
  });
});

describe('the file', () => {
  test.runIf(linux)('has the mode that others have, or the one it had', async () => {
    const path = folder.fresh();
    const mode = (name: string): string => (statSync(join(path, name)).mode & 0o777).toString(8);
    for (const [umask, expected] of [
      ['022', '644'],
      ['077', '600'],
      ['002', '664'],
    ] as const) {
      await seqlik(['sample', model, '-n', '1', '-o', `u${umask}`], { cwd: path, shell: `umask ${umask}; exec "$@"` });
      expect(mode(`u${umask}`)).toBe(expected);
    }
    writeFileSync(join(path, 'own'), '');
    chmodSync(join(path, 'own'), 0o640);
    await seqlik(['sample', model, '-n', '1', '-o', 'own'], { cwd: path });
    expect(mode('own')).toBe('640');
  });
  test.runIf(linux)('is replaced behind a link, and its other names keep what they had', async () => {
    const path = folder.fresh();
    mkdirSync(join(path, 'real'));
    writeFileSync(join(path, 'real', 'out.csv'), 'as it was');
    linkSync(join(path, 'real', 'out.csv'), join(path, 'second'));
    symlinkSync('real/out.csv', join(path, 'link'));
    expect((await seqlik(['sample', model, '-n', '1', '-o', 'link'], { cwd: path })).code).toBe(0);
    expect(readlinkSync(join(path, 'link'))).toBe('real/out.csv');
    expect(readFileSync(join(path, 'real', 'out.csv'), 'utf8')).toMatch(/^x,y\n/);
    expect(readFileSync(join(path, 'second'), 'utf8')).toBe('as it was');
  });
  test.runIf(linux)('may be a pipe', async () => {
    const path = folder.fresh();
    const shell = 'mkfifo p; cat p > copy & "$@"; wait';
    expect((await seqlik(['sample', model, '-n', '3', '-o', 'p'], { cwd: path, shell })).code).toBe(0);
    expect(readFileSync(join(path, 'copy'), 'utf8').split('\n').length).toBe(5);
    expect(statSync(join(path, 'p')).isFIFO()).toBe(true);
  });
});

test('a reader that has enough ends it quietly', async () => {
  const { stdout, stderr } = await seqlik(['sample', model, '-n', many], {
    shell: '{ "$@"; echo "ended with $?" >&2; } | head -n 2',
  });
  expect(stdout.split('\n').length).toBe(3);
  expect(stderr).toBe('ended with 141\n');
});
