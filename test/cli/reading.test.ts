/** The readers, however the bytes are cut and whatever they hold; csv-parse and JSON.parse are the oracles. */

import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeqlikError } from '../../src/errors.ts';
import type { Wanted } from '../../src/table/blocks.ts';
import type { Dialect, Format } from '../../src/table/format.ts';
import { members } from '../../src/table/ndjson.ts';
import { decimal, numberOf } from '../../src/table/numbers.ts';
import { blocksOf } from '../../src/table/read.ts';
import { LONGEST, Source } from '../../src/table/source.ts';

/** SEQLIK_MUTANTS=1000000 for a long run. */
const mutants = Number(process.env['SEQLIK_MUTANTS'] ?? 3000);
fc.configureGlobal({ seed: Number(process.env['SEQLIK_SEED'] ?? 1) });

interface Reading {
  rows: { line: number; x: number[]; kept: (string | undefined)[] }[];
  gaps: number;
  error?: string;
}
async function read(
  written: Format | Dialect,
  pieces: readonly Buffer[],
  wanted: Partial<Wanted> = {},
): Promise<Reading> {
  const dialect = typeof written === 'string' ? { format: written } : written;
  const stream = (async function* () {
    yield* pieces;
  })();
  const { keep = [] } = wanted;
  const result: Reading = { rows: [], gaps: 0 };
  try {
    for await (const block of blocksOf(new Source('F', stream), dialect, { keep, ...wanted })) {
      const d = block.columns.length;
      result.gaps += block.gaps;
      for (let i = 0; i < block.n; i++)
        result.rows.push({
          line: block.lines[i]!,
          x: [...block.x.subarray(i * d, (i + 1) * d)],
          kept: block.kept.slice(i * keep.length, (i + 1) * keep.length),
        });
    }
  } catch (error) {
    result.error = (error as Error).message;
    if ((error as Error).name !== 'SeqlikError') throw error;
  }
  return result;
}
const cut = (bytes: Buffer, ...places: number[]): Buffer[] =>
  [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
const inPieces = (bytes: Buffer, size: number): Buffer[] =>
  cut(bytes, ...Array.from({ length: Math.max(0, Math.ceil(bytes.length / size) - 1) }, (_, i) => (i + 1) * size));

const sample = [
  '\ufeff"id",a,"b, in ""units""",näme,c\r\n',
  'one,1,2.5,"x, y",-3\r\n',
  '"two\r\nlines, ""quoted""",4,,ü,5e-1\n',
  '\n',
  ',-0.5,+7,"",.25\r\n',
  '"",1e3,"8",\u{1f600},  9\t\n',
  'last,0.1234567890123456789,123456789012345678,"\n\n",12.',
].join('');
const wanted = { columns: ['c', 'a', 'b, in "units"'], keep: ['näme', 'id'] };
const expected: Reading = {
  rows: [
    { line: 2, x: [-3, 1, 2.5], kept: ['x, y', 'one'] },
    { line: 3, x: [0.5, 4, Number.NaN], kept: ['ü', 'two\r\nlines, "quoted"'] },
    { line: 6, x: [0.25, -0.5, 7], kept: ['', ''] },
    { line: 7, x: [9, 1000, 8], kept: ['\u{1f600}', ''] },
    { line: 8, x: [12, Number('0.1234567890123456789'), Number('123456789012345678')], kept: ['\n\n', 'last'] },
  ],
  gaps: 1,
};
const lines = [
  '\ufeff{"a":1,"s":"x\\"{,","é":{"k":[1,{"a":2}]},"b":-2.50}\r\n',
  '{"b":null,"a":1e2,"s":"\u{1f600}"}\n \n',
  '{"s":12345678901234567890,"b":0.1}',
].join('');
const wantedOfLines = { columns: ['b', 'a'], keep: ['s', 'é'] };
const expectedOfLines: Reading = {
  rows: [
    { line: 1, x: [-2.5, 1], kept: ['"x\\"{,"', '{"k":[1,{"a":2}]}'] },
    { line: 2, x: [Number.NaN, 100], kept: ['"\u{1f600}"', undefined] },
    { line: 4, x: [0.1, Number.NaN], kept: ['12345678901234567890', undefined] },
  ],
  gaps: 2,
};

describe.each([
  ['csv', sample, wanted, expected],
  ['ndjson', lines, wantedOfLines, expectedOfLines],
] as const)('%s', (format, text, columns, result) => {
  const bytes = Buffer.from(text);
  test('in one piece', async () => expect(await read(format, [bytes], columns)).toEqual(result));
  test('cut in two, anywhere', async () => {
    for (let at = 0; at <= bytes.length; at++)
      expect(await read(format, cut(bytes, at), columns), `${at}`).toEqual(result);
  });
  test('cut in three, anywhere', async () => {
    for (let at = 0; at < bytes.length; at += 3)
      for (let to = at; to < bytes.length; to += 2) {
        const { rows } = await read(format, cut(bytes, at, to), columns);
        if (JSON.stringify(rows) !== JSON.stringify(result.rows)) expect(rows, `${at} ${to}`).toEqual(result.rows);
      }
  });
  test.each([1, 2, 3, 7, 64])('in pieces of %i bytes', async (size) => {
    expect(await read(format, inPieces(bytes, size), columns)).toEqual(result);
  });
  test('the rows before an error come first, the same however the bytes are cut', async () => {
    const bad = format === 'csv' ? '\nx,1,2,y,z3\nx,1\n' : '\n{"a":"z3"}\n[]\n';
    const whole = await read(format, [Buffer.concat([bytes, Buffer.from(bad)])], columns);
    expect(whole.rows).toEqual(result.rows);
    expect(whole.error).toMatch(
      format === 'csv' ? /^F: line 11, column 5 \(c\): "z3" is not a/ : /^F: line 5, column a: "z3" is not a/,
    );
    for (let size = 1; size < 40; size++)
      expect(await read(format, inPieces(Buffer.concat([bytes, Buffer.from(bad)]), size), columns)).toEqual(whole);
  });
});

test('mutants are read the same however they are cut, and end in rows or one typed error', async () => {
  const bits = [
    ',',
    '"',
    '""',
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\ufeff',
    ' ',
    '-',
    'e',
    '.',
    '1',
    'NaN',
    '{',
    '}',
    '[',
    ':',
    'null',
    '\\',
    '\xff',
  ];
  const edit = fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.constantFrom(...bits));
  const property = async (isCsv: boolean, edits: [number, number, string][], size: number): Promise<void> => {
    let bytes = Buffer.from(isCsv ? sample : lines);
    for (const [at, length, text] of edits) {
      const from = at % bytes.length;
      const bit = Buffer.from(text, text === '\xff' ? 'latin1' : 'utf8');
      bytes = Buffer.concat([bytes.subarray(0, from), bit, bytes.subarray(from + length)]);
    }
    const [format, columns] = isCsv ? (['csv', wanted] as const) : (['ndjson', wantedOfLines] as const);
    const whole = await read(format, [bytes], columns);
    expect(await read(format, inPieces(bytes, size), columns)).toEqual(whole);
  };
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  await fc.assert(fc.asyncProperty(fc.boolean(), edits, fc.integer({ min: 1, max: 60 }), property), {
    numRuns: mutants,
  });
}, 600_000);

