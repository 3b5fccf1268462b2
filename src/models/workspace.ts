/** Memory of a pass: new arrays, to be given away; or the same block for one pass after the other. */
import { type Real, room } from '../check.ts';
import { bytesOf, type DType, realArrays } from '../grammar.ts';
import { allocate } from '../memory.ts';

const LINE = 64; // bytes
const SMALLEST_BLOCK = 2 ** 20; // bytes

export class Workspace {
  private block = new ArrayBuffer(0);
  private at = 0;
  private want = 0;
  constructor(
    private readonly where: string,
    private readonly dtype: DType,
    /** Whether the block is used again, so that new arrays are not zero. */
    readonly reused = false,
  ) {}

  /** Room for `length` values; in a block used again they are whatever was there. Throws OUT_OF_MEMORY. */
  array(length: number): Real {
    const fresh = (): Real => room(this.where, length, this.dtype);
    if (!this.reused) return fresh();
    const bytes = length * bytesOf[this.dtype];
    const at = this.at;
    this.want += Math.ceil(bytes / LINE) * LINE;
    if (at + bytes > this.block.byteLength) return fresh(); // the next pass has room for it
    this.at = at + Math.ceil(bytes / LINE) * LINE;
    return new realArrays[this.dtype](this.block, at, length);
  }
  zeros(length: number): Real {
    return this.reused ? this.array(length).fill(0) : this.array(length);
  }
  copy(values: Real): Real {
    const to = this.array(values.length);
    to.set(values);
    return to;
  }
  /** Hands all memory out again: nothing of the pass before is needed any more. */
  restart(): void {
    const bytes = Math.max(SMALLEST_BLOCK, this.want * 1.25);
    if (this.want > this.block.byteLength) this.block = allocate(this.where, bytes / 8, () => new ArrayBuffer(bytes));
    this.at = 0;
    this.want = 0;
  }
}
