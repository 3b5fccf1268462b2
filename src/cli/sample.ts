/** `seqlik sample`: draws from a model. */
import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Lines, linesOf } from '../table/lines.ts';
import { usageError } from './errors.ts';
import { optionsByKind, treatmentOf } from './kinds.ts';
import { readModel } from './model.ts';
import {
  addBackendOptions,
  addKindOptions,
  examplesText,
  formatOption,
  modelText,
  number,
  outputOf,
  refuseForeign,
  wholeNumber,
} from './options.ts';
import { Progress } from './progress.ts';
import type { Piece, SampleOptions } from './sample/kind.ts';
import { strokesSvg } from './sample/strokes.ts';
import { refuseOverwrite, type Write, writeTable, writeTo } from './write.ts';

const SHEET = 700; // width of all drawings side by side, in pixels

const examples = ['seqlik sample birds.seqlik -n 10 --seed 1', 'seqlik sample pen.seqlik -n 4 --svg pen.svg'];
const byKind = optionsByKind('sample');

export function addSample(program: Command): void {
  const command = program
    .command('sample')
    .description('draw rows from a model, or sequences from a network')
    .argument('<MODEL>', modelText)
    .requiredOption('-n, --count <n>', 'how many', wholeNumber('-n'))
    .option('--seed <n>', '0 to 2^32 - 1; the same seed gives the same rows', number, 0)
    .option('-o, --output <OUT>', 'the file to write; - is stdout (default: -, or none with --svg)')
    .option(
      '--svg <FILE>',
      'draw the samples to this file; for a network of pen strokes: dx, dy, and 1 where the pen is lifted',
    )
    .addOption(formatOption('format of OUT if its extension does not say (default: csv; ndjson for sequences)'))
    .option('--no-progress', 'no progress bar');
  addKindOptions(addBackendOptions(command), byKind).addHelpText('after', examplesText(examples)).action(sample);
}

async function sample(modelPath: string, options: SampleOptions): Promise<void> {
  const { count, svg } = options;
  if (svg === '-' && options.output === '-') throw usageError('-o - and --svg - cannot both have stdout');
  const output = options.output ?? (svg === undefined ? '-' : undefined);
  refuseOverwrite({ '-o': options.output, '--svg': svg }, { MODEL: modelPath });
  refuseOverwrite({ '--svg': svg }, { OUT: options.output });
  const model = await readModel(modelPath, options);
  const kind = treatmentOf(model).sample;
  if (!kind) throw usageError(`a ${model.kind} has nothing to draw: it gives probabilities of targets, not data`);
  refuseForeign(options, byKind, kind.options);
  const sampling = kind.start(model, options);
  if (svg !== undefined && sampling.drawing === undefined)
    throw usageError(
      '--svg draws strokes of a pen: of a network of two columns and a third that is 0 or 1 (--binary 1)',
    );

  const { format, delimiter } = outputOf(output ?? '-', { format: options.format ?? sampling.format });
  const lines = linesOf(format, sampling.columns, delimiter);
  const shown = options.progress && !((output ?? svg) === '-' && process.stdout.isTTY);
  const drawn: Float64Array[] = [];
  const writeSamples = async (write?: Write): Promise<void> => {
    const progress = new Progress(shown, count);
    try {
      await write?.(lines.head);
      for (const piece of sampling.pieces()) {
        await write?.(formatRows(piece, lines));
        if (svg !== undefined) drawn.push(piece.x);
        progress.update(piece.done, sampling.progressText(piece.done));
        await setImmediate(); // so that signals are handled
      }
    } finally {
      progress.stop();
    }
  };
  if (output === undefined) await writeSamples();
  else await writeTable(output, writeSamples);
  if (svg !== undefined) await writeTo(svg, (write) => write(sheetOf(drawn, sampling.drawing!)));
}

function formatRows({ x, sequence }: Piece, { before, end }: Lines): string {
  const d = before.length - (sequence === undefined ? 0 : 1);
  let text = '';
  for (let at = 0; at < x.length; ) {
    let j = 0;
    if (sequence !== undefined) text += before[j++]! + sequence;
    for (const row = at + d; at < row; ) text += before[j++]! + x[at++];
    text += end;
  }
  return text;
}

/** A sheet that is nearly square, of five columns at most, so that many drawings do not get small. */
function sheetOf(sequences: readonly Float64Array[], title: string): string {
  const columns = Math.min(Math.max(Math.ceil(Math.sqrt(sequences.length)), 1), 5);
  return strokesSvg([{ title, sequences }], { columns, cell: Math.floor(SHEET / columns) });
}
