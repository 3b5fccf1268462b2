/**
 * seqlik: likelihoods of vectors and sequences. One façade over two machines, C++ and WebAssembly; any JavaScript runtime.
 */
export { defaultBackend, openBackend } from "./backends/default.js";
export { SeqlikError } from "./errors.js";
export { Gaussian, klDivergence, klDivergenceGradient, } from "./models/gaussian.js";
export { GaussianMixture } from "./models/mixture.js";
