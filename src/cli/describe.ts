/** Descriptions of models, as objects and as text; `inspect` shows them. */
import { stripControls } from './exit.ts';

/** A model for programs and for people. */
export interface Description {
  readonly described: object;
  readonly text: string;
}
/** The facts that every description has. */
export interface Facts {
  readonly kind: string;
  readonly dimension: number;
  readonly columns?: readonly string[] | undefined;
}
export const factsOf = ({ kind, dimension, columns }: Facts): Facts => ({
  kind,
  dimension,
  ...(columns && { columns }),
});
/** The names of the columns: x1, x2, ... if they have none. */
export const namesOf = ({ columns, dimension }: Omit<Facts, 'kind'>): readonly string[] =>
  columns?.map(stripControls) ?? Array.from({ length: dimension }, (_, j) => `x${j + 1}`);
