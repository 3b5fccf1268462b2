/**
 * k weighted Gaussians on a backend, factorised once and resident: what Gaussian (k = 1) and GaussianMixture share.
 * Equations: docs/math.md § mixture.
 */
import type { Backend } from '../bind.ts';
import { type Gaps, type Real, type Rows } from '../check.ts';
import { SeqlikError } from '../errors.ts';
import type { Random } from '../random.ts';
export interface Parts {
    /** full: covariances [k,d,d]; diagonal: variances [k,d]. */
    readonly shape: 'full' | 'diagonal';
    readonly k: number;
    readonly d: number;
    readonly weights: Float64Array;
    readonly means: Float64Array;
    readonly covariances: Float64Array;
    /** Their Cholesky factors, packed by rows, where the caller has them. */
    readonly L?: Float64Array;
}
/** Additive statistics of rows; second moments are about the means, [k,d,width] or [k,width]. */
export interface Sums {
    readonly width: number;
    readonly count: Float64Array;
    readonly first: Float64Array;
    readonly second: Float64Array;
    readonly logLikelihood: Float64Array;
}
export declare class Components {
    readonly backend: Backend;
    readonly parts: Parts;
    /** Lower triangles packed by rows [k,tri(d)], or standard deviations [k,d]. */
    readonly L: Float64Array;
    /** log |covariance| of each. */
    readonly logDet: Float64Array;
    private readonly prepared;
    /** `which` is the public name of the covariances. Throws NOT_POSITIVE_DEFINITE. */
    constructor(backend: Backend, parts: Parts, where: string, which: string);
    /** log Σ_c w_c N(x | c) of each row, into `out`; of a row without observations 0. */
    logDensity(where: string, x: Rows, missing: Gaps, out: Real): Real;
    /** w_c N(x | c) / Σ, [n,k]; of a row without observations the weights. */
    responsibilities(where: string, x: Rows, missing: Gaps): Real;
    /** Counts, first and second moments about the means, and the log-likelihood, of complete rows. */
    expect(where: string, { values, n }: Rows): Sums;
    /** The same Gaussians over some of the coordinates. */
    marginal(dims: readonly number[], where: string, which: string): Components;
    /** mean + L z of component c, into `to`. */
    draw(random: Random, c: number, to: Float64Array): void;
    dispose(): void;
    /** One kernel call over complete rows, which lie at `of` in the caller's data (undefined: they are it). */
    private score;
    private kernels;
    /** The parameters of the kernels, made once per dtype. */
    private resident;
    private prepare;
    /**
     * Rows with the same observed coordinates, with the marginal over these: all rows at once if none has a gap, else
     * gathered, with their places in `of`; without `part` if nothing was observed.
     */
    private patterns;
}
export declare const notPositiveDefinite: (where: string, which: string, pivot: number, value: number, component?: number) => SeqlikError;
/** A = L Lᵀ of `count` matrices of size d. The first pivot not > 0 is handed to `failed`, with its value. */
export declare function factorise(backend: Backend, A: Float64Array, count: number, d: number, failed: (failure: {
    matrix: number;
    pivot: number;
    value: number;
}) => Error): {
    L: Float64Array;
    logDet: Float64Array;
};
