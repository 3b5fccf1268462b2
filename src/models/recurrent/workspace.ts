/** Memory of a pass: new arrays, to be given away; or the same block for one pass after the other. */
import type { Real } from '../../check.ts';

const LINE = 64; // bytes
const LEAST = 2 ** 20;

export class Workspace {
  private block = new ArrayBuffer(0);
  private at = 0;
  private want = 0;
  constructor(
    private readonly single: boolean,
    private readonly reused = false,
  ) {}

  /** Room for `length` values; in a block used again they are whatever was there. */
  array(length: number): Real {
    const Values = this.single ? Float32Array : Float64Array;
    if (!this.reused) return new Values(length);
    const bytes = length * Values.BYTES_PER_ELEMENT;
    const at = this.at;
    this.want += Math.ceil(bytes / LINE) * LINE;
    if (at + bytes > this.block.byteLength) return new Values(length); // the next pass has room for it
    this.at = at + Math.ceil(bytes / LINE) * LINE;
    return new Values(this.block, at, length);
  }
  zeros(length: number): Real {
    return this.reused ? this.array(length).fill(0) : this.array(length);
  }
  copy(values: Real): Real {
    const to = this.array(values.length);
    to.set(values);
    return to;
  }
  /** Nothing of the pass before is needed any more. */
  restart(): void {
    if (this.want > this.block.byteLength) this.block = new ArrayBuffer(Math.max(LEAST, this.want * 1.25));
    this.at = 0;
    this.want = 0;
  }
}
