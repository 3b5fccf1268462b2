/**
 * The levels the kernels are compiled for, best first: the one list. CMake, the addon and the backends read it (rendered
 * into native/contract.cmake and native/contract.h by `npm run contract`). Fused levels round a product-sum once and agree
 * with each other to the bit; all others round twice and agree with wasm to the bit.
 */
export interface Level {
  readonly name: string;
  readonly arch: 'x64' | 'arm64' | 'any';
  readonly fused: boolean;
  /** Compiler flags, and the features the CPU must have. */
  readonly flags: readonly string[];
  readonly needs: readonly string[];
}
const avx2 = ['-mavx2'];
const avx512 = [...avx2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'];
const needs512 = ['avx2', 'avx512f', 'avx512bw', 'avx512dq', 'avx512vl'];

export const levels: readonly Level[] = [
  { name: 'avx512', arch: 'x64', fused: true, flags: ['-mfma', ...avx512], needs: ['fma', ...needs512] },
  { name: 'avx2', arch: 'x64', fused: true, flags: ['-mfma', ...avx2], needs: ['fma', 'avx2'] },
  { name: 'neon', arch: 'arm64', fused: true, flags: [], needs: [] },
  { name: 'avx512-unfused', arch: 'x64', fused: false, flags: avx512, needs: needs512 },
  { name: 'avx2-unfused', arch: 'x64', fused: false, flags: avx2, needs: ['avx2'] },
  { name: 'baseline', arch: 'any', fused: false, flags: [], needs: [] },
];
/** A level as C++ can name it. */
export const identifier = (name: string): string => name.replace('-', '_');
