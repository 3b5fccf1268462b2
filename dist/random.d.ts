export declare class Random {
    private readonly generator;
    private spare;
    constructor(seed: number);
    /** Uniform on [0, 1). */
    uniform(): number;
    /** N(0, 1), by Marsaglia's polar method. */
    normal(): number;
    /** An index with probability proportional to its weight; never one of weight 0. */
    categorical(weights: Float64Array): number;
}
