/** Descriptions of models, as objects and as text; `inspect` shows them. */
import { stripControls } from './exit.ts';
import { columnsOf, type Inputs } from './inputs.ts';

/** A model for programs and for people. */
export interface Description {
  readonly described: object;
  readonly text: string;
}
/** The facts that every description has. */
export interface Facts extends Inputs {
  readonly kind: string;
}
export const factsOf = ({ kind, dimension, columns }: Facts): Facts => ({
  kind,
  dimension,
  ...(columns && { columns }),
});
/** The names of the columns, as a terminal may show them. */
export const namesOf = (model: Inputs): readonly string[] => columnsOf(model).map(stripControls);