test('cells are those of csv-parse', async () => {
  const cell = fc.oneof(
    fc.double().map(String),
    fc.string({ maxLength: 6 }),
    fc.stringMatching(/^[",\r\n a-c]{0,5}$/),
    fc.constantFrom('', '1', '-2.5', 'ü', '"'),
  );
  const quoteCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const table = fc.array(fc.tuple(cell, cell, cell), { maxLength: 12 });
  const property = async (rows: string[][], end: string, size: number): Promise<void> => {
    const text = ['n,k,l,m', ...rows.map((row) => ['1', ...row.map(quoteCell)].join(','))].join(end) + end;
    const cells = parse(text, { record_delimiter: ['\r\n', '\n'] }).slice(1);
    const wanted = { columns: ['n'], keep: ['k', 'l', 'm'] };
    const { rows: got, error } = await read('csv', inPieces(Buffer.from(text), size), wanted);
    expect(error).toBeUndefined();
    expect(got.map(({ kept }) => ['1', ...kept])).toEqual(cells);
  };
  await fc.assert(fc.asyncProperty(table, fc.constantFrom('\n', '\r\n'), fc.integer({ min: 1, max: 200 }), property), {
    numRuns: mutants / 5,
  });
}, 600_000);

describe('numbers', () => {
  test('are those of Number, to the bit', async () => {
    const digits = fc.stringMatching(/^-?[0-9]{0,20}(\.[0-9]{0,25})?$/);
    const property = async (values: (number | string)[]): Promise<void> => {
      const cells = values.map(String).filter((text) => decimal.test(text) && Number.isFinite(Number(text)));
      const body = ['x\n', cells.map((text) => `${text}\n`).join('')].map((text) => Buffer.from(text));
      const { rows } = await read('csv', body);
      expect(rows.map(({ x }) => x[0])).toEqual(cells.map(Number));
    };
    const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), digits, fc.integer());
    await fc.assert(fc.asyncProperty(fc.array(value, { maxLength: 50 }), property), { numRuns: mutants / 3 });
  });
  test.each([
    '0',
    '-0',
    '+1',
    '007',
    '1.',
    '.5',
    '-.5e3',
    '1E-7',
    '12345678901234567890123',
    ' 1',
    '1\t ',
    '9007199254740993',
    '0.30000000000000004',
    '1e-400',
  ])('%j is a number', async (cell) => {
    expect(numberOf(cell)).toBe(Number(cell));
    expect((await read('csv', [Buffer.from('x\n'), Buffer.from(`${cell}\n`)])).rows[0]!.x[0]).toBe(Number(cell));
  });
  test.each([
    '0x10',
    '1_000',
    'Infinity',
    '-Infinity',
    'NaN',
    'NA',
    'null',
    '1,5',
    '--1',
    '1e',
    'e1',
    '.',
    '-',
    '+',
    '1.2.3',
    '1e5.5',
    '\u00a01',
    '１',
    '1 2',
    "1'000",
    'true',
    '0b1',
    '1f',
    '1e999',
  ])('%j is not a number', async (cell) => {
    for (const pieces of [
      [`x,y\n0,0\n"${cell}",1\n`],
      ['x,y\n', `0,0\n"${cell}",1\n`],
      ['x,y\n', `0,0\n${cell},1\n`],
    ]) {
      const { rows, error } = await read(
        'csv',
        pieces.map((piece) => Buffer.from(piece)),
        { columns: ['x'] },
      );
      expect(rows.length).toBe(1);
      expect(error).toMatch(/^F: line 3[,:]/);
    }
    const json = cell === '1e999' ? cell : JSON.stringify(cell);
    const { error } = await read('ndjson', [Buffer.from(`{"x":0}\n{"x":${json}}\n`)]);
    expect(error).toMatch(/^F: line 2, column x: /);
  });
  test('a long cell is refused at once', () => {
    for (const text of [
      '1'.repeat(LONGEST),
      `${'1'.repeat(LONGEST)}x`,
      ' '.repeat(LONGEST),
      `1${' '.repeat(LONGEST)}x`,
      '1.'.repeat(LONGEST / 2),
    ]) {
      const before = process.cpuUsage(); // not the time that others take on a busy machine
      numberOf(text);
      expect(process.cpuUsage(before).user).toBeLessThan(500_000); // µs
    }
  });
});

