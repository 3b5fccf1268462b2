/**
 * The only argument checks. Each turns a caller's value into one that models can work on, or throws a SeqlikError with
 * the argument, what was expected and what was received. `where` is the public name of the call, `argument` that of the
 * argument.
 */
export {
  FAR,
  finiteRows,
  type Gaps,
  gapHint,
  gapOptions,
  gaps,
  indices,
  isOnePoint,
  marking,
  nonFinite,
  out,
  points,
  type Rows,
  type Scoring,
  sameRows,
  table,
  weights,
  wrongValue,
} from './check/data.ts';
export {
  amount,
  backend,
  belowOne,
  betweenZeroAndOne,
  callback,
  choice,
  count,
  fields,
  flag,
  list,
  names,
  options,
  or,
  positive,
  seed,
  signal,
  subset,
  text,
} from './check/options.ts';
export {
  columnsOf,
  type Ragged,
  type RaggedWithGaps,
  type Sequences,
  sequences,
  sequencesWithGaps,
} from './check/sequences.ts';
export { finite, symmetric, tensor } from './check/tensors.ts';
export {
  alike,
  describe,
  dtypeOf,
  type Integers,
  isArray,
  isSingle,
  lengthIn,
  type Matrix,
  MODEL,
  type Points,
  type Real,
  type Result,
  room,
  type Tensor,
  type Vector,
} from './check/values.ts';
