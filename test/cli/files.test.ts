/** Output is complete or not there: signals, kill -9, full disks, readers that go away. */
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
import { ended, Folder, seqlik, start, table } from './run.ts';

const folder = new Folder();
const model = folder.at('model');
const many = '100000000';
beforeAll(async () => {
  folder.write('data.csv', table);
  const fit = ['fit', 'gaussian-mixture', folder.at('data.csv'), '--columns', 'x,y', '--components', '2', '-o', model];
  expect((await seqlik(fit)).code).toBe(0);
});
let count = 0;
const fresh = (): string => folder.inner(`${count++}`);
/** Waits until the process has written so much of out.csv. */
async function begun(path: string, { pid }: { readonly pid?: number | undefined }, bytes = 100_000): Promise<void> {
  const size = (): number => statSync(join(path, `.out.csv.${pid}.tmp`), { throwIfNoEntry: false })?.size ?? -1;
  while (size() < bytes) await new Promise((done) => setTimeout(done, 5));
}
const linux = process.platform === 'linux';

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: exit %i, nothing is left', async (signal, code) => {
    const path = fresh();
    writeFileSync(join(path, 'out.csv'), 'as it was');
    const child = start(['sample', model, '-n', many, '-o', join(path, 'out.csv')]);
    await begun(path, child);
    expect(readdirSync(path)).toEqual([`.out.csv.${child.pid}.tmp`, 'out.csv']);
    child.kill(signal);
    expect(await ended(child)).toEqual({ code, stdout: '', stderr: '' });
    expect(readdirSync(path)).toEqual(['out.csv']);
    expect(readFileSync(join(path, 'out.csv'), 'utf8')).toBe('as it was');
  });
  test('SIGINT while a reader of stdout is slow', async () => {
    const child = start(['sample', model, '-n', many]);
    await new Promise((done) => child.stdout!.once('readable', done)); // and nobody reads on
    await new Promise((done) => setTimeout(done, 200));
    child.kill('SIGINT');
    expect((await ended(child)).code).toBe(130);
  });
  test('SIGINT while stdin is slow', async () => {
    const path = fresh();
    const child = start(['score', model, '-', '-o', join(path, 'out.csv')]);
    child.stdin!.write('x,y\n1,2\n');
    await begun(path, child, 0);
    child.kill('SIGINT');
    expect((await ended(child)).code).toBe(130);
    expect(readdirSync(path)).toEqual([]);
  });
  test.each(['native', 'wasm'])('SIGINT while fitting (%s)', async (backend) => {
    const path = fresh();
    const data = join(path, 'data.csv');
    expect((await seqlik(['sample', model, '-n', '30000', '-o', data])).code).toBe(0);
    const more = [
      '--components',
      '8',
      '--tolerance',
      '0',
      '--max-iterations',
      '100000',
      ...(backend === 'wasm' ? ['--backend', 'wasm'] : []),
    ];
    const child = start(['fit', 'gaussian-mixture', data, '-o', join(path, 'm'), ...more]);
    while (readdirSync(path).length === 1) await new Promise((done) => setTimeout(done, 5));
    await new Promise((done) => setTimeout(done, 700));
    const sent = performance.now();
    child.kill('SIGINT');
    expect((await ended(child)).code).toBe(130);
    expect(performance.now() - sent).toBeLessThan(2000);
    expect(readdirSync(path)).toEqual(['data.csv']);
  });
  test.each(['native', 'wasm'])('SIGINT while a network learns (%s): its checkpoint stays', async (backend) => {
    const path = fresh();
    const data = join(path, 'data.csv');
    expect((await seqlik(['sample', model, '-n', '4000', '-o', data])).code).toBe(0);
    const sizes = ['--hidden', '16', '--components', '2', '--max-iterations', '100000', '--patience', '100000'];
    const args = ['fit', 'mixture-density-network', data, '-o', join(path, 'm'), ...sizes, '--backend', backend];
    const checkpoint = join(path, 'ck');
    const child = start([...args, '--checkpoint', checkpoint]);
    while (!existsSync(checkpoint)) await new Promise((done) => setTimeout(done, 5));
    const sent = performance.now();
    child.kill('SIGINT');
    expect((await ended(child)).code).toBe(130);
    expect(performance.now() - sent).toBeLessThan(1000); // 100 ms, on a machine that has nothing else to do
    expect(readdirSync(path).sort()).toEqual(['ck', 'data.csv']);
    const { code, stderr } = await seqlik([...args, '--resume', checkpoint, '--max-iterations', '1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^\d+ epochs/m) });
  });
});

describe('kill -9', () => {
  test('leaves the temporary file only, which the next run removes', async () => {
    const path = fresh();
    const out = join(path, 'out.csv');
    const args = ['sample', model, '-n', many, '-o', out];
    for (let round = 0; round < 5; round++) {
      const child = start(args);
      await begun(path, child, 1 + round * 300_000);
      child.kill('SIGKILL');
      expect((await ended(child)).code).toBe(137);
      expect(readdirSync(path)).toEqual([`.out.csv.${child.pid}.tmp`]); // that of the round before is gone
    }
    expect((await seqlik(['sample', model, '-n', '3', '-o', out])).code).toBe(0);
    expect(readdirSync(path)).toEqual(['out.csv']);
    expect(readFileSync(out, 'utf8').split('\n').length).toBe(5);
  });
  test('what belongs to others stays', async () => {
    const path = fresh();
    const other = start(['sample', model, '-n', many, '-o', join(path, 'out.csv')]);
    await begun(path, other);
    const names = [
      '.other.csv.999999999.tmp',
      '.out.csv.x.tmp',
      '.out.csv..tmp',
      'out.csv.999999999.tmp',
      '.out.csv.1.tmp',
    ];
    for (const name of [...names, '.out.csv.999999999.tmp']) writeFileSync(join(path, name), '');
    expect((await seqlik(['sample', model, '-n', '3', '-o', join(path, 'out.csv')])).code).toBe(0);
    expect(readdirSync(path).sort()).toEqual([...names, `.out.csv.${other.pid}.tmp`, 'out.csv'].sort());
    other.kill('SIGINT');
    expect((await ended(other)).code).toBe(130);
  });
});

describe('no room', () => {
  const said = (out: string, reason: string): object => ({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^seqlik: cannot write ${out}: .*\\(${reason}\\)\\n$`)),
  });
  test.runIf(linux)('a limit on the size of files, at several places', async () => {
    for (const blocks of [0, 1, 7, 100]) {
      const path = fresh();
      writeFileSync(join(path, 'out.csv'), 'as it was');
      const shell = `ulimit -f ${blocks}; exec "$@"`;
      const args = ['sample', model, '-n', '10000', '-o', 'out.csv'];
      expect(await seqlik(args, { cwd: path, shell })).toEqual(said('out.csv', 'EFBIG'));
      expect(readdirSync(path)).toEqual(['out.csv']);
      expect(readFileSync(join(path, 'out.csv'), 'utf8')).toBe('as it was');
    }
  });
  test('a full disk', async (context) => {
    const path = fresh();
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
    const path = fresh();
    chmodSync(path, 0o500);
    expect(await seqlik(['sample', model, '-n', '9', '-o', 'out.csv'], { cwd: path })).toEqual(
      said('out.csv', 'EACCES'),
    );
  });
});

describe('the file', () => {
  test.runIf(linux)('has the mode that others have, or the one it had', async () => {
    const path = fresh();
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
    const path = fresh();
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
    const path = fresh();
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
