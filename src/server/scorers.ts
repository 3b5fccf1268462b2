/** How the server scores each kind of model: a kind is one file in the room and one entry here. */
import type { AnyModel, Real } from '../index.ts';
import { recurrentScorer, twoLayerScorer } from './scorers/classifiers.ts';
import type { Scorer } from './scorers/kind.ts';
import { networkScorer } from './scorers/network.ts';
import { rowScorer } from './scorers/rows.ts';
import { systemScorer } from './scorers/system.ts';

export type { Column, Columns, Data, OutputName, OutputShape, Scorer } from './scorers/kind.ts';

type Kind = AnyModel['kind'];
type ModelOf<K extends Kind> = Extract<AnyModel, { readonly kind: K }>;
const scorers: { readonly [K in Kind]: (model: ModelOf<K>) => Scorer } = {
  gaussian: rowScorer,
  'gaussian-mixture': rowScorer,
  'mixture-density-network': networkScorer,
  'linear-dynamical-system': systemScorer,
  'recurrent-classifier': recurrentScorer,
  'two-layer-classifier': twoLayerScorer,
};
/** The scorer of a model of any kind. */
export const scorerOf = (model: AnyModel): Scorer => (scorers[model.kind] as (model: AnyModel) => Scorer)(model);
/** Memory of the dtype of the data. */
export const alike = (values: Real, length: number): Real =>
  values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
