/** The table of the test build: the library's, and kernels that use those words of the grammar that no other does. */
import { contract } from '../../src/contract.ts';
import { probe } from '../probe/contract.ts';

export const table = { ...contract, probe } as const;
export type Table = typeof table;
