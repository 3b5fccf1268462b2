/** The shape of a mixture-density network: a stack of recurrent layers whose outputs are the raw rows of a density. */
import { Random } from '../../../random.ts';
import { isFull, type Mapping, type Shape, shapeOf } from '../../density/mapping.ts';
import { packedIndex } from '../../triangles.ts';
import { StackArchitecture } from '../stack/architecture.ts';
import type { Cell } from '../stack/cell.ts';

/** The options that shape a network, complete and checked. */
export interface NetworkShape {
  readonly dimension: number;
  readonly hidden: readonly number[];
  readonly components: number;
  readonly mapping: Mapping;
  readonly cell: Cell;
  readonly inputSkip: boolean;
  readonly binary: number;
}

export class NetworkArchitecture {
  readonly shape: NetworkShape;
  readonly stack: StackArchitecture;
  /** The head. */
  readonly density: Shape;

  /** Throws INVALID_ARGUMENT, as the stack does. */
  constructor(where: string, { dimension, hidden, components, mapping, cell, inputSkip, binary }: NetworkShape) {
    this.density = shapeOf({ components, dimension, mapping, binary });
    const { outputs } = this.density;
    this.stack = new StackArchitecture(
      where,
      { inputs: dimension, hidden, outputs, cell, inputSkip },
      { inputs: 'dimension', outputs: 'components' },
    );
    this.shape = { dimension, hidden: this.stack.hidden, components, mapping, cell, inputSkip, binary };
  }

  /**
   * Parameters to start learning from: those of the stack; the components lie apart from each other, with standard
   * deviations of about 1. The same for the same seed on one engine. Throws OUT_OF_MEMORY.
   */
  initialise(where: string, seed: number): Float64Array {
    const random = new Random(seed);
    const flat = this.stack.initialise(where, random);
    this.startHead(this.stack.splitByName(flat), random);
    return flat;
  }
  private startHead(named: Readonly<Record<string, Float64Array>>, random: Random): void {
    const { components, gaussian: d, values, mapping } = this.density;
    const by = named['by']!;
    const covariances = components * (1 + d);
    for (let i = components; i < covariances; i++) by[i] = 0.3 * random.normal();
    const isTanh = mapping.startsWith('tanh');
    const diagonal = isTanh ? 1 : mapping.endsWith('softplus') ? Math.log(Math.E - 1) : 0; // softplus of it is 1
    if (mapping !== 'graves')
      for (let from = covariances; from < covariances + components * values; from += values)
        for (let i = 0; i < d; i++) by[from + (isFull(mapping) ? packedIndex(i, i) : i)] = diagonal;
    if (!isTanh) return;
    // a tanh is a variance only where it is positive: at first the hidden units hardly move it
    for (const [n, H] of this.stack.hidden.entries()) {
      const Wy = named[`Wy${n}`]!;
      for (let i = covariances * H; i < (covariances + components * values) * H; i++) Wy[i]! *= 0.1;
    }
  }
}
