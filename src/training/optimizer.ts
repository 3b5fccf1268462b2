/** Optimisers turn a gradient into a step. All parameters of a model are one flat vector: docs/math/training.md. */

export const optimizers = ['adam', 'sgd'] as const;
export type OptimizerName = (typeof optimizers)[number];

export interface Optimizer {
  /**
   * Moves `parameters` in place, against `factor` (default 1) times `gradient`, which is left as it is. Returns whether
   * all of them are still finite.
   */
  step(parameters: Float64Array, gradient: Float64Array, rate: number, factor?: number): boolean;
  /** The optimiser's memory, live: copied and written back, it continues to the same bits. */
  readonly state: Readonly<Record<string, Float64Array>>;
}

/** An optimiser by name; `momentum` applies to sgd only. */
export function optimizerOf(name: OptimizerName, momentum: number, size: number): Optimizer {
  return name === 'adam' ? adam(size) : sgd(size, momentum);
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1) for `size` parameters, both moments corrected for their start at 0:
 *
 *     m = β₁ m + (1 - β₁) g     v = β₂ v + (1 - β₂) g²     p -= rate (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
 *
 * The last is evaluated in the order of the paper's section 2, with one division per parameter instead of three.
 */
export function adam(size: number, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {}): Optimizer {
  const first = new Float64Array(size);
  const second = new Float64Array(size);
  const powers = Float64Array.of(1, 1); // β₁ᵗ, β₂ᵗ: products, because ** may differ between engines
  return {
    state: { first, second, powers },
    step(parameters, gradient, rate, factor = 1) {
      powers[0]! *= beta1;
      powers[1]! *= beta2;
      const root = Math.sqrt(1 - powers[1]!);
      const pace = (rate * root) / (1 - powers[0]!);
      const least = epsilon * root;
      let zero = 0; // p - p is NaN for what is not finite, and NaN stays
      for (let i = 0; i < size; i++) {
        const g = factor * gradient[i]!;
        const m = beta1 * first[i]! + (1 - beta1) * g;
        const v = beta2 * second[i]! + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        const p = parameters[i]! - (pace * m) / (Math.sqrt(v) + least);
        parameters[i] = p;
        zero += p - p;
      }
      return zero === 0;
    },
  };
}

/** Gradient descent with momentum μ (Polyak 1964, in the form of PyTorch): v = μ v + g, p -= rate v. */
export function sgd(size: number, momentum = 0.9): Optimizer {
  const velocity = new Float64Array(size);
  return {
    state: { velocity },
    step(parameters, gradient, rate, factor = 1) {
      let zero = 0; // as in adam
      for (let i = 0; i < size; i++) {
        const v = momentum * velocity[i]! + factor * gradient[i]!;
        const p = parameters[i]! - rate * v;
        velocity[i] = v;
        parameters[i] = p;
        zero += p - p;
      }
      return zero === 0;
    },
  };
}
