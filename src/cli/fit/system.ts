/** Fits of linear dynamical systems to sequences. */
import { Option } from 'commander';
import {
  type Backend,
  LinearDynamicalSystem,
  SeqlikError,
  type SystemFitOptions,
  type SystemFitProgress,
} from '../../index.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { gapsOf } from '../../table/counts.ts';
import { rephrase } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted, toOptionError } from '../errors.ts';
import { sequenceOf } from '../inputs.ts';
import { names, number, type SequenceChoice } from '../options.ts';
import { Progress } from '../progress.ts';
import {
  type FitKind,
  type FitOptions,
  type Fitted,
  type Fitting,
  pickSettings,
  restartsSetting,
  sequenceSetting,
  settingsOf,
  sharedSettings,
  validateOptions,
} from './kind.ts';

interface SystemOptions extends FitOptions, SequenceChoice {
  readonly structure?: string;
}

const systemSettings = [
  ...sharedSettings,
  ...restartsSetting,
  ...settingsOf<SystemFitOptions>({
    latent: ['<m>', 'number of coordinates of the state', number],
    update: [
      '<a,b,c>',
      'the parameters to fit, of transition, observation, transitionCovariance, observationCovariance, initialMean and initialCovariance (default: all)',
      names,
    ],
    tied: ['', 'the covariance of the first state is that of the transitions'],
    floor: ['<f>', 'the least eigenvalue of the covariances (default: 0)', number],
    acceleration: ['<name>', 'none or squarem, which takes longer steps (default: none)'],
  }),
];

export const systemFit: FitKind = {
  options: [
    sequenceSetting,
    ...systemSettings,
    new Option('--structure <name>', 'form of both noise covariances: full, diagonal or scalar (default: full)'),
  ],
  start: (options, backend) => new SystemFitting(options, backend),
};

class SystemFitting implements Fitting {
  readonly wanted: Fitting['wanted'];
  private readonly settings: SystemFitOptions;
  constructor(
    private readonly options: SystemOptions,
    backend: Backend,
  ) {
    this.wanted = sequenceOf(options);
    const { structure: form } = options;
    const structure = form !== undefined && { structure: { transitionCovariance: form, observationCovariance: form } };
    this.settings = { ...pickSettings(options, systemSettings), ...structure, backend } as SystemFitOptions;
  }
  async validate(): Promise<void> {
    await validateOptions(LinearDynamicalSystem.fit([], this.settings));
  }
  async run(rows: RowBuffer, file: string): Promise<Fitted> {
    const { names: columns, counts } = rows;
    const lengths = rows.lengths();
    const values = rows.take().x;
    const bar = progressBar(this.options.progress);
    const { model, report } = await LinearDynamicalSystem.fit(
      { values, lengths },
      {
        ...this.settings,
        ...gapsOf(counts),
        dimension: columns.length,
        columns,
        ...(this.options.sequence && { sequenceColumn: this.options.sequence }),
        onProgress: bar.update,
      },
    )
      .catch((error) => {
        throw toUserError(error, file);
      })
      .finally(bar.stop);
    const { observed, gaps } = counts;
    const { iterations, converged, logLikelihood, relativeGain, relativeChange, singularValues, warnings } = report;
    const parameters = model.parameterCount;
    const bic = -2 * logLikelihood + parameters * Math.log(observed);
    const aic = -2 * logLikelihood + 2 * parameters;
    return {
      model,
      report: {
        sequences: lengths.length,
        observedRows: observed,
        gaps,
        latent: model.latent,
        parameters,
        ...report,
        history: [...report.history],
        ...(singularValues && { singularValues: [...singularValues] }),
        bic,
        aic,
      },
      data: `${counted(lengths.length, 'sequence')} of ${file} (${counted(counts.rows, 'row')}, ${counted(gaps, 'gap')})`,
      lines: [
        `${counted(model.latent, 'latent coordinate')}, ${parameters} parameters`,
        `${counted(iterations, 'iteration')}, ${converged ? 'converged' : 'not converged'}: last relative gain \
${formatNumber(relativeGain)}, last relative change of a parameter ${formatNumber(relativeChange)}`,
        `log-likelihood ${formatNumber(logLikelihood)}, BIC ${formatNumber(bic)}`,
        ...(singularValues
          ? [
              `singular values of the past for the future: ${[...singularValues]
                .slice(0, 12)
                .map((v) => formatNumber(Number(v.toPrecision(3))))
                .join(', ')}`,
            ]
          : []),
        ...warnings.map((warning) => `warning: ${warning}`),
      ],
    };
  }
}
function toUserError(error: unknown, file: string): unknown {
  if (!(error instanceof SeqlikError)) return error;
  const { code, message, sentence = message } = error;
  if (code === 'EMPTY_INPUT') return rephrase(error, `${file}: no row holds an observation`, { file });
  if (code === 'NON_FINITE' || code === 'NOT_POSITIVE_DEFINITE')
    return rephrase(error, `${file}: ${sentence}`, { file });
  return toOptionError(error);
}

/** A bar that starts with the first progress. */
function progressBar(shown: boolean): { update: (progress: SystemFitProgress) => void; stop: () => void } {
  let bar: Progress | undefined;
  let iterations = 0;
  return {
    update: ({ maxIterations, restarts, logLikelihood }) => {
      bar ??= new Progress(shown, maxIterations * restarts);
      bar.update(++iterations, `iteration ${iterations}, log-likelihood ${formatNumber(logLikelihood)}`);
    },
    stop: () => bar?.stop(),
  };
}
