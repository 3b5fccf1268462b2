/** The groups of test/groups.ts are what they say. */
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { alone, byName } from './groups.ts';

/** A file and all files it imports, types included. */
function reached(file: string): string[] {
  const files = new Set([file]);
  for (const path of files)
    for (const { fileName } of ts.preProcessFile(readFileSync(path, 'utf8')).importedFiles)
      if (fileName.startsWith('.')) files.add(posix.join(posix.dirname(path), fileName));
  return [...files];
}
/** The files on the way of which a test would depend on SEQLIK_BACKEND: they read it, or start Node, which might. */
const dependent = (file: string): string[] =>
  reached(file).filter((path) => /SEQLIK_BACKEND|process\.execPath|fork\(|Worker\(/.test(readFileSync(path, 'utf8')));

test('all files are there, each in one group', () => {
  const files = [...byName, ...Object.keys(alone)];
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
  expect(new Set(files).size).toBe(files.length);
});
describe('SEQLIK_BACKEND changes nothing', () => {
  test.each(byName)('in %s', (file) => expect(dependent(file)).toEqual([]));
  test('and it is seen where it changes something', () => {
    expect(dependent('test/models/mixture.test.ts')).toContain('src/backends/default.ts');
    expect(dependent('test/cli/guide.test.ts')).toContain('test/cli/run.ts');
  });
});
