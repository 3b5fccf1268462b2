// Computes the hash in the page and in a worker.
import { hash } from './hash.js';

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = async ({ data }) => {
  globalThis.told = [await hash(), data];
};
worker.onerror = ({ message }) => {
  globalThis.told = ['', message];
};
