// Prints the hash; the argument names a backend.
import { hash } from './hash.js';

hash(globalThis.process?.argv[2]).then(console.log);
