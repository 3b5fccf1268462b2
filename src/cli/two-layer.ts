/** Two-layer classifiers in every command: the columns they read, their architecture in words. */
import type { TwoLayerClassifier } from '../index.ts';
import type { Wanted } from '../table/blocks.ts';
import { counted, usageError } from './errors.ts';
import { columnsFor, columnsOf, type Inputs } from './inputs.ts';
import type { DataChoice } from './options.ts';
import { refuseShared } from './recurrent.ts';

/** The inputs of a classifier, as the other kinds have them. */
export const inputsOf = ({ inputs: dimension, columns }: TwoLayerClassifier): Inputs => ({
  dimension,
  ...(columns && { columns }),
});
/** The names of the outputs: y1, y2, ... if they have none. */
export const labelsOf = ({ labels, outputs }: TwoLayerClassifier): readonly string[] =>
  labels ?? Array.from({ length: outputs }, (_, j) => `y${j + 1}`);

/** The rows of DATA that a stored classifier reads. */
export const rowsFor = (model: TwoLayerClassifier, { columns }: DataChoice): Omit<Wanted, 'keep'> => ({
  dimension: model.inputs,
  width: widthOf(model),
  ...columnsFor(inputsOf(model), columns),
  complete: { binary: 0 },
});
/** The same with targets behind the inputs. */
export function rowsWithTargets(
  model: TwoLayerClassifier,
  { columns: asked, targets = labelsOf(model) }: DataChoice & { readonly targets?: readonly string[] },
): Omit<Wanted, 'keep'> {
  const { inputs, outputs } = model;
  const { columns = columnsOf(inputsOf(model)) } = columnsFor(inputsOf(model), asked);
  if (targets.length !== outputs)
    throw usageError(`--targets names ${counted(targets.length, 'column')}, the model has ${outputs}`);
  refuseShared(columns, targets);
  return {
    columns: [...columns, ...targets],
    dimension: inputs + outputs,
    width: widthOf(model),
    complete: { binary: 0 },
  };
}
/** The width of a row that bounds the rows of a block: the values a pass computes per row, or more, so that a block
 * takes some 1e8 multiplications at most and a signal need not wait long. */
const widthOf = ({ outputs, hidden, parameterCount }: TwoLayerClassifier): number =>
  Math.max(3 * outputs + 3 * hidden, Math.ceil(parameterCount / 200));

/** Columns of rows [n, width], from `first` on. */
export function columnsFrom(x: Float64Array, width: number, first: number, count: number): Float64Array {
  const n = x.length / width;
  const to = new Float64Array(n * count);
  for (let i = 0; i < n; i++) to.set(x.subarray(i * width + first, i * width + first + count), i * count);
  return to;
}

/** The architecture in one line. */
export const architectureText = ({ hidden, outputs, parameterCount }: TwoLayerClassifier): string =>
  `${hidden} tanh units, ${outputs} output${outputs === 1 ? '' : 's'}: ${parameterCount.toLocaleString('en')} parameters`;
