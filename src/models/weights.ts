/** The parameters of a network where the kernels live: both orientations, padded to whole lines, in one dtype. */
import type { Backend } from '../bind.ts';
import { room } from '../check.ts';
import { type Arrays, type DType, pad, type Resident } from '../grammar.ts';
import { allocate } from '../memory.ts';

/** One named tensor of a flat vector of parameters. */
export interface Slot {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly at: number;
}
/** Where the tensors stand in the flat vector. */
export interface Slots {
  slot(name: string): Slot;
}

/** [columns][pad(rows)]: what a layer multiplies by; [rows][pad(columns)]: what its gradient multiplies by. */
type Orientation = 'across' | 'along';

export class Weights<D extends DType = DType, A extends Slots = Slots> {
  private readonly residents = new Map<string, Resident<Arrays[D]>>();
  private readonly biases = new Map<string, Arrays[D]>();
  private readonly flat: Float64Array;
  /** The same in the dtype of the kernels: rounded once for all orientations. */
  private readonly rounded: Arrays[D];
  private scratch: Arrays[D];
  constructor(
    private readonly backend: Backend,
    readonly architecture: A,
    flat: Float64Array,
    readonly dtype: D,
  ) {
    this.flat = allocate('weights', flat.length, () => flat.slice());
    this.rounded = dtype === 'f32' ? this.array(flat.length) : (this.flat as Arrays[D]);
    if (dtype === 'f32') this.rounded.set(flat);
    this.scratch = this.array(0);
  }

  /** The weight matrix of this name, brought to the kernels when it is first asked for. */
  across(name: string): Resident<Arrays[D]> {
    return this.resident(name, 'across');
  }
  along(name: string): Resident<Arrays[D]> {
    return this.resident(name, 'along');
  }
  /** A bias in the dtype of the kernels. */
  bias(name: string): Arrays[D] {
    let bias = this.biases.get(name);
    if (!bias) {
      const { at, rows } = this.architecture.slot(name);
      bias = this.array(rows);
      bias.set(this.rounded.subarray(at, at + rows));
      this.biases.set(name, bias);
    }
    return bias;
  }
  array(length: number): Arrays[D] {
    return room('weights', length, this.dtype);
  }

  /** Replaces the values of all parameters. No call may be under way. */
  write(flat: Float64Array): void {
    if (isSame(this.flat, flat)) return;
    this.flat.set(flat);
    if (this.dtype === 'f32') this.rounded.set(flat);
    this.biases.clear();
    for (const [key, resident] of this.residents) {
      const [name, orientation] = key.split(' ') as [string, Orientation];
      resident.write(this.orient(name, orientation));
    }
  }
  dispose(): void {
    for (const resident of this.residents.values()) resident.dispose();
    this.residents.clear();
  }

  private resident(name: string, orientation: Orientation): Resident<Arrays[D]> {
    const key = `${name} ${orientation}`;
    let resident = this.residents.get(key);
    if (!resident) this.residents.set(key, (resident = this.backend.hold(this.orient(name, orientation))));
    return resident;
  }
  /** The values of a resident, to be copied: their memory is used again. */
  private orient(name: string, orientation: Orientation): Arrays[D] {
    const slot = this.architecture.slot(name);
    return orientation === 'across' ? this.transpose(slot) : this.padRows(slot);
  }
  private padRows({ at, rows, columns }: Slot): Arrays[D] {
    const width = pad(columns, this.dtype);
    const { rounded } = this;
    if (width === columns) return rounded.subarray(at, at + rows * columns) as Arrays[D];
    const to = this.zeros(rows * width);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[i * width + j] = rounded[at + i * columns + j]!;
    return to;
  }
  private transpose({ at, rows, columns }: Slot): Arrays[D] {
    const width = pad(rows, this.dtype);
    const line = pad(1, this.dtype);
    const { rounded } = this;
    const to = this.zeros(columns * width);
    for (let top = 0; top < rows; top += line) {
      const end = Math.min(top + line, rows); // line by line of the result: value by value took three times as long
      for (let j = 0; j < columns; j++)
        for (let i = top; i < end; i++) to[j * width + i] = rounded[at + i * columns + j]!;
    }
    return to;
  }
  private zeros(length: number): Arrays[D] {
    if (this.scratch.length < length) this.scratch = this.array(length);
    return this.scratch.subarray(0, length).fill(0) as Arrays[D];
  }
}
function isSame(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
