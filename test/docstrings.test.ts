/** The `@example`s of the public docstrings run and give what they say, on the default backend and on wasm. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { docstringsOf, matches, run } from './support/docstrings.ts';

const { examples, missing } = docstringsOf('src/index.ts');
const server = docstringsOf('src/server/index.ts');
test('every public class, function and method has an example', () => {
  expect(missing).toEqual([]);
  expect(server.missing).toEqual([]);
});

describe.each([
  ['the default backend', process.env['SEQLIK_BACKEND']],
  ['wasm', 'wasm'],
])('on %s', (_, backend) => {
  let exports: object;
  let ofServer: object;
  beforeAll(async () => {
    vi.stubEnv('SEQLIK_BACKEND', backend);
    vi.resetModules(); // the default backend is opened once for each copy of the library
    exports = await import('../src/index.ts');
    ofServer = { ...exports, serve: (await import('../src/server/index.ts')).serve };
  });
  afterAll(() => void vi.unstubAllEnvs());
  test.each(examples.map((example) => [example.name, example] as const))('%s', (_, example) => run(example, exports));
  test.each(server.examples.map((example) => [example.name, example] as const))('%s of the server', (_, example) =>
    run(example, ofServer),
  );
});

describe('an example', () => {
  const exports = { two: () => 2 };
  const fails = (...lines: string[]) => expect(run({ lines }, exports)).rejects;
  test('is JavaScript with the exports in scope', () => run({ lines: ['const a = await two();', 'a; // 2'] }, exports));
  test('fails if the value is another one', () => fails('two(); // 3').toThrow('two();\ngives 2\nnot   3'));
  test('fails if it throws', () => fails("throw new RangeError('broken');").toThrow('broken'));
  test('fails if it is not JavaScript', () => fails('two( // 2').toThrow(SyntaxError));
});
test.each([
  ['-2.531024246', '-2.531024246', true],
  ['-2.531024246', '-2.531...', true],
  ['-2.531024246', '-2.532...', false],
  ['-2.531024246', '-2.531', false],
  ['1.25e-7', '1.2...', true],
  ['Float64Array(2) [ 0.1, -0.25 ]', 'Float64Array(2) [ 0.1..., -0.2... ]', true],
  ['Float64Array(2) [ 0.1, -0.25 ]', 'Float64Array(2) [ 0.1..., -0.3... ]', false],
  ["{ a: '1.5' }", "{ a: '1x5' }", false],
])('%s against %s: %s', (got, expected, same) => expect(matches(got, expected)).toBe(same));

describe('the examples of a door', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seqlik-docstrings-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'index.ts'),
    `
abstract class Base {
  /** Inherited.
   * @example
   * new Sample().inherited(); // 1
   * @throws never */
  inherited() { return 1; }
}
/**
 * @example
 * const sample = new Sample();
 *
 * sample; // Sample {}
 */
export class Sample extends Base {
  /** @example new Sample().method(); // 2 */
  method() { return 2; }
  get getter() { return 3; }
  dispose() {}
  private hidden() {}
  /** @internal */
  inner() { return this.hidden(); }
}
export class Undocumented extends Base {
  inherited() { return 2; }
  method() {}
  static of() {}
}
export function alone() {}
export interface Shape { area(): number }
export type { Base };
`,
  );
  test('are found, those of inherited methods once; the missing ones are named', () =>
    expect(docstringsOf(join(folder, 'index.ts'))).toEqual({
      examples: [
        { name: 'Sample', lines: ['const sample = new Sample();', 'sample; // Sample {}'] },
        { name: 'Sample#method', lines: ['new Sample().method(); // 2'] },
        { name: 'Sample#inherited', lines: ['new Sample().inherited(); // 1'] },
      ],
      missing: ['alone', 'Undocumented', 'Undocumented.of', 'Undocumented#method'],
    }));
});