describe('lines', () => {
  const csv = (text: string, more: Partial<Wanted> = {}): Promise<Reading> => read('csv', [Buffer.from(text)], more);
  test('an empty line is not a row, but in a table of one column it is a gap', async () => {
    expect((await csv('a,b\n\n1,2\n\r\n3,4\n\n')).rows.map(({ line }) => line)).toEqual([3, 5]);
    expect((await csv('a\n1\n\n2\n')).rows.map(({ x }) => x[0])).toEqual([1, Number.NaN, 2]);
    expect(
      (await read('csv', [Buffer.from('a\n'), Buffer.from('1\n\n\r\n2\n')])).rows.map(({ line, x }) => [line, x[0]]),
    ).toEqual([
      [2, 1],
      [3, Number.NaN],
      [4, Number.NaN],
      [5, 2],
    ]);
    expect((await csv('a,b\n""\n')).error).toBe('F: line 2: it has 1 cell, the header line 2');
  });
  const mistakes: readonly (readonly [string, string, string, Partial<Wanted>?])[] = [
    ['too few cells', 'a,b\n1,2\n3\n', 'F: line 3: it has 1 cell, the header line 2'],
    ['too many cells', 'a,b\n1,2\n3,4,5\n', 'F: line 3: it has 3 cells, the header line 2'],
    ['an open quote', 'a,b\n1,2\n"3,4\n5,6\n', 'F: line 3: a quote is misplaced or not closed'],
    ['a stray quote', 'a,b\n1,2\n3"4,5\n5,6"\n', 'F: line 3: a quote is misplaced or not closed'],
    ['text after a quote', 'a,b\n"1\n1"x,2\n', 'F: line 2: a quote is misplaced or not closed'],
    ['no such column', 'a,b\n1,2\n', 'F: line 1: there is no column "z"; there are a and b', { columns: ['a', 'z'] }],
    ['no such column to keep', 'a,b\n1,2\n', 'F: line 1: there is no column "z"; there are a and b', { keep: ['z'] }],
    ['a column twice', 'a,b,a\n1,2,3\n', 'F: line 1: there are 2 columns "a"'],
    ['a column without a name', 'a,,b\n1,2,3\n', 'F: line 1: a column has no name'],
    ['nothing', '', 'F: it is empty, without even a header line'],
    ['other dimensions', 'a,b\n1,2\n', 'F: it has 2 columns, the model 3', { dimension: 3 }],
    [
      'many numbers',
      `a\n${'9'.repeat(400)}\n`,
      `F: line 2, column 1 (a): "${'9'.repeat(40)}..." is too large for a double`,
    ],
  ];
  test.each(mistakes.map(([name, text, message, more = {}]) => ({ name, text, message, more })))(
    '$name',
    async ({ text, message, more }) => {
      expect((await csv(text, more)).error).toBe(message);
      for (let size = 1; size < 6; size++)
        expect((await read('csv', inPieces(Buffer.from(text), size), more)).error).toBe(message);
    },
  );
  test('columns that are not asked for may share a name, or have none', async () => {
    expect((await csv(',a,b,b\nx,1,y,z\n', { columns: ['a'] })).rows[0]!.x).toEqual([1]);
  });
  test('bytes that are not UTF-8 are reported with their line', async () => {
    const rows = 'a,t\n1,ü\n"2","\n"\n3,';
    for (const more of [Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from('ü', 'latin1')]) {
      const bytes = Buffer.concat([Buffer.from(rows), more, Buffer.from('\n4,x\n')]);
      for (const pieces of [[bytes], inPieces(bytes, 5), cut(bytes, 4)])
        expect(await read('csv', pieces, { columns: ['a'] })).toMatchObject({
          rows: [{ x: [1] }, { x: [2] }],
          error: 'F: line 5: it is not UTF-8',
        });
      const json = Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), more, Buffer.from('"}\n')]);
      expect((await read('ndjson', [json])).error).toBe('F: line 2: it is not UTF-8');
    }
  });
  test(`a record of ${LONGEST} bytes is read, a longer one is not`, async () => {
    for (const size of [LONGEST, LONGEST + 1])
      for (const [quote, piece] of [
        ['', 2 ** 16],
        ['"', 2 ** 16],
        ['"', 2 ** 22],
      ] as const) {
        const text = 'x'.repeat(size - 3 - 2 * quote.length);
        const bytes = Buffer.from(`a,t\n1,2\n1,${quote}${text}${quote}\n5,6\n`);
        const { rows, error } = await read('csv', inPieces(bytes, piece), { columns: ['a'], keep: ['t'] });
        expect(rows.length).toBe(size === LONGEST ? 3 : 1);
        if (size > LONGEST) expect(error).toMatch(/^F: line 3: the line is longer than 1048576 bytes/);
        else expect(rows[1]!.kept[0]).toBe(text);
      }
    const endless = { error: expect.stringMatching(/^F: line 2: the line is longer/) };
    expect(await read('csv', inPieces(Buffer.from(`a,t\n1,"${'x\n'.repeat(LONGEST)}`), 2 ** 16))).toMatchObject(
      endless,
    );
    for (const size of [LONGEST, LONGEST + 1]) {
      const bytes = Buffer.from(`{"a":1}\n{"a":2,"t":"${'x'.repeat(size - 15)}"}\n`);
      const { rows } = await read('ndjson', inPieces(bytes, 2 ** 16), { columns: ['a'] });
      expect(rows.length).toBe(size === LONGEST ? 2 : 1);
    }
  });
});

