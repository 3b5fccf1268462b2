export declare const contract: {
    readonly gaussian: {
        readonly factor: {
            readonly formula: "A = L Lᵀ, lower triangle packed by rows; logDet = 2 Σ log L[j,j]. Fails at (matrix, pivot)";
            readonly dims: readonly ["k", "d"];
            readonly args: {
                readonly A: "in f64 k d d";
                readonly L: "out f64 k tri(d)";
                readonly logDet: "out f64 k";
            };
            readonly rows: "k";
            readonly work: "k d d d";
            readonly info: readonly ["k", "d"];
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly divergence: {
            readonly formula: "kl = KL(N(meanP, LP LPᵀ) ‖ N(meanQ, LQ LQᵀ)), its gradients: a to meanP (-a to meanQ), dP to P, dQ to Q";
            readonly dims: readonly ["n", "d"];
            readonly args: {
                readonly meanP: "in f64 n d";
                readonly LP: "in f64 n tri(d)";
                readonly meanQ: "in f64 n d";
                readonly LQ: "in f64 n tri(d)";
                readonly W: "tmp f64 d d";
                readonly inverse: "tmp f64 d d";
                readonly kl: "out f64 n";
                readonly a: "out f64 n d";
                readonly dP: "out f64 n d d";
                readonly dQ: "out f64 n d d";
            };
            readonly rows: "n";
            readonly work: "n d d d";
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly divergenceDiagonal: {
            readonly formula: "the same for variances vP, vQ:  t = (vP - vQ)/vQ,  kl = ½ Σ (t - log(1 + t) + (meanP - meanQ)²/vQ)";
            readonly dims: readonly ["n", "d"];
            readonly args: {
                readonly meanP: "in f64 n d";
                readonly vP: "in f64 n d";
                readonly meanQ: "in f64 n d";
                readonly vQ: "in f64 n d";
                readonly kl: "out f64 n";
                readonly a: "out f64 n d";
                readonly dP: "out f64 n d";
                readonly dQ: "out f64 n d";
            };
            readonly rows: "n";
            readonly work: "n d 16";
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
    };
    readonly mixture: {
        readonly prepare: {
            readonly formula: "W[c] = √(½ log₂e) L[c]⁻¹ packed by columns;  b[c] = log₂ weights[c] - ½ (d log₂ 2π + log₂|Σ[c]|)";
            readonly dims: readonly ["k", "d"];
            readonly args: {
                readonly weights: "in f64 k";
                readonly L: "in f64 k tri(d)";
                readonly logDet: "in f64 k";
                readonly column: "tmp f64 d";
                readonly b: "out k";
                readonly W: "out k tri(d)";
            };
            readonly rows: "k";
            readonly work: "k d d d";
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly prepareDiagonal: {
            readonly formula: "u[c,j] = √(½ log₂e) / L[c,j], L[c] the standard deviations;  b[c] as in prepare";
            readonly dims: readonly ["k", "d"];
            readonly args: {
                readonly weights: "in f64 k";
                readonly L: "in f64 k d";
                readonly logDet: "in f64 k";
                readonly b: "out k";
                readonly u: "out k d";
            };
            readonly rows: "k";
            readonly work: "k d 16";
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly logDensity: {
            readonly formula: "out[i] = log Σ_c 2^q[c],  q[c] = b[c] - ‖W[c] (x[i] - mean[c])‖²";
            readonly dims: readonly ["n", "d", "k"];
            readonly args: {
                readonly out: "out n";
                readonly tile: "tmp 128 d";
                readonly centred: "tmp 128 d";
                readonly q: "tmp 128 k";
                readonly line: "tmp 128";
                readonly x: "in n d";
                readonly b: "in k";
                readonly mean: "in k d";
                readonly W: "in k tri(d)";
            };
            readonly rows: "n";
            readonly work: "n k tri(d)";
            readonly info: readonly ["n"];
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly logDensityDiagonal: {
            readonly formula: "out[i] = log Σ_c 2^q[c],  q[c] = b[c] - Σ_j (u[c,j] (x[i,j] - mean[c,j]))²";
            readonly dims: readonly ["n", "d", "k"];
            readonly args: {
                readonly out: "out n";
                readonly tile: "tmp 128 d";
                readonly q: "tmp 128 k";
                readonly line: "tmp 128";
                readonly x: "in n d";
                readonly b: "in k";
                readonly mean: "in k d";
                readonly u: "in k d";
            };
            readonly rows: "n";
            readonly work: "n k d";
            readonly info: readonly ["n"];
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly responsibilities: {
            readonly formula: "r[i,c] = 2^q[c] / Σ_c 2^q[c]";
            readonly dims: readonly ["n", "d", "k"];
            readonly args: {
                readonly r: "out n k";
                readonly tile: "tmp 128 d";
                readonly centred: "tmp 128 d";
                readonly q: "tmp 128 k";
                readonly line: "tmp 128";
                readonly x: "in n d";
                readonly b: "in k";
                readonly mean: "in k d";
                readonly W: "in k tri(d)";
            };
            readonly rows: "n";
            readonly work: "n k tri(d)";
            readonly info: readonly ["n"];
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly responsibilitiesDiagonal: {
            readonly formula: "r[i,c] = 2^q[c] / Σ_c 2^q[c]";
            readonly dims: readonly ["n", "d", "k"];
            readonly args: {
                readonly r: "out n k";
                readonly tile: "tmp 128 d";
                readonly q: "tmp 128 k";
                readonly line: "tmp 128";
                readonly x: "in n d";
                readonly b: "in k";
                readonly mean: "in k d";
                readonly u: "in k d";
            };
            readonly rows: "n";
            readonly work: "n k d";
            readonly info: readonly ["n"];
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly expect: {
            readonly formula: string;
            readonly dims: readonly ["n", "d", "k"];
            readonly args: {
                readonly count: "sum k";
                readonly first: "sum k pad(d)";
                readonly second: "sum k d pad(d)";
                readonly logLikelihood: "sum 1";
                readonly y: "tmp f64 128 pad(d)";
                readonly ry: "tmp f64 128 pad(d)";
                readonly r: "tmp f64 128";
                readonly tile: "tmp 128 d";
                readonly centred: "tmp 128 d";
                readonly q: "tmp 128 k";
                readonly line: "tmp 128";
                readonly x: "in n d";
                readonly b: "in k";
                readonly mean: "in k d";
                readonly W: "in k tri(d)";
            };
            readonly rows: "n";
            readonly work: "n k d d";
            readonly info: readonly ["n"];
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
        readonly expectDiagonal: {
            readonly formula: "y = x[i] - mean[c];  count[c] += r, first[c] += r y, second[c] += r y², logLikelihood += log p(x[i])";
            readonly dims: readonly ["n", "d", "k"];
            readonly args: {
                readonly count: "sum k";
                readonly first: "sum k pad(d)";
                readonly second: "sum k pad(d)";
                readonly logLikelihood: "sum 1";
                readonly y: "tmp f64 128 pad(d)";
                readonly ry: "tmp f64 128 pad(d)";
                readonly r: "tmp f64 128";
                readonly tile: "tmp 128 d";
                readonly q: "tmp 128 k";
                readonly line: "tmp 128";
                readonly x: "in n d";
                readonly b: "in k";
                readonly mean: "in k d";
                readonly u: "in k d";
            };
            readonly rows: "n";
            readonly work: "n k d 2";
            readonly info: readonly ["n"];
            readonly rtol: {
                f64: number;
                f32: number;
            };
        };
    };
};
export type Table = typeof contract;
