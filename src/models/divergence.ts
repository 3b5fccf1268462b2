/**
 * Kullback-Leibler divergences: exact between Gaussians, estimated between mixtures. Equations: docs/math/gaussian.md.
 */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import * as check from '../check.ts';
import { argumentError, callError } from '../errors.ts';
import type { Components } from './components/components.ts';
import { ParameterReader } from './components/parameters.ts';
import { Gaussian, type GaussianLike } from './gaussian.ts';
import { GaussianMixture, type MixtureLike } from './mixture.ts';
import { isA, type OnBackend } from './model.ts';
import { packDiagonals, packedIndex, packLower, tri } from './triangles.ts';

interface Divergence {
  kl: Float64Array;
  a: Float64Array;
  dP: Float64Array;
  dQ: Float64Array;
  diagonal: boolean;
  d: number;
}

/** Two Gaussians of one dimension, checked together in the order of docs/math.md § Conventions. */
function readPair(
  where: string,
  p: GaussianLike,
  q: GaussianLike,
  given?: OnBackend,
): { p: ParameterReader; q: ParameterReader; backend: Backend } {
  const own = [p, q].find((like) => isA(Gaussian, like))?.backend;
  const backend = check.backend(where, check.options(where, given, ['backend']).backend, () => own ?? defaultBackend());
  const P = new ParameterReader(where, 'p.', Gaussian.parametersOf(p));
  const Q = new ParameterReader(where, 'q.', Gaussian.parametersOf(q));
  P.readTensors();
  Q.readTensors(P.d);
  for (const read of [P, Q]) read.checkFinite();
  for (const read of [P, Q]) read.checkSymmetric();
  return { p: P, q: Q, backend };
}
function computeDivergence(where: string, ...given: [GaussianLike, GaussianLike, OnBackend?]): Divergence {
  const { p, q, backend } = readPair(where, ...given);
  const { d } = p;
  const diagonal = p.form === 'variances' && q.form === 'variances';
  const size = diagonal ? d : d * d;
  const results = {
    kl: new Float64Array(1),
    a: new Float64Array(d),
    dP: new Float64Array(size),
    dQ: new Float64Array(size),
  };
  const means = { meanP: p.mean, meanQ: q.mean };
  const { gaussian } = backend.f64;
  if (diagonal)
    gaussian.divergenceDiagonal(
      { n: 1, d },
      { ...means, vP: p.positiveVariances(), vQ: q.positiveVariances(), ...results },
    );
  else gaussian.divergence({ n: 1, d }, { ...means, LP: p.factor(backend), LQ: q.factor(backend), ...results });
  return { ...results, diagonal, d };
}
function requireFinite(where: string, values: Float64Array): Float64Array {
  if (values.every(Number.isFinite)) return values;
  throw callError('NON_FINITE', where, 'the divergence of these Gaussians overflows', { argument: 'p' });
}

/**
 * KL(p ‖ q) of two Gaussians of one dimension, in nats, >= 0; in diagonal form if both are given by variances. Runs on
 * the backend of p, else of q, unless `backend` is given.
 * Throws what the constructor of Gaussian throws, with names that begin with 'p.' or 'q.'; NON_FINITE if it overflows.
 * @example
 * const p = { mean: [0], variances: [1] };
 * klDivergence(p, { mean: [1], variances: [2] }); // 0.34657359...
 */
export function klDivergence(p: GaussianLike, q: GaussianLike, options?: OnBackend): number {
  return requireFinite('klDivergence', computeDivergence('klDivergence', p, q, options).kl)[0]!;
}

/** KL(p ‖ q) and its gradients by the parameters of p and q, in f64. */
export interface DivergenceGradient {
  /** KL(p ‖ q), in nats. */
  kl: number;
  /** [d] */
  dMeanP: Float64Array;
  /** [d] */
  dMeanQ: Float64Array;
  /** [d,d], symmetric unconstrained; packed: by the lower triangle, packed by rows [d(d+1)/2]. */
  dCovarianceP?: Float64Array;
  /** [d,d], as dCovarianceP. */
  dCovarianceQ?: Float64Array;
  /** [d(d+1)/2]: dCovarianceP by the lower triangle, packed by rows. */
  dPackedP?: Float64Array;
  /** [d(d+1)/2], as dPackedP. */
  dPackedQ?: Float64Array;
  /** [d], instead, if both are given by variances. */
  dVariancesP?: Float64Array;
  /** [d], as dVariancesP. */
  dVariancesQ?: Float64Array;
}
/**
 * klDivergence and its gradients, in f64; throws the same.
 * @example
 * const p = { mean: [0], variances: [1] };
 * klDivergenceGradient(p, { mean: [1], variances: [2] }).dMeanP; // Float64Array(1) [ -0.5 ]
 */
export function klDivergenceGradient(p: GaussianLike, q: GaussianLike, options?: OnBackend): DivergenceGradient {
  const where = 'klDivergenceGradient';
  const { kl, a, dP, dQ, diagonal, d } = computeDivergence(where, p, q, options);
  for (const values of [kl, a, dP, dQ]) requireFinite(where, values);
  const means = { kl: kl[0]!, dMeanP: a, dMeanQ: a.map((v) => -v) };
  if (diagonal) return { ...means, dVariancesP: dP, dVariancesQ: dQ };
  return { ...means, dCovarianceP: dP, dCovarianceQ: dQ, dPackedP: packGradient(dP, d), dPackedQ: packGradient(dQ, d) };
}
/** A symmetric gradient [d,d] by the packed lower triangle [tri(d)]: an off-diagonal value feeds two entries. */
function packGradient(G: Float64Array, d: number): Float64Array {
  const packed = packLower(G, d);
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) packed[packedIndex(i, j)]! *= 2;
  return packed;
}

