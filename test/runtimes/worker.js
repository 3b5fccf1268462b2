import { hash } from './hash.js';

hash().then((text) => postMessage(text));
