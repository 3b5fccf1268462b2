/** The documents: every program prints the output below it, every link and every file name leads somewhere. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';

const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join('docs', name.replaceAll('\\', '/'))),
];
const textOf = (document: string): string => readFileSync(document, 'utf8');

// ---- programs: a block of js, then a block of what it prints ----
const programs = documents.flatMap((document) =>
  [...textOf(document).matchAll(/^```js\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm)].map(
    ([, program, output], i) => ({ title: `${document}, program ${i + 1}`, program: program!, output }),
  ),
);
/** The last digits differ from level to level. */
const rounded = (text: string): string =>
  text.replace(/-?\d+\.\d{8,}/g, (digits) => Number(digits).toPrecision(8)).replace(/ +/g, ' ');

test('every program says what it prints', () => {
  expect(programs.filter(({ output }) => output === undefined).map(({ title }) => title)).toEqual([]);
  expect(programs.length).toBeGreaterThanOrEqual(5);
});
test.each(programs)('$title', ({ program, output }) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(rounded(stdout)).toBe(rounded(output!));
});

// ---- links ----
const outsideOfCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
/** The anchors of a document as GitHub makes them from its headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)) {
    const words = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = words;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${words}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}
/** The relative links of a document that lead nowhere. */
function brokenIn(document: string, text: string): string[] {
  const links = [...outsideOfCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path, anchor] = link.split('#') as [string, string?];
      const target = path === '' ? document : posix.join(posix.dirname(document), path);
      if (path !== '' && !existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(target === document ? text : textOf(target)).has(anchor);
    })
    .map((link) => `${document} links to ${link}`);
}
describe('links', () => {
  test.each(documents)('%s', (document) => expect(brokenIn(document, textOf(document))).toEqual([]));
  test('a broken one is found', () => {
    const text = '# A heading\n[a](#a-heading) [b](docs/math.md#errors) [c](#none) [d](docs/none.md) [e](LICENSE#a)\n';
    expect(brokenIn('README.md', text)).toEqual([
      'README.md links to #none',
      'README.md links to docs/none.md',
      'README.md links to LICENSE#a',
    ]);
  });
  test('every guide is reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const document of reached)
      for (const [, link] of outsideOfCode(textOf(document)).matchAll(/\]\(([^)#\s:]+\.md)/g))
        reached.add(posix.join(posix.dirname(document), link!));
    expect(documents.filter((document) => !reached.has(document))).toEqual([]);
  });
});

// ---- files that the text names ----
/** The files and folders named in a text that are not there. Recipes name files to be made. */
function absentIn(text: string): string[] {
  const standing = text.replace(/^## Recipe[\s\S]*?(?=^## (?!Recipe)|$(?![\s\S]))/gm, '');
  const names = [...standing.matchAll(/`((?:src|native|assembly|test|bench|examples|scripts|docs)\/[\w./-]*)`/g)];
  return names.map(([, name]) => name!).filter((name) => !existsSync(name));
}
describe('files', () => {
  test.each(documents)('%s', (document) => expect(absentIn(textOf(document))).toEqual([]));
  test('an absent one is found', () => {
    const text =
      '`src/index.ts` `src/none.ts` `src/training/`\n\n## Recipe: a\n`src/made.ts`\n\n## Other\n`native/none.cc`\n';
    expect(absentIn(text)).toEqual(['src/none.ts', 'native/none.cc']);
  });
});
