/**
 * The kinds of models, and how each command treats each of them: a kind is one file in the room of each command and one
 * entry here. A kind that files can hold and this table lacks does not compile.
 */

import { describeNetwork } from './describe/network.ts';
import { describeRecurrent } from './describe/recurrent.ts';
import { describeGaussian, describeMixture } from './describe/rows.ts';
import { describeSystem } from './describe/system.ts';
import { describeTwoLayer } from './describe/two-layer.ts';
import type { Description } from './describe.ts';
import type { FitKind } from './fit/kind.ts';
import { networkFit } from './fit/network.ts';
import { recurrentFit } from './fit/recurrent.ts';
import { gaussianFit, mixtureFit } from './fit/rows.ts';
import { systemFit } from './fit/system.ts';
import { twoLayerFit } from './fit/two-layer.ts';
import type { InspectKind } from './inspect/kind.ts';
import { networkInspection } from './inspect/network.ts';
import { recurrentInspection } from './inspect/recurrent.ts';
import { rowInspection } from './inspect/rows.ts';
import { systemInspection } from './inspect/system.ts';
import { twoLayerInspection } from './inspect/two-layer.ts';
import type { AnyModel, Kind, ModelOf } from './model.ts';
import type { OptionsByKind } from './options.ts';
import type { SampleKind } from './sample/kind.ts';
import { networkSample } from './sample/network.ts';
import { rowSample } from './sample/rows.ts';
import { systemSample } from './sample/system.ts';
import type { ScoreKind } from './score/kind.ts';
import { networkScore } from './score/network.ts';
import { recurrentScore } from './score/recurrent.ts';
import { gaussianScore, mixtureScore } from './score/rows.ts';
import { systemScore } from './score/system.ts';
import { twoLayerScore } from './score/two-layer.ts';

/** The treatment of models of type M. */
interface Treatment<M extends AnyModel> {
  readonly fit: FitKind;
  readonly score: ScoreKind<M>;
  readonly inspect: InspectKind<M>;
  readonly describe: (model: M) => Description;
  /** Absent where there is nothing to draw. */
  readonly sample?: SampleKind<M>;
}
export const kinds: { readonly [K in Kind]: Treatment<ModelOf<K>> } = {
  gaussian: {
    fit: gaussianFit,
    score: gaussianScore,
    inspect: rowInspection,
    describe: describeGaussian,
    sample: rowSample,
  },
  'gaussian-mixture': {
    fit: mixtureFit,
    score: mixtureScore,
    inspect: rowInspection,
    describe: describeMixture,
    sample: rowSample,
  },
  'recurrent-classifier': {
    fit: recurrentFit,
    score: recurrentScore,
    inspect: recurrentInspection,
    describe: describeRecurrent,
  },
  'two-layer-classifier': {
    fit: twoLayerFit,
    score: twoLayerScore,
    inspect: twoLayerInspection,
    describe: describeTwoLayer,
  },
  'mixture-density-network': {
    fit: networkFit,
    score: networkScore,
    inspect: networkInspection,
    describe: describeNetwork,
    sample: networkSample,
  },
  'linear-dynamical-system': {
    fit: systemFit,
    score: systemScore,
    inspect: systemInspection,
    describe: describeSystem,
    sample: systemSample,
  },
};
/** The treatment of a model by its kind, which the type of the table guarantees to take it. */
export const treatmentOf = <M extends AnyModel>(model: M): Treatment<M> => kinds[model.kind] as Treatment<AnyModel>;

/** The options of one command by kind. */
export const optionsByKind = (command: 'fit' | 'score' | 'inspect' | 'sample'): OptionsByKind =>
  Object.fromEntries(
    Object.entries(kinds).map(([kind, treatment]: [string, Partial<Treatment<never>>]) => [
      kind,
      treatment[command]?.options ?? [],
    ]),
  );
