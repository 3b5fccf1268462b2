/**
 * The only argument checks: what a caller passes becomes what models work on, or a SeqlikError that names the argument
 * with what was expected and what came. `where` is the public name of the call, `argument` that of the argument.
 */
export {
  finiteRows,
  type Gaps,
  gapOptions,
  gaps,
  isOnePoint,
  nonFinite,
  out,
  points,
  type Rows,
  sameRows,
  table,
  weights,
  wrongValue,
} from './check/data.ts';
export {
  amount,
  backend,
  callback,
  choice,
  count,
  fields,
  flag,
  betweenZeroAndOne,
  list,
  names,
  options,
  or,
  positive,
  seed,
  belowOne,
  signal,
  subset,
  text,
} from './check/options.ts';
export { type Ragged, type Sequences, sequences } from './check/sequences.ts';
export { finite, symmetric, tensor } from './check/tensors.ts';
export {
  alike,
  describe,
  dtypeOf,
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
