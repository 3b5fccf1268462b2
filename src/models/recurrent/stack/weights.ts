/** The parameters of a network where the kernels live: both orientations, padded to whole lines, in one dtype. */
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import type { DType, Resident } from '../../../grammar.ts';
import { allocated } from '../../../memory.ts';
import type { Architecture, Slot } from './architecture.ts';

/** [columns][pad(rows)]: what a layer multiplies by; [rows][pad(columns)]: what its gradient multiplies by. */
type Orientation = 'across' | 'along';

export class Weights {
  private readonly residents = new Map<string, Resident<Real>>();
  private readonly biases = new Map<string, Real>();
  private readonly line: number;
  private readonly flat: Float64Array;
  /** The same in the dtype of the kernels: rounded once for all orientations. */
  private readonly rounded: Real;
  private scratch: Real;
  constructor(
    private readonly backend: Backend,
    readonly architecture: Architecture,
    flat: Float64Array,
    /** Whether the kernels compute in f32. */
    readonly single: boolean,
  ) {
    this.line = single ? 16 : 8;
    this.flat = allocated('weights', flat.length, () => flat.slice());
    this.rounded = single ? this.array(flat.length) : this.flat;
    if (single) this.rounded.set(flat);
    this.scratch = this.array(0);
  }

  get dtype(): DType {
    return this.single ? 'f32' : 'f64';
  }
  /** The weight matrix of this name, brought to the kernels when it is first asked for. */
  across(name: string): Resident<Real> {
    return this.resident(name, 'across');
  }
  along(name: string): Resident<Real> {
    return this.resident(name, 'along');
  }
  /** A bias in the dtype of the kernels. */
  bias(name: string): Real {
    let bias = this.biases.get(name);
    if (!bias) {
      const { at, rows } = this.architecture.slot(name);
      bias = this.array(rows);
      bias.set(this.rounded.subarray(at, at + rows));
      this.biases.set(name, bias);
    }
    return bias;
  }
  array(length: number): Real {
    return allocated('weights', length, () => (this.single ? new Float32Array(length) : new Float64Array(length)));
  }

  /** Other values for the same network. No call may be under way. */
  write(flat: Float64Array): void {
    if (same(this.flat, flat)) return;
    this.flat.set(flat);
    if (this.single) this.rounded.set(flat);
    this.biases.clear();
    for (const [key, resident] of this.residents) {
      const [name, orientation] = key.split(' ') as [string, Orientation];
      resident.write(this.oriented(name, orientation));
    }
  }
  dispose(): void {
    for (const resident of this.residents.values()) resident.dispose();
    this.residents.clear();
  }

  private resident(name: string, orientation: Orientation): Resident<Real> {
    const key = `${name} ${orientation}`;
    let resident = this.residents.get(key);
    if (!resident) this.residents.set(key, (resident = this.backend.hold(this.oriented(name, orientation))));
    return resident;
  }
  /** To be copied: the memory is used again. */
  private oriented(name: string, orientation: Orientation): Real {
    const slot = this.architecture.slot(name);
    return orientation === 'across' ? this.transposed(slot) : this.padded(slot);
  }
  private padded({ at, rows, columns }: Slot): Real {
    const width = this.pad(columns);
    const { rounded } = this;
    if (width === columns) return rounded.subarray(at, at + rows * columns);
    const to = this.zeros(rows * width);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[i * width + j] = rounded[at + i * columns + j]!;
    return to;
  }
  private transposed({ at, rows, columns }: Slot): Real {
    const width = this.pad(rows);
    const { rounded, line } = this;
    const to = this.zeros(columns * width);
    for (let top = 0; top < rows; top += line) {
      const end = Math.min(top + line, rows); // line by line of the result: value by value took three times as long
      for (let j = 0; j < columns; j++)
        for (let i = top; i < end; i++) to[j * width + i] = rounded[at + i * columns + j]!;
    }
    return to;
  }
  private zeros(length: number): Real {
    if (this.scratch.length < length) this.scratch = this.array(length);
    return this.scratch.subarray(0, length).fill(0);
  }
  private pad(n: number): number {
    return Math.ceil(n / this.line) * this.line;
  }
}
function same(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
