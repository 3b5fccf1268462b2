export declare const gaussian: {
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
