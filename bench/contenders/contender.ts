/** A contender of the benchmark: a library, on those cases that it has a method for. */
import type {
  ChainCase,
  ChainDraw,
  ConvolutionCase,
  ConvolutionDraw,
  DensityCase,
  DensityDraw,
  Draw,
  DynamicsCase,
  DynamicsDraw,
  MixtureCase,
  NetworkCase,
  NetworkDraw,
  Real,
  RecurrentCase,
  RecurrentDraw,
} from '../cases.ts';
import type { Who } from '../rows.ts';

export interface Ready {
  /** Computes once, into `out`. */
  run(): void;
  /** Computes for about `seconds` and returns the seconds per call: for what `run` cannot time from outside. */
  time?(seconds: number): number;
  dispose(): void;
}
/** The methods prepare the call to time, which writes its results to `out`; undefined: it does not take the case. */
export interface Contender extends Who {
  /** `out` gets the log-densities. */
  ready?(given: MixtureCase, draw: Draw, out: Real): Ready | undefined;
  /** The same for a density; `out` gets the log-densities, then the gradient dRaw. */
  readyDensity?(given: DensityCase, draw: DensityDraw, out: Real): Ready | undefined;
  /** The same for a network; `out` gets the loss, then the gradient by every parameter in the order of the draw. */
  readyNetwork?(given: NetworkCase, draw: NetworkDraw, out: Real): Ready | undefined;
  /** The same for a linear dynamical system; `out` gets what `PlainDynamics` writes. */
  readyDynamics?(given: DynamicsCase, draw: DynamicsDraw, out: Float64Array): Ready | undefined;
  /** The same for a recurrent classifier; `out` gets the logits; or the loss, dU, dV and dW. */
  readyRecurrent?(given: RecurrentCase, draw: RecurrentDraw, out: Real): Ready | undefined;
  /** The same for a chain of Jacobians; `out` gets the logarithms of the norms. */
  readyChain?(given: ChainCase, draw: ChainDraw, out: Float64Array): Ready | undefined;
  /** The same for a convolution; `out` gets y; or dx, then dw. */
  readyConvolution?(given: ConvolutionCase, draw: ConvolutionDraw, out: Real): Ready | undefined;
}

/** A contender from elsewhere, which may be absent: one adapter file each, listed in guests.ts. */
export interface Guest {
  readonly name: string;
  /** The workloads that it takes; it is opened only for these. */
  readonly workloads: readonly string[];
  /** Throws an Error with the reason if it is absent. */
  open(): Contender | Promise<Contender>;
}