describe('tables as they come', () => {
  const plain = 'name,x,"y, or z"\none,1.5,-2\n"two\nlines",,3\n';
  const wanted = { columns: ['x', 'y, or z'], keep: ['name'] };
  const rows = [
    { line: 2, x: [1.5, -2], kept: ['one'] },
    { line: 3, x: [Number.NaN, 3], kept: ['two\nlines'] },
  ];
  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
  const semicolons = 'name;x;"y, or z"\none;1,5;-2\n"two\nlines";;3\n';
  test.each([
    ['plain', Buffer.from(plain), {}],
    ['lines that end in CR', Buffer.from(plain.replaceAll('\n', '\r').replaceAll('two\r', 'two\n')), {}],
    ['lines that end in CR, the last one too', Buffer.from(plain.replaceAll(/\n(?!l)/g, '\r')), {}],
    ['UTF-16 without a mark', utf16(plain), {}],
    ['UTF-16 with a mark', utf16(`\ufeff${plain}`), {}],
    ['big-endian UTF-16 without a mark', utf16(plain).swap16(), {}],
    ['big-endian UTF-16 with a mark', utf16(`\ufeff${plain}`).swap16(), {}],
    ['gzip', gzipSync(plain), {}],
    ['gzip in two members', Buffer.concat([gzipSync(plain.slice(0, 20)), gzipSync(plain.slice(20))]), {}],
    ['gzip of UTF-16', gzipSync(utf16(plain)), {}],
    ['semicolons and decimal commas', Buffer.from(semicolons), { decimal: ',' }],
    ['commas and quoted decimal commas', Buffer.from(plain.replace('1.5', '"1,5"')), { decimal: ',' }],
    ['tabs', Buffer.from('name\tx\t"y, or z"\none\t1.5\t-2\n"two\nlines"\t\t3\n'), { delimiter: '\t' }],
    ['words for gaps', Buffer.from(plain.replace(',,', ', NA ,')), { na: ['null', 'NA'] }],
    ['numbers for gaps', Buffer.from(plain.replace(',,', ',-999.0,')), { na: ['-999'] }],
  ] as const)('%s, however it is cut', async (_, bytes, dialect) => {
    const expected = { rows, gaps: 1 };
    for (let size = 1; size < 30; size++)
      expect(await read({ format: 'csv', ...dialect }, inPieces(bytes, size), wanted), `${size}`).toEqual(expected);
    expect(await read({ format: 'csv', ...dialect }, [bytes], wanted)).toEqual(expected);
  });
  test.each([
    ['a;b\n1;2\n', ['a', 'b']],
    ['a\tb\n1\t2\n', ['a', 'b']],
    ['a,"b;c"\n1,2\n', ['a', 'b;c']],
    ['a,b;c\n1,2\n', ['a', 'b;c']],
    ['a\n1\n', ['a']],
  ])('the delimiter of %j', async (text, columns) => {
    const [{ x } = { x: [] }] = (await read('csv', [Buffer.from(text)], { columns })).rows;
    expect(x).toEqual(columns.map((_, j) => j + 1));
  });
  test('NDJSON whose lines end in CR, with words for gaps', async () => {
    const bytes = Buffer.from('{"a":1,"b":"\\""}\r{"a":"NA"}\r{"a":-9}\r');
    for (let size = 1; size < 20; size++)
      expect(
        (await read({ format: 'ndjson', na: ['NA', '-9'] }, inPieces(bytes, size), { columns: ['a'] })).rows.map(
          ({ line, x }) => [line, x[0]],
        ),
      ).toEqual([
        [1, 1],
        [2, Number.NaN],
        [3, Number.NaN],
      ]);
  });
  test('damaged gzip, damaged UTF-16', async () => {
    const packed = gzipSync(plain);
    const changed = Buffer.from(packed);
    changed[packed.length - 5]! ^= 1;
    for (const bytes of [packed.subarray(0, -9), changed])
      expect((await read('csv', [bytes], wanted)).error).toMatch(/^F: its gzip is damaged: /);
    expect((await read('csv', [Buffer.concat([utf16('ab'), Buffer.of(0, 0xdc)])])).error).toBe(
      'F: it is not UTF-16, as its first bytes say',
    );
  });
  const penguins = [
    'species,island,bill,mass,sex',
    'Adelie,Torgersen,39.1,3750,male',
    'Adelie,Torgersen,NA,NA,NA',
    'Gentoo,Biscoe,46.1,4500,female',
    '',
  ];
  const inJson = penguins.slice(1, -1).map((line) => {
    const cells = line.split(',');
    const members = penguins[0]!.split(',').map((name, j) => {
      const cell = cells[j]!;
      return `${JSON.stringify(name)}:${Number.isNaN(Number(cell)) ? JSON.stringify(cell) : cell}`;
    });
    return `{${members.join()}}\n`;
  });
  test.each([
    ['csv', penguins.join('\n'), 'line 2, column 1 (species)'],
    ['ndjson', inJson.join(''), 'line 1, column species'],
  ] as const)('columns of text in %s: those that hold numbers are named', async (format, text, place) => {
    const failure = async (pieces: Buffer[]): Promise<SeqlikError> => {
      const stream = (async function* () {
        yield* pieces;
      })();
      try {
        for await (const { n } of blocksOf(new Source('F', stream), { format }, { keep: [] })) expect(n).toBe(0);
      } catch (error) {
        return error as SeqlikError;
      }
      throw new Error('no failure');
    };
    for (const size of [7, 64, 1000]) {
      const { message, remedy } = await failure(inPieces(Buffer.from(text), size));
      expect(message).toBe(`F: ${place}: "Adelie" is not a number: species, island and sex hold text`);
      expect(remedy).toEqual({ columns: 'bill,mass', na: 'NA' });
    }
  });
  test.each([
    ['a,b\nx,y\n', {}, /: a and b hold text, and no column holds numbers$/],
    ['a,b\n1,2\n1,oops\n3,4\n', {}, /^F: line 3, column 2 \(b\): "oops" is not a number \(a cell .* left empty\)$/],
    ['a,b\n1,NA\n', {}, /"NA" is not a number \(a gap\?\)$/],
    ['a;b\n1;2,5\n', {}, /"2,5" is not a number \(a decimal comma\?\)$/],
    ['a,b\n1,2\n', { keep: ['B'] }, /there is no column "B"; did you mean "b"\?$/],
    [
      'a;b;c\n1;2;3\n',
      { dialect: { delimiter: ',' }, columns: ['b'] },
      /the header line has 1 cell with 2 semicolons$/,
    ],
  ] as const)('%j', async (text, more, message) => {
    const { dialect = {}, ...wanted } = more as { dialect?: object };
    expect((await read({ format: 'csv', ...dialect }, [Buffer.from(text)], wanted)).error).toMatch(message);
  });
});

