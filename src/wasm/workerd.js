// workerd (Cloudflare Workers) hands out compiled modules and forbids compiling bytes.
import module from './kernels.wasm';
export const wasmModule = () => module;
