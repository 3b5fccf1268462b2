import type { Backend } from '../bind.ts';
import type { Gaps, Points, Real, Tensor, Vector } from '../check.ts';
import { type OnBackend } from './gaussian.ts';
import { Model } from './model.ts';
export declare const covarianceTypes: readonly ["full", "tied", "diagonal", "spherical"];
export type CovarianceType = (typeof covarianceTypes)[number];
export interface MixtureParameters {
    /** [M], >= 0, sum 1 within 1e-9 */
    readonly weights: Vector;
    /** [M,d] */
    readonly means: Tensor;
    /** full [M,d,d], tied [d,d], diagonal [M,d] (variances), spherical [M] (variances) */
    readonly covariances: Tensor;
    /** Default: full. */
    readonly covarianceType?: CovarianceType;
}
export interface MixtureGradient {
    /** -Σ log p(x) */
    loss: number;
    /** [M], the weights taken as free */
    dWeights: Float64Array;
    /** [M,d] */
    dMeans: Float64Array;
    /** The shape of the covariances; symmetric unconstrained. */
    dCovariances: Float64Array;
}
/**
 * Σ_c weights[c] N(means[c], covariances[c]) with M components in d dimensions.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC (component), NOT_POSITIVE_DEFINITE
 * (which, component, pivot).
 */
export declare class GaussianMixture extends Model {
    readonly kind = "gaussian-mixture";
    readonly backend: Backend;
    readonly dimension: number;
    readonly componentCount: number;
    readonly covarianceType: CovarianceType;
    private readonly covariances;
    private readonly components;
    constructor(parameters: MixtureParameters, options?: OnBackend);
    /** { weights, means, covariances, covarianceType }, f64, flat. */
    get parameters(): {
        weights: Float64Array;
        means: Float64Array;
        covariances: Float64Array;
        covarianceType: CovarianceType;
    };
    /**
     * log p(x) of each row of x [n,d], in the dtype of x; into `out` [n] if given (which may hold part of the results when
     * an error is thrown). With gaps the density of what was observed; 0 where nothing was.
     * Throws DIMENSION_MISMATCH, NON_FINITE (row, column), INVALID_ARGUMENT.
     */
    logDensity(x: Points, options?: {
        readonly out?: Real;
    } & Gaps): Real;
    /** P(component | x) of each row [n,M]; shares below 2^-60 of the largest are 0. Throws as logDensity. */
    responsibilities(x: Points, options?: Gaps): Real;
    /** The most responsible component of each row [n]; the first of several. Throws as logDensity. */
    classify(x: Points, options?: Gaps): Int32Array;
    /** Σ log p(x) over the rows. Throws as logDensity. */
    logLikelihood(x: Points, options?: Gaps): number;
    /**
     * loss = -Σ log p(x) over the rows of x [n,d], and its gradients: equations 18 to 20 of the notes, corrected.
     * Throws as logDensity.
     */
    lossGradient(x: Points): MixtureGradient;
    /** n draws [n,d]; the same for the same seed. */
    sample(n: number, options?: {
        readonly seed?: number;
    }): Float64Array;
    private shares;
    /** d loss / d weight of a component that weighs nothing: -Σ N(x | c)/p(x), which no responsibility tells. */
    private freeWeight;
    protected release(): void;
}
