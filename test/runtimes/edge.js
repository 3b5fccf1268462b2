// An edge worker: answers with the hash.
import { hash } from './hash.js';

export default {
  fetch: () =>
    hash().then(
      (text) => new Response(text),
      (error) => new Response(String(error.stack), { status: 500 }),
    ),
};
