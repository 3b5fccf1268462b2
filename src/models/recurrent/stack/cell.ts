/** The cells of a recurrent layer (docs/math/recurrent.md), and the sizes that follow from the number of its units. */
import { contract } from '../../../contract.ts';
import { derivedSizes } from '../../../grammar.ts';

export { type Cell, cells } from '../../../contract.ts';

/** Numbers of a layer: of its gates, of a second bias (gru), kept per step for the way back, of its state. */
export type CellSizes = ReturnType<typeof cellSizes>;
export const cellSizes = derivedSizes(contract.recurrent.forward);
