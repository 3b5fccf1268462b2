/** The native machine: typed arrays are pointers, shards run on the addon's own threads. */
import { type Backend } from '../bind.ts';
import { type Contract } from '../grammar.ts';
/** Which level to run: the one named; the widest unfused one; else the best. */
export interface Choice {
    readonly isa?: string;
    readonly reproducible?: boolean;
    readonly threads?: number;
}
/** Throws BACKEND: `where` was built for another contract, or has no such level here. */
export declare function openNative<C extends Contract>(table: C, addon: unknown, where: string, choice?: Choice): Backend<C>;
