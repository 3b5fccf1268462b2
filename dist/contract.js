/**
 * THE TABLE. Every kernel is declared in contract/<noun>.ts and nowhere else: what a row may say is in grammar.ts.
 * The headers of native/ and the index of assembly/ are rendered from it (`npm run contract`), the types of the kernels
 * are inferred from it, plan.ts guards and cuts by it, the tests iterate over it.
 */
import { gaussian } from "./contract/gaussian.js";
import { mixture } from "./contract/mixture.js";
export const contract = { gaussian, mixture };
