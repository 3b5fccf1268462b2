/** Fits to rows with targets: two-layer-classifier. */
import { type Backend, SeqlikError, TwoLayerClassifier, type TwoLayerFitOptions } from '../../index.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { toDataError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted, usageError } from '../errors.ts';
import { refuseShared } from '../recurrent.ts';
import { architectureText } from '../two-layer.ts';
import {
  type FitKind,
  type FitOptions,
  type Fitted,
  type Fitting,
  pickSettings,
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

interface TwoLayerOptions extends FitOptions, CheckpointChoice {
  readonly targets?: readonly string[];
  readonly hidden?: readonly number[];
}
const twoLayerSettings = [...sharedSettings, ...trainingSettings, ...validationSetting, ...classWeightsSetting];
export const twoLayerFit: FitKind = {
  options: [targetsSetting, ...hiddenSetting, ...twoLayerSettings, ...checkpointOptions],
  start: (options, backend) => new TwoLayerFitting(options, backend),
};

class TwoLayerFitting implements Fitting {
  readonly wanted: Fitting['wanted'];
  private readonly settings: Omit<TwoLayerFitOptions, 'inputs' | 'outputs'>;
  private readonly targets: readonly string[];
  private readonly files: CheckpointFiles;
  constructor(
    private readonly options: TwoLayerOptions,
    backend: Backend,
  ) {
    const { columns, targets, hidden } = options;
    if (!targets) throw usageError('--targets is needed: the columns to learn');
    if (hidden && hidden.length !== 1) throw usageError('--hidden: a classifier has one layer');
    refuseShared(columns, targets);
    this.targets = targets;
    this.files = new CheckpointFiles(options);
    this.wanted = { complete: { binary: 0 }, ...(columns && { columns: [...columns, ...targets] }) };
    // `hidden` may be missing, which the library reports
    this.settings = { ...pickSettings(options, twoLayerSettings), hidden: hidden?.[0] as number, backend };
  }
  async validate(): Promise<void> {
    await this.files.open();
    const sizes = { inputs: 1, outputs: this.targets.length };
    const fit = TwoLayerClassifier.fit([], [], { ...this.settings, ...sizes, ...this.files.options() });
    await validateOptions(
      fit.catch((error) => {
        throw this.files.toResumeError(error);
      }),
    );
  }
  async run(rows: RowBuffer, file: string): Promise<Fitted> {
    const { names, counts } = rows;
    const columns = inputsBeside(this.targets, names, file);
    const all = rows.take().x;
    const bar = progressBar(this.options.progress, (loss) => `log-likelihood ${formatNumber(-loss)}`);
    const { model, report } = await TwoLayerClassifier.fit(pick(all, names, columns), pick(all, names, this.targets), {
      ...this.settings,
      inputs: columns.length,
      outputs: this.targets.length,
      columns,
      labels: this.targets,
      ...this.files.options(),
      onProgress: bar.update,
    })
      .catch(async (error) => {
        if (error instanceof SeqlikError && error.argument === 'y')
          throw toDataError(targetError(error, this.targets), file, names, (row) => rows.lineOf(row));
        throw await this.files.toUserError(error, file, 'it has no rows');
      })
      .finally(bar.stop);
    const words = { examples: 'rows', unit: 'row' };
    const { facts, lines } = classifierReport(model, report, architectureText(model), words);
    return { model, report: facts, data: `${counted(counts.rows, 'row')} of ${file}`, lines };
  }
}
