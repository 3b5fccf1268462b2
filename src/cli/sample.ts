/** `seqlik sample`: draws from a model. */

import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import { MixtureDensityNetwork } from '../index.ts';
import type { Format } from '../table/format.ts';
import { type Lines, linesOf } from '../table/lines.ts';
import { misuse } from './exit.ts';
import { type RowModel, readModel } from './model.ts';
import { asOption, type BackendChoice, formatOfOutput, formatOption, number, refuse, withBackend } from './options.ts';
import { Progress, rowsText } from './progress.ts';
import { strokesSvg } from './sample/strokes.ts';
import { type Write, writing } from './write.ts';

const VALUES = 2 ** 22; // drawn at once: what bounds the memory
const LINES = 8192; // written at once
const STEPS = 100;
const SHEET = 700; // pixels; the width of the drawings side by side

interface Options extends BackendChoice {
  readonly count: number;
  readonly seed: number;
  readonly steps?: number;
  readonly bias?: number;
  readonly output?: string;
  readonly svg?: string;
  readonly format?: Format;
  readonly progress: boolean;
}
/** What is drawn at a time, and how much of it all was drawn then. */
interface Piece {
  readonly x: Float64Array;
  readonly sequence?: number;
  readonly done: number;
}

export function addSample(program: Command): void {
  const command = program
    .command('sample')
    .description('draw rows from a model; from a network, sequences')
    .argument('<MODEL>', 'a file that fit wrote')
    .requiredOption('-n, --count <n>', 'how many', number)
    .option('--seed <n>', '0 to 2^32 - 1; the same seed gives the same rows', number, 0)
    .option('--steps <n>', `rows of each sequence, from a network (default: ${STEPS})`, number)
    .option('--bias <b>', '0 or more: makes sequences neater, from a network (default: 0)', number)
    .option('-o, --output <OUT>', 'where to; - is stdout (default: -, or nowhere with --svg)')
    .option('--svg <FILE>', 'where to draw them, from a network of pen strokes: dx, dy, and 1 where the pen is lifted')
    .addOption(
      formatOption('how they are written, if the extension of OUT does not say (default: csv; sequences: ndjson)'),
    )
    .option('--no-progress', 'no progress bar');
  withBackend(command).action(sample);
}

async function sample(modelPath: string, options: Options): Promise<void> {
  const { count, seed, svg, bias, steps = STEPS } = options;
  for (const [name, value] of Object.entries({ '-n': count, '--steps': steps }))
    if (!Number.isSafeInteger(value) || value < 0) throw misuse(`${name} must be a whole number, 0 or more`);
  if (svg === '-' && options.output === '-') throw misuse('-o - and --svg - cannot both have stdout');
  const output = options.output ?? (svg === undefined ? '-' : undefined);
  const model = await readModel(modelPath, options);
  const network = model instanceof MixtureDensityNetwork;
  if (!network) refuse(options, ['steps', 'bias']);
  if (svg !== undefined && !(network && model.dimension === 3 && model.binary === 1))
    throw misuse('--svg draws strokes of a pen: of a network of two columns and a third that is 0 or 1 (--binary 1)');

  given(() => model.sample(0, { seed, ...(bias !== undefined && { bias }) }));

  const format = formatOfOutput(output ?? '-', options.format ?? (network ? 'ndjson' : 'csv'));
  const { columns = Array.from({ length: model.dimension }, (_, j) => `x${j + 1}`) } = model;
  const lines = linesOf(format, network ? [unlike(columns), ...columns] : columns);
  const shown = options.progress && !((output ?? svg) === '-' && process.stdout.isTTY);
  const drawn: Float64Array[] = [];
  const draw = async (write?: Write): Promise<void> => {
    const progress = new Progress(shown, count);
    try {
      await write?.(lines.head);
      for (const { x, sequence, done } of network ? sequencesOf(model, options) : rowsOf(model, count, seed)) {
        await write?.(text(x, lines, columns.length, sequence));
        if (svg !== undefined) drawn.push(x);
        progress.update(done, network ? `${done} sequences` : rowsText(done));
        if (network) await setImmediate(); // so that a signal is heard
      }
    } finally {
      progress.stop();
    }
  };
  if (output === undefined) await draw();
  else await writing(output, draw);
  if (svg !== undefined)
    await writing(svg, (write) => write(sheetOf(drawn, `seed ${seed}${bias ? `, bias ${bias}` : ''}`)));
}
/** A name for the column that says which sequence a row is of. */
function unlike(columns: readonly string[]): string {
  let name = 'sequence';
  while (columns.includes(name)) name = `_${name}`;
  return name;
}

/** The first block is what `model.sample` gives for the seed; each other one has a seed of its own, made of it. */
function* rowsOf(model: RowModel, count: number, seed: number): Generator<Piece> {
  const d = model.dimension;
  const rows = Math.max(1, Math.floor(VALUES / d));
  for (let from = 0, block = 0; from < count; from += rows, block++) {
    const n = Math.min(rows, count - from);
    const x = given(() => model.sample(n, { seed: seedOf(seed, block) }));
    for (let row = 0; row < n; row += LINES)
      yield { x: x.subarray(row * d, Math.min(row + LINES, n) * d), done: from + Math.min(row + LINES, n) };
  }
}
/** So is the first sequence. */
function* sequencesOf(model: MixtureDensityNetwork, options: Options): Generator<Piece> {
  const { count, seed, steps = STEPS, bias = 0 } = options;
  for (let sequence = 0; sequence < count; sequence++)
    yield {
      x: given(() => model.sample(steps, { seed: seedOf(seed, sequence), bias })),
      sequence,
      done: sequence + 1,
    };
}
const seedOf = (seed: number, part: number): number => (seed ^ Math.imul(part, 0x9e3779b1)) >>> 0;
function given<T>(draw: () => T): T {
  try {
    return draw();
  } catch (error) {
    throw asOption(error);
  }
}

function text(x: Float64Array, { before, end }: Lines, d: number, sequence?: number): string {
  let lines = '';
  for (let at = 0; at < x.length; ) {
    let j = 0;
    if (sequence !== undefined) lines += before[j++]! + sequence;
    for (const row = at + d; at < row; ) lines += before[j++]! + x[at++];
    lines += end;
  }
  return lines;
}

/** Nearly square, but not smaller and smaller. */
function sheetOf(sequences: readonly Float64Array[], title: string): string {
  const columns = Math.min(Math.max(Math.ceil(Math.sqrt(sequences.length)), 1), 5);
  return strokesSvg([{ title, sequences }], { columns, cell: Math.floor(SHEET / columns) });
}
