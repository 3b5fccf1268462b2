import type { Backend } from '../bind.ts';
import type { Gaps, Matrix, Points, Real, Vector } from '../check.ts';
import { Components } from './components.ts';
import { Model } from './model.ts';
/** mean [d] and one of: covariance [d,d], its lower triangular Cholesky factor [d,d], variances [d]. */
export type GaussianParameters = {
    readonly mean: Vector;
    readonly covariance: Matrix;
} | {
    readonly mean: Vector;
    readonly cholesky: Matrix;
} | {
    readonly mean: Vector;
    readonly variances: Vector;
};
export type GaussianLike = Gaussian | GaussianParameters;
export interface OnBackend {
    readonly backend?: Backend;
}
declare const spreads: readonly ["covariance", "cholesky", "variances"];
type Spread = (typeof spreads)[number];
/**
 * N(mean, covariance) in d dimensions.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC, NOT_POSITIVE_DEFINITE (which, pivot).
 */
export declare class Gaussian extends Model {
    readonly kind = "gaussian";
    readonly backend: Backend;
    readonly dimension: number;
    private readonly read;
    private readonly components;
    constructor(parameters: GaussianParameters, options?: OnBackend);
    /** { mean, covariance | cholesky | variances }, as given; f64, flat. */
    get parameters(): {
        mean: Float64Array;
    } & Partial<Record<Spread, Float64Array>>;
    /**
     * log N(x) of each row of x [n,d], in the dtype of x; into `out` [n] if given (which may hold part of the results when
     * an error is thrown). With gaps the density of what was observed; 0 where nothing was.
     * Throws DIMENSION_MISMATCH, NON_FINITE (row, column), INVALID_ARGUMENT.
     */
    logDensity(x: Points, options?: {
        readonly out?: Real;
    } & Gaps): Real;
    /** ½ d log 2πe + ½ log |covariance|, in nats. */
    entropy(): number;
    /** n draws [n,d]; the same for the same seed. */
    sample(n: number, options?: {
        readonly seed?: number;
    }): Float64Array;
    /** What divergences read: the parameters as they were given. */
    static parametersOf(like: unknown): unknown;
    protected release(): void;
}
/** logDensity of Gaussian and GaussianMixture. */
export declare function scored(model: {
    dimension: number;
}, components: Components, where: string, x: Points, given: ({
    readonly out?: Real;
} & Gaps) | undefined, live: () => void): Real;
/**
 * KL(p ‖ q) in nats, >= 0. Both given by variances: the diagonal form.
 * Throws what the constructor of Gaussian throws; names begin with 'p.' or 'q.'. NON_FINITE if it overflows.
 */
export declare function klDivergence(p: GaussianLike, q: GaussianLike, options?: OnBackend): number;
export interface DivergenceGradient {
    kl: number;
    /** [d] */
    dMeanP: Float64Array;
    dMeanQ: Float64Array;
    /** Symmetric unconstrained [d,d], and with respect to the packed lower triangle [d(d+1)/2]. */
    dCovarianceP?: Float64Array;
    dCovarianceQ?: Float64Array;
    dPackedP?: Float64Array;
    dPackedQ?: Float64Array;
    /** [d]; both given by variances. */
    dVariancesP?: Float64Array;
    dVariancesQ?: Float64Array;
}
/** klDivergence and its gradients; throws the same. */
export declare function klDivergenceGradient(p: GaussianLike, q: GaussianLike, options?: OnBackend): DivergenceGradient;
export {};