describe('NDJSON', () => {
  const json = (text: string, more: Partial<Wanted> = {}): Promise<Reading> =>
    read('ndjson', [Buffer.from(text)], more);
  test.each([
    ['no JSON', '{"a":1}\n{"a":1,}\n', /^F: line 2: it is not JSON: /],
    ['NaN', '{"a":NaN}\n', /^F: line 1: it is not JSON: /],
    ['no object', '{"a":1}\n[1]\n', /^F: line 2: it is not an object$/],
    ['null', 'null\n', /^F: line 1: it is not an object$/],
    ['two of them', '{"a":1}{"a":2}\n', /^F: line 1: it is not JSON: /],
    ['text', '{"a":"1"}\n', /^F: line 1, column a: "1" is not a number/],
    ['a truth value', '{"a":true}\n', /^F: line 1, column a: true is not a number/],
    ['a list', '{"a":[1]}\n', /^F: line 1, column a: \[1\] is not a number/],
    ['a new key', '{"a":1}\n{"a":1,"b":2}\n', /^F: line 2, column b: the first line has no such key/],
    ['no column', '{}\n', /^F: it has no columns$/],
    ['nothing', '', /^F: it is empty, without a single object$/],
    ['blank lines', '\n \n', /^F: it is empty, without a single object$/],
  ])('%s', async (_, text, message) => expect((await json(text)).error).toMatch(message));
  test('a key that no row has', async () => {
    expect(await json('{"a":1}\n{"a":2}\n', { columns: ['a', 'z'] })).toMatchObject({
      rows: [],
      error: 'F: no line has a "z"; there is a',
    });
    expect((await json('{"a":1}\n{"a":2}\n', { keep: ['z'] })).error).toBe('F: no line has a "z"; there is a');
  });
  test('keys of any name are keys', async () => {
    const { rows } = await json('{"__proto__":1,"constructor":2,"a":3}\n{"a":4}\n', {
      columns: ['__proto__', 'constructor', 'a'],
    });
    expect(rows.map(({ x }) => x)).toEqual([
      [1, 2, 3],
      [Number.NaN, Number.NaN, 4],
    ]);
  });
  test('the members are found as they are written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 1, '\t '), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        const found = members(text);
        expect(new Set(found.keys())).toEqual(new Set(Object.keys(value)));
        for (const [key, written] of found) expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(value[key])));
      }),
    );
    expect(members(' { "a" : 1.0 , "b":"}" , "a" : [ 1 , {"a":2} ] } ')).toEqual(
      new Map([
        ['a', '[ 1 , {"a":2} ]'],
        ['b', '"}"'],
      ]),
    );
  });
});
