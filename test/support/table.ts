/** The table of the test build: the library's, and the rows that exercise what of the grammar no kernel uses yet. */
import { contract } from '../../src/contract.ts';
import { probe } from '../probe/contract.ts';

export const table = { ...contract, probe } as const;
export type Table = typeof table;