/**
 * KL(p ‖ q) of mixtures, which has no closed form. 'monte-carlo': the mean of log p - log q over `samples` draws from p
 * (default 10,000) with its standard error. 'variational': the approximation of Hershey and Olsen (ICASSP 2007, eq.
 * 20).
 * Throws what the constructor of GaussianMixture throws, INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE if it
 * overflows.
 * @example
 * const p = new GaussianMixture({ weights: [1], means: [0], covariances: [1] });
 * mixtureDivergence(p, p, { method: 'variational' }).estimate; // 0
 */
export function mixtureDivergence(
  p: MixtureLike,
  q: MixtureLike,
  options: { readonly method: 'monte-carlo' | 'variational'; readonly samples?: number; readonly seed?: number },
): { estimate: number; standardError?: number } {
  const where = 'mixtureDivergence';
  const given = check.options(where, options, ['method', 'samples', 'seed']);
  const method = check.choice(where, 'method', given.method, ['monte-carlo', 'variational']);
  const samples = check.count(where, 'samples', check.or(given.samples, 10_000), 2);
  const seed = check.seed(where, given.seed);
  const [P, Q] = [GaussianMixture.of(p), GaussianMixture.of(q)];
  if (P.dimension !== Q.dimension)
    throw argumentError('DIMENSION_MISMATCH', where, 'q', {
      expected: `dimension ${P.dimension}, that of p`,
      received: `dimension ${Q.dimension}`,
      reason: `has dimension ${Q.dimension}, p ${P.dimension}`,
    });
  if (method === 'monte-carlo') return monteCarlo(P, Q, samples, seed);
  return { estimate: requireFinite(where, Float64Array.of(variational(P, Q)))[0]! };
}
function monteCarlo(
  p: GaussianMixture,
  q: GaussianMixture,
  n: number,
  seed: number,
): { estimate: number; standardError: number } {
  const x = p.sample(n, { seed });
  const other = q.logDensity(x);
  const ratio = p.logDensity(x).map((v, i) => v - other[i]!) as Float64Array;
  const estimate = ratio.reduce((a, b) => a + b, 0) / n;
  const variance = ratio.reduce((a, b) => a + (b - estimate) ** 2, 0) / (n - 1);
  return { estimate, standardError: Math.sqrt(variance / n) };
}
/** Σ_a w_a log( Σ_a' w_a' exp(-KL(a ‖ a')) / Σ_b v_b exp(-KL(a ‖ b)) ) */
function variational(p: GaussianMixture, q: GaussianMixture): number {
  const [P, Q] = [p, q].map((mixture) => GaussianMixture.componentsOf(mixture)) as [Components, Components];
  const own = componentDivergences(P, P);
  const other = componentDivergences(P, Q);
  const { weights } = P.parts;
  return weights.reduce((sum, w, a) => {
    if (w === 0) return sum;
    return sum + w * (logNearness(own, weights, a) - logNearness(other, Q.parts.weights, a));
  }, 0);
}
/** log Σ_b v_b exp(-kl[a,b]), relative to the nearest: every term may underflow. */
function logNearness(kl: Float64Array, v: Float64Array, a: number): number {
  const row = kl.subarray(a * v.length, (a + 1) * v.length);
  const least = row.reduce((nearest, x, b) => (v[b]! > 0 && x < nearest ? x : nearest), Number.POSITIVE_INFINITY);
  if (least === Number.POSITIVE_INFINITY) return -least;
  return Math.log(v.reduce((sum, w, b) => sum + (w > 0 ? w * Math.exp(least - row[b]!) : 0), 0)) - least;
}
/** KL of every component of P from every one of Q: [M,N]. */
function componentDivergences(P: Components, Q: Components): Float64Array {
  const { d } = P.parts;
  const n = P.parts.k * Q.parts.k;
  const each = (which: (pair: number) => number, values: Float64Array, size: number): Float64Array =>
    Float64Array.from({ length: n * size }, (_, i) => values[which(Math.floor(i / size)) * size + (i % size)]!);
  const first = (pair: number): number => Math.floor(pair / Q.parts.k);
  const second = (pair: number): number => pair % Q.parts.k;
  const kl = new Float64Array(n);
  P.backend.f64.gaussian.divergence(
    { n, d },
    {
      meanP: each(first, P.parts.means, d),
      LP: each(first, factorsOf(P), tri(d)),
      meanQ: each(second, Q.parts.means, d),
      LQ: each(second, factorsOf(Q), tri(d)),
      kl,
      a: new Float64Array(n * d),
      dP: new Float64Array(n * d * d),
      dQ: new Float64Array(n * d * d),
    },
  );
  return kl;
}
/** The Cholesky factors of all components, packed, also where they have variances. */
const factorsOf = ({ full, L, parts: { k, d } }: Components): Float64Array => (full ? L : packDiagonals(L, k, d));
