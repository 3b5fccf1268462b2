/**
 * The levels the kernels are compiled for, best first. This is the only list: `npm run contract` renders it into
 * native/contract.cmake and native/contract.h for CMake and the addon. Fused levels round a product-sum once and agree
 * with each other to the bit; all others round twice and agree with wasm to the bit.
 */
export interface Level {
  readonly name: string;
  readonly arch: 'x64' | 'arm64' | 'any';
  readonly fused: boolean;
  /** Compiler flags, and the features a CPU must have. */
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
/** The name of a level as a C++ identifier. */
export const identifier = (name: string): string => name.replace('-', '_');
