// Node, Deno, Bun, browsers: this file carries the bytes, so that nothing has to be fetched or read.
let module;
export function wasmModule() {
  module ??= new WebAssembly.Module(decode('BYTES'));
  return module;
}
// atob with a callback per character would be ten times slower
function decode(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
