/** `seqlik sample`: draws from a model. */
import type { Command } from 'commander';
import { misuse } from './exit.ts';
import {
  asOption,
  type BackendChoice,
  type Format,
  formatOfOutput,
  formatOption,
  number,
  withBackend,
} from './options.ts';
import { Progress, rowsText } from './progress.ts';
import { type AnyModel, readModel } from './read.ts';
import { type Lines, linesOf } from './rows.ts';
import { writing } from './write.ts';

const VALUES = 2 ** 22; // drawn at once: what bounds the memory
const LINES = 8192; // written at once

interface Options extends BackendChoice {
  readonly count: number;
  readonly seed: number;
  readonly output: string;
  readonly format?: Format;
  readonly progress: boolean;
}

export function addSample(program: Command): void {
  const command = program
    .command('sample')
    .description('draw rows from a model')
    .argument('<MODEL>', 'a file that fit wrote')
    .requiredOption('-n, --count <n>', 'how many', number)
    .option('--seed <n>', '0 to 2^32 - 1; the same seed gives the same rows', number, 0)
    .option('-o, --output <OUT>', 'where to; - is stdout', '-')
    .addOption(formatOption('how they are written, if the extension of OUT does not say (default: csv)'))
    .option('--no-progress', 'no progress bar');
  withBackend(command).action(sample);
}

async function sample(modelPath: string, options: Options): Promise<void> {
  const { count, seed, output } = options;
  if (!Number.isSafeInteger(count) || count < 0) throw misuse('-n must be a whole number, 0 or more');
  const model = await readModel(modelPath, options);
  draw(model, 0, seed);
  const { columns = Array.from({ length: model.dimension }, (_, j) => `x${j + 1}`) } = model;
  const lines = linesOf(formatOfOutput(output, options.format ?? 'csv'), columns);
  const shown = options.progress && !(output === '-' && process.stdout.isTTY);
  await writing(output, async (write) => {
    const progress = new Progress(shown, count);
    try {
      await write(lines.head);
      for (const { x, done } of blocksOfDraws(model, count, seed)) {
        await write(text(x, lines));
        progress.update(done, rowsText(done));
      }
    } finally {
      progress.stop();
    }
  });
}

/** The first block is what `model.sample` gives for the seed; each other one has a seed of its own, made of it. */
function* blocksOfDraws(model: AnyModel, count: number, seed: number): Generator<{ x: Float64Array; done: number }> {
  const d = model.dimension;
  const rows = Math.max(1, Math.floor(VALUES / d));
  for (let from = 0, block = 0; from < count; from += rows, block++) {
    const n = Math.min(rows, count - from);
    const x = draw(model, n, (seed ^ Math.imul(block, 0x9e3779b1)) >>> 0);
    for (let row = 0; row < n; row += LINES)
      yield { x: x.subarray(row * d, Math.min(row + LINES, n) * d), done: from + Math.min(row + LINES, n) };
  }
}
function draw(model: AnyModel, n: number, seed: number): Float64Array {
  try {
    return model.sample(n, { seed });
  } catch (error) {
    throw asOption(error);
  }
}
function text(x: Float64Array, { before, end }: Lines): string {
  let lines = '';
  for (let at = 0; at < x.length; ) {
    for (const text of before) lines += text + x[at++];
    lines += end;
  }
  return lines;
}
