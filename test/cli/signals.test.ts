/** Signals and kill -9: a command ends at once, its output is complete or not there, and nothing else is left. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { least } from '../support/least.ts';
import { Folder, fitTable, seqlik, start, waitForEnd } from './run.ts';

const folder = new Folder();
const model = folder.at('model');
const many = '100000000';
beforeAll(() => fitTable(folder));
/** Waits until the process has written this much of out.csv. */
async function begun(path: string, { pid }: { readonly pid?: number | undefined }, bytes = 100_000): Promise<void> {
  const size = (): number => statSync(join(path, `.out.csv.${pid}.tmp`), { throwIfNoEntry: false })?.size ?? -1;
  while (size() < bytes) await wait(5);
}

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: exit %i, nothing is left', async (signal, code) => {
    const path = folder.fresh();
    writeFileSync(join(path, 'out.csv'), 'as it was');
    const child = start(['sample', model, '-n', many, '-o', join(path, 'out.csv')]);
    await begun(path, child);
    expect(readdirSync(path)).toEqual([`.out.csv.${child.pid}.tmp`, 'out.csv']);
    child.kill(signal);
    expect(await waitForEnd(child)).toEqual({ code, stdout: '', stderr: '' });
    expect(readdirSync(path)).toEqual(['out.csv']);
    expect(readFileSync(join(path, 'out.csv'), 'utf8')).toBe('as it was');
  });
  test('SIGINT while a reader of stdout is slow', async () => {
    const child = start(['sample', model, '-n', many]);
    await new Promise((done) => child.stdout!.once('readable', done)); // and nobody reads on
    await wait(200);
    child.kill('SIGINT');
    expect((await waitForEnd(child)).code).toBe(130);
  });
  test('SIGINT while stdin is slow', async () => {
    const path = folder.fresh();
    const child = start(['score', model, '-', '-o', join(path, 'out.csv')]);
    child.stdin!.write('x,y\n1,2\n');
    await begun(path, child, 0);
    child.kill('SIGINT');
    expect((await waitForEnd(child)).code).toBe(130);
    expect(readdirSync(path)).toEqual([]);
  });
  test.each(['native', 'wasm'])('SIGINT while fitting (%s)', async (backend) => {
    const path = folder.fresh();
    const data = join(path, 'data.csv');
    expect((await seqlik(['sample', model, '-n', '30000', '-o', data])).code).toBe(0);
    const endless = ['--components', '8', '--tolerance', '0', '--max-iterations', '100000'];
    const args = ['fit', 'gaussian-mixture', data, '-o', join(path, 'm'), ...endless];
    const interrupt = async (): Promise<number> => {
      const child = start([...args, ...(backend === 'wasm' ? ['--backend', 'wasm'] : [])]);
      while (readdirSync(path).length === 1) await wait(5);
      await wait(700);
      const sent = performance.now();
      child.kill('SIGINT');
      expect((await waitForEnd(child)).code).toBe(130);
      expect(readdirSync(path)).toEqual(['data.csv']);
      return performance.now() - sent;
    };
    expect(await least(2000, interrupt)).toBeLessThan(2000);
  });
  test.each(['native', 'wasm'])('SIGINT while a network learns (%s): its checkpoint stays', async (backend) => {
    const path = folder.fresh();
    const data = join(path, 'data.csv');
    expect((await seqlik(['sample', model, '-n', '4000', '-o', data])).code).toBe(0);
    const sizes = ['--hidden', '16', '--components', '2', '--max-iterations', '100000', '--patience', '100000'];
    const args = ['fit', 'mixture-density-network', data, '-o', join(path, 'm'), ...sizes, '--backend', backend];
    const checkpoint = join(path, 'ck');
    const interrupt = async (): Promise<number> => {
      rmSync(checkpoint, { force: true });
      const child = start([...args, '--checkpoint', checkpoint]);
      while (!existsSync(checkpoint)) await wait(5);
      const sent = performance.now();
      child.kill('SIGINT');
      expect((await waitForEnd(child)).code).toBe(130);
      expect(readdirSync(path).sort()).toEqual(['ck', 'data.csv']);
      return performance.now() - sent;
    };
    expect(await least(1000, interrupt)).toBeLessThan(1000); // 100 ms on an idle machine
    const { code, stderr } = await seqlik([...args, '--resume', checkpoint, '--max-iterations', '1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^\d+ epochs?/m) });
  });
});

describe('kill -9', () => {
  test('leaves the temporary file only, which the next run removes', async () => {
    const path = folder.fresh();
    const out = join(path, 'out.csv');
    const args = ['sample', model, '-n', many, '-o', out];
    for (let round = 0; round < 5; round++) {
      const child = start(args);
      await begun(path, child, 1 + round * 300_000);
      child.kill('SIGKILL');
      expect((await waitForEnd(child)).code).toBe(137);
      expect(readdirSync(path)).toEqual([`.out.csv.${child.pid}.tmp`]); // that of the round before is gone
    }
    expect((await seqlik(['sample', model, '-n', '3', '-o', out])).code).toBe(0);
    expect(readdirSync(path)).toEqual(['out.csv']);
    expect(readFileSync(out, 'utf8').split('\n').length).toBe(5);
  });
  test('files of other processes stay', async () => {
    const path = folder.fresh();
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
    expect((await waitForEnd(other)).code).toBe(130);
  });
});
