/** Models of independent rows: Gaussian and GaussianMixture. */
import { type Gaussian, GaussianMixture, type Real } from '../../index.ts';
import { type Column, type Columns, type Data, type OutputName, type OutputShape, real, type Scorer } from './kind.ts';

/** The cost of a pattern of gaps beside its rows: the marginal is factorised, and made resident. */
const PATTERN = 20_000;

export function rowScorer(model: Gaussian | GaussianMixture): Scorer {
  const mixture = model instanceof GaussianMixture ? model : undefined;
  const { dimension: d } = model;
  const k = mixture?.componentCount ?? 1;
  const threshold = mixture?.anomaly?.threshold;
  const outputs: { [O in OutputName]?: OutputShape } = { logDensity: real('row') };
  if (mixture) {
    outputs.responsibilities = real('row', k);
    outputs.component = { per: 'row', width: 1, type: 'int' };
  }
  if (threshold !== undefined) outputs.anomaly = { per: 'row', width: 1, type: 'flag' };

  /** The outputs that follow from densities and shares. */
  function columnsOf(wanted: readonly OutputName[], density: Real | undefined, shares: Real | undefined): Columns {
    const column = (values: Column['values'], width = 1): Column => ({ values, width, per: 'row' });
    const columns: Columns = {};
    for (const name of wanted)
      if (name === 'logDensity') columns.logDensity = column(density!);
      else if (name === 'responsibilities') columns.responsibilities = column(shares!, k);
      else if (name === 'component') columns.component = column(largest(shares!, k));
      else columns.anomaly = column(Uint8Array.from(density!, (value) => Number(value < threshold!)));
    return columns;
  }
  return {
    dimension: d,
    knowsGaps: true,
    ofSequences: false,
    outputs,
    standard: ['logDensity'],
    pricePerRow: (gaps) => k * d * d + d + (gaps ? (k * d * d * d) / 3 + PATTERN : 0),
    score({ values, gaps }, wanted) {
      const how = gaps ? ({ missing: 'nan' } as const) : {};
      const density = needsDensity(wanted) ? model.logDensity(values, how) : undefined;
      const shares = needsShares(wanted) ? mixture!.responsibilities(values, how) : undefined;
      return columnsOf(wanted, density, shares);
    },
    ...(model.backend.name === 'native' && {
      scoreAsync({ values, gaps }: Data, wanted: readonly OutputName[], signal: AbortSignal) {
        if (needsShares(wanted)) return undefined;
        const how = gaps ? ({ missing: 'nan' } as const) : {};
        return model
          .logDensityAsync(values, { ...how, signal })
          .then((density) => columnsOf(wanted, density, undefined));
      },
    }),
  };
}
const needsDensity = (wanted: readonly OutputName[]): boolean =>
  wanted.includes('logDensity') || wanted.includes('anomaly');
const needsShares = (wanted: readonly OutputName[]): boolean =>
  wanted.includes('responsibilities') || wanted.includes('component');

/** The first of the largest shares of each row, as `classify` finds it. */
function largest(shares: Real, k: number): Int32Array {
  const components = new Int32Array(shares.length / k);
  for (let i = 0; i < components.length; i++) {
    let best = 0;
    for (let c = 1; c < k; c++) if (shares[i * k + c]! > shares[i * k + best]!) best = c;
    components[i] = best;
  }
  return components;
}
