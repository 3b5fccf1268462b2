// `node scripts/cut.mjs NAME NOUN...`: writes dist/wasm/NAME.wasm, the module with the kernels of these nouns alone. They
// are the functions of the whole module, so that they give the same bits.
import { readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'assemblyscript/binaryen';

const [name, ...nouns] = process.argv.slice(2);
const module = binaryen.readBinary(readFileSync('dist/wasm/kernels.wasm'));
module.setFeatures(binaryen.Features.All);
const exported = Array.from({ length: module.getNumExports() }, (_, i) =>
  binaryen.getExportInfo(module.getExportByIndex(i)),
);
// kernels are called NOUN_NAME_DTYPE; memory, alloc and the like have no dtype
for (const { name: kernel } of exported)
  if (/_f(64|32)$/.test(kernel) && !nouns.includes(kernel.split('_')[0])) module.removeExport(kernel);
module.runPasses(['remove-unused-module-elements', 'reorder-functions', 'memory-packing']);
writeFileSync(`dist/wasm/${name}.wasm`, module.emitBinary());
