/** Fits to rows with targets: the columns apart, and the report of a classifier. */
import type { RecurrentClassifier, SeqlikError, TrainingReport, TwoLayerClassifier } from '../../index.ts';
import { fileError, quote, rephrase } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';

/** Which columns are inputs: all but the targets. Throws FORMAT and EMPTY_INPUT (file). */
export function inputsBeside(targets: readonly string[], names: readonly string[], file: string): readonly string[] {
  const absent = targets.find((name) => !names.includes(name));
  if (absent !== undefined) throw fileError('FORMAT', file, `it has no column ${quote(absent)}`);
  const inputs = names.filter((name) => !targets.includes(name));
  if (inputs.length === 0) throw fileError('EMPTY_INPUT', file, 'it has no columns beside the targets');
  return inputs;
}
/** Some columns of rows [n, names]. */
export function pick(x: Float64Array, names: readonly string[], wanted: readonly string[]): Float64Array {
  const places = wanted.map((name) => names.indexOf(name));
  const n = x.length / names.length;
  const to = new Float64Array(n * wanted.length);
  for (let i = 0; i < n; i++)
    for (const [j, place] of places.entries()) to[i * wanted.length + j] = x[i * names.length + place]!;
  return to;
}
/** The error of a target, which names its column. */
export function targetError(error: SeqlikError, targets: readonly string[]): SeqlikError {
  const { column, value } = error;
  const reason = `${targets[column ?? 0]} is ${value}, and a target is from 0 to 1`;
  return rephrase(error, reason, { reason });
}
/** The report of a fit, for programs and in lines. `examples`, `unit`: the words for those learnt from and for a term. */
export function classifierReport(
  model: RecurrentClassifier | TwoLayerClassifier,
  report: TrainingReport,
  architecture: string,
  { examples, unit }: { readonly examples: string; readonly unit: string },
) {
  const { iterations, converged, bestIteration, history, validationHistory, warnings, logLikelihood } = report;
  const heldOut = validationHistory?.[bestIteration];
  const best = validationHistory ? `, the best was epoch ${bestIteration}` : '';
  const heldOutText = heldOut === undefined ? '' : `, per held-out ${unit} ${formatNumber(-heldOut)}`;
  return {
    facts: {
      targets: model.labels,
      parameters: model.parameterCount,
      iterations,
      converged,
      bestIteration,
      logLikelihood,
      ...(heldOut !== undefined && { heldOut }),
      history: [...history],
      ...(validationHistory && { validationHistory: [...validationHistory] }),
      warnings,
    },
    lines: [
      architecture,
      `${counted(iterations, 'epoch')}${converged ? ', converged' : ''}${best}`,
      `cross-entropy of the training ${examples} ${formatNumber(-logLikelihood)}${heldOutText}`,
      ...warnings.map((warning) => `warning: ${warning}`),
    ],
  };
}
