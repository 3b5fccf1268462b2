/** Fits to sequences with targets: recurrent-classifier. */
import { type Backend, RecurrentClassifier, type RecurrentFitOptions, SeqlikError } from '../../index.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { toDataError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted, usageError } from '../errors.ts';
import type { SequenceChoice } from '../options.ts';
import { architectureText, refuseShared } from '../recurrent.ts';
import {
  type FitKind,
  type FitOptions,
  type Fitted,
  type Fitting,
  pickSettings,
  sequenceSetting,
  settingsOf,
  sharedSettings,
  targetsSetting,
  validateOptions,
  validationSetting,
} from './kind.ts';
import { classifierReport, inputsBeside, pick, targetError } from './targets.ts';
import {
  type CheckpointChoice,
  CheckpointFiles,
  checkpointOptions,
  classWeightsSetting,
  hiddenSetting,
  progressBar,
  trainingSettings,
} from './training.ts';

interface RecurrentOptions extends FitOptions, SequenceChoice, CheckpointChoice {
  readonly targets?: readonly string[];
  readonly hidden?: readonly number[];
}
const recurrentSettings = [
  ...sharedSettings,
  ...trainingSettings,
  ...validationSetting,
  ...classWeightsSetting,
  ...settingsOf<RecurrentFitOptions>({
    lossAt: ['<name>', 'final or all: a target after each sequence, or at each row (default: final)'],
  }),
];
export const recurrentFit: FitKind = {
  options: [sequenceSetting, targetsSetting, ...hiddenSetting, ...recurrentSettings, ...checkpointOptions],
  start: (options, backend) => new RecurrentFitting(options, backend),
};

class RecurrentFitting implements Fitting {
  readonly wanted: Fitting['wanted'];
  private readonly settings: Omit<RecurrentFitOptions, 'inputs' | 'outputs'>;
  private readonly targets: readonly string[];
  private readonly files: CheckpointFiles;
  constructor(
    private readonly options: RecurrentOptions,
    backend: Backend,
  ) {
    const { columns, targets, sequence, hidden } = options;
    if (!targets) throw usageError('--targets is needed: the columns to learn');
    if (hidden && hidden.length !== 1) throw usageError('--hidden: a classifier has one layer');
    refuseShared(columns, [...targets, sequence]);
    this.targets = targets;
    this.files = new CheckpointFiles(options);
    this.wanted = {
      complete: { binary: 0 },
      ...(sequence && { sequence }),
      ...(columns && { columns: [...columns, ...targets] }),
    };
    // `hidden` may be missing, which the library reports
    this.settings = { ...pickSettings(options, recurrentSettings), hidden: hidden?.[0] as number, backend };
  }
  async validate(): Promise<void> {
    await this.files.open();
    const sizes = { inputs: 1, outputs: this.targets.length };
    const fit = RecurrentClassifier.fit([], [], { ...this.settings, ...sizes, ...this.files.options() });
    await validateOptions(
      fit.catch((error) => {
        throw this.files.toResumeError(error);
      }),
    );
  }
  async run(rows: RowBuffer, file: string): Promise<Fitted> {
    const lengths = rows.lengths();
    const { names, counts } = rows;
    const columns = inputsBeside(this.targets, names, file);
    const all = rows.take().x;
    const values = pick(all, names, columns);
    const steps = pick(all, names, this.targets);
    const isFinal = this.settings.lossAt !== 'all';
    const y = isFinal ? lastRows(steps, lengths, this.targets.length) : steps;
    const bar = progressBar(this.options.progress, (loss) => `log-likelihood ${formatNumber(-loss)}`);
    const { model, report } = await RecurrentClassifier.fit({ values, lengths }, y, {
      ...this.settings,
      inputs: columns.length,
      outputs: this.targets.length,
      columns,
      labels: this.targets,
      ...(this.options.sequence && { sequenceColumn: this.options.sequence }),
      ...this.files.options(),
      onProgress: bar.update,
    })
      .catch(async (error) => {
        if (error instanceof SeqlikError && error.argument === 'y')
          throw toDataError(targetError(error, this.targets), file, names, (row) =>
            rows.lineOf(isFinal ? endOf(lengths, row) : row),
          );
        throw await this.files.toUserError(error, file, 'it has no rows');
      })
      .finally(bar.stop);
    const sequences = lengths.length;
    const words = { examples: 'sequences', unit: 'target row' };
    const { facts, lines } = classifierReport(model, report, architectureText(model), words);
    const data = `${counted(sequences, 'sequence')} of ${file} (${counted(counts.rows, 'row')})`;
    return { model, report: { sequences, ...facts }, data, lines };
  }
}
/** The last row of a sequence. */
const endOf = (lengths: Int32Array, sequence: number): number =>
  lengths.subarray(0, sequence + 1).reduce((sum, length) => sum + length, -1);
/** The last row of each sequence; none is empty. */
function lastRows(x: Float64Array, lengths: Int32Array, width: number): Float64Array {
  const to = new Float64Array(lengths.length * width);
  let end = 0;
  for (const [s, length] of lengths.entries()) {
    end += length;
    to.set(x.subarray((end - 1) * width, end * width), s * width);
  }
  return to;
}
