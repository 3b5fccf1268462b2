/** Draws of arguments: uniform in (-1, 1), then changed by the rule beside the oracle of their kernel. */
import type { Values } from '../../src/grammar.ts';
import type { Table } from '../support/table.ts';

export interface Drawn {
  readonly sizes: Readonly<Record<string, number>>;
  readonly words: Readonly<Record<string, string>>;
  readonly args: Readonly<Record<string, Values>>;
  readonly seed: number;
}
/** Turns uniform values into valid ones, in place. */
export type Draw = (values: Values, drawn: Drawn) => void;
type ArgsOf<K> = K extends { readonly args: infer A } ? keyof A : never;
export interface Draws<N extends keyof Table> {
  /** The length of a sequence of a ragged kernel, given the short one that is drawn for any noun. */
  readonly lengthOf?: (length: number, sequence: number) => number;
  /** Sets the sizes of dims that only this noun has, and changes those that the words of the options restrict. */
  readonly sizes?: (sizes: Record<string, number>, words: Readonly<Record<string, string>>) => void;
  readonly kernels: {
    readonly [K in keyof Table[N]]?: {
      readonly args?: { readonly [A in ArgsOf<Table[N][K]>]?: Draw };
      /** Arguments that also take values at the edges of numbers, and beyond. */
      readonly extremes?: readonly ArgsOf<Table[N][K]>[];
    };
  };
}

export const positive: Draw = (values) => {
  for (let i = 0; i < values.length; i++) values[i] = Math.abs(values[i]!) + 0.01;
};
/** Divided by the root of a dim, so that sums over it stay near 1. */
export const shrunk =
  (dim: string): Draw =>
  (values, { sizes }) => {
    for (let i = 0; i < values.length; i++) values[i]! /= Math.sqrt(sizes[dim]!);
  };
/** Packed lower triangles of d rows: a positive diagonal, small positive values beside it. */
export const triangles: Draw = (L, drawn) => {
  positive(L, drawn);
  const d = drawn.sizes['d']!;
  for (let at = 0; at < L.length; )
    for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++, at++) L[at] = i === j ? 1 + L[at]! : L[at]! / d;
};
/** Each d x d block B becomes B Bᵀ + I. */
export const definite: Draw = (A, { sizes }) => {
  const d = sizes['d']!;
  for (let at = 0; at < A.length; at += d * d) {
    const B = A.slice(at, at + d * d);
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) {
        let s = i === j ? 1 : 0;
        for (let p = 0; p < d; p++) s += B[i * d + p]! * B[j * d + p]!;
        A[at + i * d + j] = s;
      }
  }
};
