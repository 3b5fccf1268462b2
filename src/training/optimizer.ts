/** How a gradient becomes a step. All parameters of a model are one flat vector. Equations: docs/math.md § training. */

export const optimizers = ['adam', 'sgd'] as const;
export type OptimizerName = (typeof optimizers)[number];

export interface Optimizer {
  /** Moves `parameters` in place, against `factor` (default 1) times `gradient`, which is left as it is. */
  step(parameters: Float64Array, gradient: Float64Array, rate: number, factor?: number): void;
  /** All it remembers, live: who copies these arrays and writes them back goes on to the same bits. */
  readonly state: Readonly<Record<string, Float64Array>>;
}

/** `momentum` is of sgd only. */
export function optimizerOf(name: OptimizerName, momentum: number, size: number): Optimizer {
  return name === 'adam' ? adam(size) : sgd(size, momentum);
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1) of `size` parameters, both moments corrected for their start at 0:
 *
 *     m = β₁ m + (1 - β₁) g     v = β₂ v + (1 - β₂) g²     p -= rate (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
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
      const c1 = 1 - powers[0]!;
      const c2 = 1 - powers[1]!;
      for (let i = 0; i < size; i++) {
        const g = factor * gradient[i]!;
        const m = beta1 * first[i]! + (1 - beta1) * g;
        const v = beta2 * second[i]! + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        parameters[i]! -= (rate * (m / c1)) / (Math.sqrt(v / c2) + epsilon);
      }
    },
  };
}

/** Gradient descent with momentum μ (Polyak 1964, in the form of PyTorch): v = μ v + g, p -= rate v. */
export function sgd(size: number, momentum = 0.9): Optimizer {
  const velocity = new Float64Array(size);
  return {
    state: { velocity },
    step(parameters, gradient, rate, factor = 1) {
      for (let i = 0; i < size; i++) {
        velocity[i] = momentum * velocity[i]! + factor * gradient[i]!;
        parameters[i]! -= rate * velocity[i]!;
      }
    },
  };
}
